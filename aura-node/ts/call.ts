/** Calls of the addon that are waited for, and signals that end them. */

import { CancelledError, converted } from "./errors.js";
import { native } from "./loader.js";
import type { NativeCancel } from "./native.js";

/** What every call that is waited for takes. */
export interface CallOptions {
  /**
   * Ends the call: the promise is rejected with `CancelledError`, whose `cause` is the reason of the signal, and the work
   * is stopped.
   */
  signal?: AbortSignal | undefined;
}

function cancelled(signal: AbortSignal): CancelledError {
  return new CancelledError("the call was cancelled by its caller", { cause: signal.reason });
}

/** The calls that a signal ends. It has one listener for all of them: Node takes many for a leak. */
const ENDED_BY = new WeakMap<AbortSignal, { calls: Set<NativeCancel>; listener: () => void }>();

function listen(signal: AbortSignal, cancel: NativeCancel): void {
  let waiting = ENDED_BY.get(signal);
  if (waiting === undefined) {
    const calls = new Set<NativeCancel>();
    const listener = (): void => calls.forEach((call) => call.cancel());
    waiting = { calls, listener };
    ENDED_BY.set(signal, waiting);
    signal.addEventListener("abort", listener);
  }
  waiting.calls.add(cancel);
}

function forget(signal: AbortSignal, cancel: NativeCancel): void {
  const waiting = ENDED_BY.get(signal);
  waiting?.calls.delete(cancel);
  if (waiting?.calls.size === 0) {
    signal.removeEventListener("abort", waiting.listener);
    ENDED_BY.delete(signal);
  }
}

/** Waits for a call of the addon. */
export async function call<T>(
  options: CallOptions | undefined,
  make: (cancel?: NativeCancel) => Promise<T>,
): Promise<T> {
  const signal = options?.signal;
  if (signal === undefined) {
    try {
      return await make();
    } catch (error) {
      throw converted(error);
    }
  }
  if (signal.aborted) {
    throw cancelled(signal);
  }
  const cancel = new native.Cancel();
  listen(signal, cancel);
  try {
    return await make(cancel);
  } catch (error) {
    const own = converted(error);
    throw own instanceof CancelledError && signal.aborted ? cancelled(signal) : own;
  } finally {
    forget(signal, cancel);
  }
}
