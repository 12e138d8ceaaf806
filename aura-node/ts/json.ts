/** Values as JSON, and names in the two ways of writing them. */

import { InvalidDataError } from "./errors.js";

/** A moment: text as specs have it, or a `Date`. */
export type Moment = string | Date;

/** A length of time as text, such as `"7 days"` or `"30m"`. */
export type Length = string;

/**
 * Writes a value as JSON.
 *
 * @throws {TypeError} for what has no JSON form: a `bigint` beyond 2⁵³, a function, a map.
 * @throws {InvalidDataError} for NaN and the infinities, which JSON does not have.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, plain) as string | undefined;
  if (text === undefined) {
    throw new TypeError(`a value of the type \`${typeof value}\` has no JSON form`);
  }
  return text;
}

function plain(key: string, value: unknown): unknown {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value)) {
        throw new InvalidDataError(`\`${key}\` is ${value}, which JSON does not have; write a missing number as null`);
      }
      return value;
    case "bigint":
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
        throw new TypeError(`\`${key}\` is ${value}n, which JSON cannot hold exactly; write it as text`);
      }
      return Number(value);
    case "function":
    case "symbol":
      throw new TypeError(`\`${key}\` is a ${typeof value}, which has no JSON form`);
    case "object":
      if (value instanceof Map || value instanceof Set) {
        throw new TypeError(`\`${key}\` is a ${value.constructor.name}, which has no JSON form; write an object or an array`);
      }
      return value;
    default:
      return value;
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function renamed(value: unknown, name: (key: string) => string, keep: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => renamed(item, name, keep));
  }
  if (!isPlain(value)) {
    return value;
  }
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
    const now = name(key);
    return [now, keep.has(now) || keep.has(key) ? item : renamed(item, name, keep)];
  });
  return Object.fromEntries(entries);
}

/** Fields whose objects have names of their own, or are the JSON form of something. */
const KEEP: ReadonlySet<string> = new Set(["rejected_by_reason", "rejects", "spec"]);

/** Writes the names of fields as the JSON form has them: `weekStart` becomes `week_start`. */
export function snake<T>(value: T): unknown {
  return renamed(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), KEEP);
}

/** Writes the names of fields as JavaScript has them: `week_start` becomes `weekStart`. */
export function camel<T>(value: unknown): T {
  return renamed(value, (key) => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()), KEEP) as T;
}

/** Reads an answer of the addon, whose names become those of JavaScript. */
export function answer<T>(text: string): T {
  return camel(JSON.parse(text));
}

/** Leaves out what was not given. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
