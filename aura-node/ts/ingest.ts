/** Reading a source into a store: its counts, its progress, its sources. */

import type { Readable } from "node:stream";

import { type CallOptions, call } from "./call.js";
import { type Row, areRows, isPath, kindOf, pathOf, rowsJson } from "./data.js";
import { answer } from "./json.js";
import { native } from "./loader.js";
import type { NativeProgress, NativeSource } from "./native.js";
import { Table } from "./table.js";

/** A row that was not accepted. */
export interface Reject {
  /** The file, or the name given to a stream or table. */
  source: string;
  /** Number of the line or row, from 1. */
  row: number;
  /** The column or key at fault, if it is one. */
  field: string | null;
  /** Why, as a code. */
  reason: string;
  /** Why, in words. */
  message: string;
  /** The row as it was read, perhaps cut. */
  original: Uint8Array;
  /** Length of the row before it was cut, in bytes. */
  originalLen: number;
}

/** The counts of an ingest or an append: `read === accepted + rejected + dropped + duplicate`, always. */
export interface IngestReport {
  /** Rows read. */
  read: number;
  /** Rows that are now in the store and were not before. */
  accepted: number;
  /** Rows in quarantine. */
  rejected: number;
  /** Rows left out because a contract says `drop`. */
  dropped: number;
  /** Rows whose event id the store already had, or had earlier in the same input. */
  duplicate: number;
  /** Rejected rows by reason code. */
  rejectedByReason: Record<string, number>;
  /** The first rejects; all are in the quarantine. */
  rejects: Reject[];
  /** Columns that this input added to the store. */
  columnsAdded: string[];
  /** Bytes read from the sources. */
  bytes: number;
  /** Snapshot that holds the rows; `null` while they are staged, or when nothing was stored. */
  snapshot: number | null;
  /** What a careful reader should know. */
  notes: string[];
}

/** How far an ingest is. Numbers only grow. */
export interface Progress {
  /** Bytes of the sources up to the rows that are counted here. */
  bytesRead: number;
  /** Bytes of all sources, where it is known. */
  bytesTotal: number | null;
  /** Rows read so far, rejected ones included. */
  rowsRead: number;
  /** Rows rejected so far. */
  rejected: number;
}

/** A stream of bytes: a readable stream of Node or of the web, the body of a request, or any other async iterable. */
export type ByteStream = AsyncIterable<Uint8Array | string>;

/** What is ingested: a path or glob, the content of a file, a stream, an array of objects, or a result. */
export type IngestSource = string | URL | Uint8Array | ByteStream | readonly Row[] | Table;

/** Reads the JSON of a report. */
export function ingestReport(text: string): IngestReport {
  const report = answer<IngestReport>(text);
  const rejects = report.rejects as unknown as Record<string, unknown>[];
  report.rejects = rejects.map(({ original, original_len: originalLen, ...reject }) => ({
    ...(reject as Omit<Reject, "original" | "originalLen">),
    original: Uint8Array.from(original as number[]),
    originalLen: originalLen as number,
  }));
  return report;
}

/**
 * An ingest that is under way: a promise of its report, and an async iterator over its progress.
 *
 * Whoever is slow to ask gets the newest state. Leaving the loop does not end the ingest; its signal does.
 */
export class Ingest implements Promise<IngestReport>, AsyncIterable<Progress> {
  readonly [Symbol.toStringTag] = "Ingest";
  readonly #progress: NativeProgress;
  readonly #report: Promise<IngestReport>;

  /** @internal */
  constructor(start: (progress: NativeProgress) => Promise<IngestReport>) {
    const progress = new native.Progress();
    this.#progress = progress;
    // The progress ends with the ingest, also where that failed before it began.
    this.#report = start(progress).finally(() => progress.end());
  }

  then<A = IngestReport, B = never>(
    fulfilled?: ((report: IngestReport) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#report.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<IngestReport | B> {
    return this.#report.catch(rejected);
  }

  finally(settled?: (() => void) | null): Promise<IngestReport> {
    return this.#report.finally(settled);
  }

  /** Goes through the progress to the end of the ingest; what the ingest is rejected with is thrown. */
  [Symbol.asyncIterator](): AsyncIterator<Progress, void> {
    // Whoever iterates is told there.
    this.#report.catch(() => undefined);
    return this.#steps();
  }

  async *#steps(): AsyncGenerator<Progress, void> {
    for (;;) {
      const text = await this.#progress.next();
      if (text === null) {
        break;
      }
      yield answer<Progress>(text);
    }
    await this.#report;
  }
}

function isStream(value: unknown): value is ByteStream {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Makes the source of the addon, runs `use` with it, and feeds it meanwhile where it is a stream. */
export async function withSource<T>(
  source: IngestSource,
  name: string | undefined,
  options: CallOptions | undefined,
  use: (source: NativeSource) => Promise<T>,
): Promise<T> {
  if (isPath(source)) {
    return use(native.Source.path(pathOf(source)));
  }
  if (source instanceof Uint8Array) {
    return use(native.Source.bytes(name ?? "bytes", source));
  }
  if (source instanceof Table) {
    const table = source._native;
    const content = await call(options, (cancel) => table.ipc(false, cancel));
    return use(native.Source.bytes(name ?? "table", content));
  }
  if (areRows(source)) {
    return use(native.Source.bytes(name ?? "rows", rowsJson(source)));
  }
  if (isStream(source)) {
    return fed(source, native.Source.stream(name ?? "stream"), use);
  }
  throw new TypeError(
    `a source of the type \`${kindOf(source)}\`: expected a path, the content of a file as Uint8Array, a stream, an array of objects, or a result`,
  );
}

async function fed<T>(
  stream: ByteStream,
  target: NativeSource,
  use: (source: NativeSource) => Promise<T>,
): Promise<T> {
  // The body of a request is left to its server, which still has to answer and cannot once the request is destroyed.
  const isRequest = "httpVersion" in stream;
  const pieces = isRequest
    ? (stream as unknown as Readable).iterator({ destroyOnReturn: false })
    : stream[Symbol.asyncIterator]();
  let broken: { error: unknown } | undefined;
  const feed = async (): Promise<void> => {
    try {
      for (;;) {
        const piece = await pieces.next();
        if (piece.done) {
          break;
        }
        if (typeof piece.value !== "string" && !(piece.value instanceof Uint8Array)) {
          throw new TypeError(`a stream gives pieces of the type \`${kindOf(piece.value)}\`; expected Uint8Array or text`);
        }
        if (!(await target.push(typeof piece.value === "string" ? Buffer.from(piece.value) : piece.value))) {
          break;
        }
      }
    } catch (error) {
      broken = { error };
      await target.fail(error instanceof Error ? error.message : String(error));
    } finally {
      target.end();
    }
  };
  void feed();
  try {
    return await use(target);
  } catch (error) {
    if (broken !== undefined && error instanceof Error) {
      error.cause ??= broken.error;
    }
    throw error;
  } finally {
    // Lets go of the thread that reads, and of a stream that nobody reads any more; one that is at its end does not care.
    target.end();
    if (!isRequest) {
      (stream as { destroy?: () => void }).destroy?.();
    }
    void Promise.resolve(pieces.return?.()).catch(() => undefined);
  }
}
