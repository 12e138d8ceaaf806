/** One class for each kind of error; the kind says what to do. */

/** The stable name of a kind, the same in all languages. */
export type ErrorCode =
  | "INVALID_SPEC"
  | "INVALID_DATA"
  | "NOT_FOUND"
  | "CONFLICT"
  | "DENIED"
  | "UNAVAILABLE"
  | "RESOURCE_EXHAUSTED"
  | "CANCELLED"
  | "INTERNAL"
  | "UNKNOWN";

/** An error of AURA. The message says what is wrong, what was found, and what to do. */
export class AuraError extends Error {
  /** The stable name of the kind, the same in all languages. */
  readonly code: ErrorCode = "UNKNOWN";
  /** What caused it, nearest first, in the words of the causes. */
  readonly causes: readonly string[];

  constructor(message?: string, options?: ErrorOptions & { causes?: readonly string[] }) {
    super(message, options);
    this.causes = options?.causes ?? [];
  }

  static {
    AuraError.prototype.name = "AuraError";
  }
}

/** The call is wrong: fix the spec, the option or the SQL text. */
export class InvalidSpecError extends AuraError {
  override readonly code = "INVALID_SPEC";
}

/** The data are wrong: fix the input named in the message. */
export class InvalidDataError extends AuraError {
  override readonly code = "INVALID_DATA";
}

/** The thing named does not exist. */
export class NotFoundError extends AuraError {
  override readonly code = "NOT_FOUND";
}

/** Somebody else changed the same thing, or the state does not allow this call. */
export class ConflictError extends AuraError {
  override readonly code = "CONFLICT";
}

/** The caller may not do this. */
export class DeniedError extends AuraError {
  override readonly code = "DENIED";
}

/** A passing fault: the same call may succeed later. */
export class UnavailableError extends AuraError {
  override readonly code = "UNAVAILABLE";
}

/** A limit of disk, memory or size was reached: free or raise it. */
export class ResourceExhaustedError extends AuraError {
  override readonly code = "RESOURCE_EXHAUSTED";
}

/** The caller cancelled the operation; nothing of it was kept. The reason of its signal is the `cause`. */
export class CancelledError extends AuraError {
  override readonly code = "CANCELLED";
}

/** A fault in AURA itself: report it. */
export class InternalError extends AuraError {
  override readonly code = "INTERNAL";
}

const CLASSES = {
  InvalidSpecError,
  InvalidDataError,
  NotFoundError,
  ConflictError,
  DeniedError,
  UnavailableError,
  ResourceExhaustedError,
  CancelledError,
  InternalError,
};

const BY_CODE = new Map<string, new (message: string, options: { causes: string[] }) => AuraError>();
for (const [name, kind] of Object.entries(CLASSES)) {
  // Also where a bundler has renamed the class.
  kind.prototype.name = name;
  BY_CODE.set(new kind().code, kind);
}

const MARK = "aura:";

/** What the addon says of an argument of another type than it takes. */
const OTHER_TYPE = /^InvalidArg$|Expected$/;

/** Turns what the addon throws, or rejects with, into the error of its class; what else was thrown stays what it is. */
export function converted(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  if (!error.message.startsWith(MARK)) {
    const { code } = error as { code?: unknown };
    return typeof code === "string" && OTHER_TYPE.test(code) ? new TypeError(error.message, { cause: error }) : error;
  }
  const told = JSON.parse(error.message.slice(MARK.length)) as { code: string; message: string; causes: string[] };
  // A kind that is newer than this list is still an error of the library.
  const kind = BY_CODE.get(told.code) ?? AuraError;
  return new kind(told.message, { causes: told.causes });
}

/** Runs a call of the addon that answers at once. */
export function sync<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw converted(error);
  }
}
