/** The durable store. */

import { type CallOptions, call } from "./call.js";
import { type Row, areRows, kindOf, pathOf, rolesOf } from "./data.js";
import { sync } from "./errors.js";
import { Events, events } from "./events.js";
import { type IngestReport, type IngestSource, Ingest, ingestReport, withSource } from "./ingest.js";
import { answer, camel, given, snake, toJson } from "./json.js";
import { native } from "./loader.js";
import type { NativeSource, NativeStore } from "./native.js";
import type { Contract } from "./registry.js";
import type { Format, GitOptions, Limits, Preset, Roles, StoreSettings } from "./specs.js";
import { Table } from "./table.js";

/** What a compaction did. */
export interface CompactReport {
  /** Partitions that were rewritten. */
  partitions: number;
  /** Files that were replaced. */
  filesBefore: number;
  /** Files that replace them. */
  filesAfter: number;
  /** Bytes of the replaced files. */
  bytesBefore: number;
  /** Bytes of the new files. */
  bytesAfter: number;
}

/** What an expiry did. */
export interface ExpireReport {
  /** Files that were dropped. */
  files: number;
  /** Events in them. */
  events: number;
  /** Rejected rows that were dropped. */
  rejects: number;
}

/** What an erasure did. */
export interface EraseReport {
  /** Events that were erased, counted in files of all snapshots. */
  events: number;
  /** Files that were rewritten or removed. */
  files: number;
  /** Rejected rows that mentioned the actor and were erased too. */
  rejects: number;
}

/** A state of the store that can be read. */
export interface Snapshot {
  /** Its number, growing by one with each change. */
  id: number;
  /** When it was made, cut to milliseconds. */
  time: Date;
}

/** Figures of a store, as of one moment. */
export interface StoreStats {
  /** Events, staged ones included. */
  events: number;
  /** Events that are durable in the database and not yet in a file. */
  stagedEvents: number;
  /** Bytes of the staged batches (compressed). */
  stagedBytes: number;
  /** Parquet files of the newest snapshot. */
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Files of the newest snapshot that compaction has not sorted yet. */
  looseFiles: number;
  /** Calendar partitions that have files. */
  partitions: number;
  /** Bytes of all files on disk, those that only old snapshots need included. */
  bytesOnDisk: number;
  /** Bytes of the database and its log. */
  databaseBytes: number;
  /** Rejected rows kept. */
  quarantined: number;
  /** Number of the newest snapshot. */
  snapshot: number;
  /** Snapshots that can be read. */
  snapshots: number;
  /** Smallest time of the events in files, cut to milliseconds. */
  timeMin: Date | null;
  /** Largest time of the events in files, cut to milliseconds. */
  timeMax: Date | null;
  /** Files that questions of this process have read. */
  filesRead: number;
  /** Bytes that questions of this process have read from files. */
  bytesRead: number;
  /** Bytes of memory of the index of event ids; 0 before the first write. */
  idIndexBytes: number;
}

/** How rows are taken into the store. For the roles see {@link events}. */
export interface AppendOptions extends Roles, CallOptions {
  /** What every row is checked against. */
  contract?: Contract | undefined;
  /** Limits against bad input. */
  limits?: Limits | undefined;
}

/** How a source is read. */
export interface IngestOptions extends AppendOptions {
  /** The format, where it shall not be recognised by content. */
  format?: Format | undefined;
  /** The producer's format, for events of Segment, CloudEvents, PostHog or Mixpanel. */
  preset?: Preset | undefined;
  /** What the source is called in rejects and messages, where it is no file. */
  name?: string | undefined;
}

/** How a store is opened. */
export interface OpenOptions extends CallOptions {
  /** Whether the store is made if there is none; `true` unless given. */
  create?: boolean | undefined;
  /** The settings. */
  settings?: StoreSettings | undefined;
}

function moment(us: number | null): Date | null {
  return us === null ? null : new Date(Math.floor(us / 1000));
}

/** A moment as microseconds of Unix, as text. */
function micros(moment: Date): string {
  const ms = moment.getTime();
  if (!Number.isFinite(ms)) {
    throw new RangeError("the moment is no valid Date");
  }
  return (BigInt(ms) * 1000n).toString();
}

function optionsJson(options: IngestOptions | undefined, roles: Record<string, unknown>): string {
  const { format, preset, limits } = options ?? {};
  return toJson(given({ roles, format, preset, limits: limits && snake(limits) }));
}

/**
 * The durable home of events: one directory. Made by {@link open} and {@link openMemory}.
 *
 * Any number of calls can be under way at once. It closes with {@link Store.close}, at the end of an `await using`, or when it is no
 * longer used.
 */
export class Store {
  /** @internal */
  readonly _native: NativeStore;

  /** @internal */
  constructor(native: NativeStore) {
    this._native = native;
  }

  /** Closes the store; events that were taken from it stay usable. May be called more than once. */
  async close(): Promise<void> {
    await call(undefined, () => this._native.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Whether {@link Store.close} was called. */
  get closed(): boolean {
    return this._native.isClosed();
  }

  /** The settings that the store was opened with. */
  get settings(): StoreSettings {
    return answer(sync(() => this._native.settings()));
  }

  /**
   * Reads a source into the store. All of it becomes visible in one commit at the end, or nothing does; rows that cannot be accepted go
   * to the quarantine. A source sent twice counts once.
   *
   * What it returns is awaited for the counts, and iterated over for the progress.
   *
   * Rejects with `NotFoundError` when no file matches, `InvalidSpecError` when a role has no column, `InvalidDataError` when the
   * source is in no known format or damaged, `ResourceExhaustedError` on a full disk or beyond a limit.
   */
  ingest(source: IngestSource, options?: IngestOptions): Ingest {
    return this.#ingest(options, (use) => withSource(source, options?.name, options, use));
  }

  /** Reads the history of a git repository as `commit` and `merge` events; see {@link Store.ingest}. */
  ingestGit(path: string | URL, options?: GitOptions & CallOptions): Ingest {
    const { signal, ...git } = options ?? {};
    return this.#ingest({ signal }, async (use) =>
      use(sync(() => native.Source.git(pathOf(path), toJson(snake(git))))),
    );
  }

  #ingest(
    options: IngestOptions | undefined,
    take: (use: (source: NativeSource) => Promise<IngestReport>) => Promise<IngestReport>,
  ): Ingest {
    return new Ingest(async (progress) => {
      const text = optionsJson(options, rolesOf(options));
      const contract = options?.contract?._native;
      return take(async (source) =>
        ingestReport(
          await call(options, (cancel) => this._native.ingest(source, text, contract, progress, cancel)),
        ),
      );
    });
  }

  /**
   * Appends rows as one batch, which is on the disk when the promise is settled: a table as Arrow IPC, a result, or an array of
   * objects. The same batch, or a row with the same event id, counts once however often it is sent.
   *
   * Rejects with `InvalidSpecError` when a role has no column, `InvalidDataError` for columns of unfit types,
   * `ResourceExhaustedError` on a full disk or beyond a limit. Nothing was stored then.
   */
  async append(rows: Uint8Array | Table | readonly Row[], options?: AppendOptions): Promise<IngestReport> {
    const contract = options?.contract?._native;
    const store = this._native;
    if (rows instanceof Uint8Array) {
      const text = optionsJson(options, rolesOf(options));
      return ingestReport(await call(options, (cancel) => store.append(rows, text, contract, cancel)));
    }
    let table: Table;
    let text: string;
    if (rows instanceof Table) {
      [table, text] = [rows, optionsJson(options, rolesOf(options))];
    } else if (areRows(rows)) {
      // One thread keeps the order of the rows, by which those without an id are known.
      const read = await events(rows, { ...options, threads: 1 });
      [table, text] = [await read.sql("SELECT * FROM events", options), optionsJson(options, {})];
    } else {
      throw new TypeError(
        `rows of the type \`${kindOf(rows)}\`: expected a table as Arrow IPC, a result, or an array of objects`,
      );
    }
    return ingestReport(
      await call(options, (cancel) => store.appendTable(table._native, text, contract, cancel)),
    );
  }

  /** The events as they are now; later writes do not change the result. */
  async events(options?: CallOptions): Promise<Events> {
    return new Events(await call(options, (cancel) => this._native.events(cancel)));
  }

  /**
   * The events of a snapshot of the past: the one with a number, or the newest that is not younger than a moment. Staged events are in
   * none until they are flushed.
   *
   * Rejects with `NotFoundError` when there is no such snapshot any more.
   */
  async snapshot(at: { id: number } | { time: Date }, options?: CallOptions): Promise<Events> {
    const text = "id" in at ? toJson({ version: at.id }) : `{"time":${micros(at.time)}}`;
    return new Events(await call(options, (cancel) => this._native.snapshot(text, cancel)));
  }

  /** The snapshots that can be read, oldest first. */
  async snapshots(options?: CallOptions): Promise<Snapshot[]> {
    const text = await call(options, (cancel) => this._native.snapshots(cancel));
    const found = JSON.parse(text) as { id: number; time_us: number }[];
    return found.map(({ id, time_us: us }) => ({ id, time: new Date(Math.floor(us / 1000)) }));
  }

  /**
   * The rejected rows, in the order in which they came: `source`, `row`, `field`, `reason`, `message`, `original`, `original_len`,
   * `rejected_at`.
   */
  async quarantine(options?: CallOptions): Promise<Table> {
    return new Table(await call(options, (cancel) => this._native.quarantine(cancel)));
  }

  /** Figures of the store. */
  async stats(options?: CallOptions): Promise<StoreStats> {
    const text = await call(options, (cancel) => this._native.stats(cancel));
    const { time_min_us: first, time_max_us: last, ...figures } = JSON.parse(text) as Record<string, number | null>;
    return { ...camel<StoreStats>(figures), timeMin: moment(first ?? null), timeMax: moment(last ?? null) };
  }

  /** Writes staged batches as files, and returns the rows that moved. Nothing is lost without this. */
  async flush(options?: CallOptions): Promise<number> {
    return call(options, (cancel) => this._native.flush(cancel));
  }

  /** Flushes, then rewrites every partition that has loose files as files sorted by actor and time. Rows stay the same. */
  async compact(options?: CallOptions): Promise<CompactReport> {
    return answer(await call(options, (cancel) => this._native.compact(cancel)));
  }

  /** Drops the events of all partitions that lie wholly before a moment, and the rows that were rejected before it. */
  async expire(olderThan: Date, options?: CallOptions): Promise<ExpireReport> {
    const us = micros(olderThan);
    return answer(await call(options, (cancel) => this._native.expire(us, cancel)));
  }

  /**
   * Forgets snapshots older than a moment (never the newest), deletes the files that only they needed, and returns how many
   * went.
   */
  async expireSnapshots(olderThan: Date, options?: CallOptions): Promise<number> {
    const us = micros(olderThan);
    return call(options, (cancel) => this._native.expireSnapshots(us, cancel));
  }

  /** Erases the events of an actor in all snapshots, and the rejected rows that mention the actor. */
  async erase(actor: string, options?: CallOptions): Promise<EraseReport> {
    return answer(await call(options, (cancel) => this._native.erase(actor, cancel)));
  }
}

/**
 * Opens the store in a directory, and makes it if there is none (unless `create` is false).
 *
 * Rejects with `ConflictError` when a newer AURA wrote it, `InvalidDataError` when the directory holds something else or is damaged,
 * `NotFoundError` without `create` when there is none, `InvalidSpecError` for settings out of range.
 */
export async function open(path: string | URL, options?: OpenOptions): Promise<Store> {
  return opened(pathOf(path), options);
}

/** Makes a store in memory, which is gone when it is closed. */
export async function openMemory(options?: Omit<OpenOptions, "create">): Promise<Store> {
  return opened(undefined, options);
}

async function opened(path: string | undefined, options: OpenOptions | undefined): Promise<Store> {
  const settings = toJson(snake(options?.settings ?? {}));
  const create = options?.create ?? true;
  return new Store(await call(options, (cancel) => native.Store.open(path, create, settings, cancel)));
}
