/**
 * The interface of the addon, which the classes of the package are made on. It is not part of the interface of the package.
 *
 * Specs, options and reports are JSON; tables are Arrow IPC. A test compares this page with the addon.
 */

/** Stops the call that it was given to. */
export interface NativeCancel {
  cancel(): void;
}

/** A change between two versions: path, verdict, reason. */
export type NativeChange = [path: string, compatibility: string, why: string];

export interface NativeEvents {
  columns(): [name: string, type: string][];
  sql(query: string, cancel?: NativeCancel): Promise<NativeTable>;
  run(spec: string, cancel?: NativeCancel): Promise<NativeTable>;
  runAll(specs: string, cancel?: NativeCancel): Promise<NativeTable[]>;
  metrics(registry: NativeRegistry, query: string, cancel?: NativeCancel): Promise<NativeTable>;
  explainMetrics(registry: NativeRegistry, query: string, cancel?: NativeCancel): Promise<string>;
  insights(registry: NativeRegistry, spec: string, cancel?: NativeCancel): Promise<string>;
  report(registry: NativeRegistry, spec: string, cancel?: NativeCancel): Promise<NativeReport>;
}

export interface NativeTable {
  numRows(): number;
  columns(): string[];
  types(): string[];
  notes(): string[];
  scan(): [filesTotal: number, filesRead: number, bytesRead: number];
  values(column: number, rows?: number): unknown[];
  drawn(rows: number): string;
  ipc(plain: boolean, cancel?: NativeCancel): Promise<Uint8Array>;
  export(format: string, csv: string | undefined, cancel?: NativeCancel): Promise<Uint8Array>;
}

export interface NativeReport {
  toJson(): string;
  render(html: boolean, options: string, cancel?: NativeCancel): Promise<string>;
}

export interface NativeRegistry {
  extend(text: string, parameters: string): NativeRegistry;
  merge(other: NativeRegistry): NativeRegistry;
  version(): number;
  names(): string[];
  toYaml(): string;
  toJson(): string;
  reference(title: string): string;
  compare(newer: NativeRegistry): NativeChange[];
  toSql(query: string, source: string, dialect: string): string;
}

export interface NativeContract {
  name(): string;
  version(): number;
  toYaml(): string;
  toJson(): string;
  compare(newer: NativeContract): NativeChange[];
}

export interface NativeProgress {
  next(): Promise<string | null>;
  end(): void;
}

export interface NativeSource {
  push(piece: Uint8Array): Promise<boolean>;
  fail(why: string): Promise<boolean>;
  end(): void;
}

export interface NativeStore {
  close(): Promise<void>;
  isClosed(): boolean;
  settings(): string;
  ingest(
    source: NativeSource,
    options: string,
    contract?: NativeContract,
    progress?: NativeProgress,
    cancel?: NativeCancel,
  ): Promise<string>;
  append(table: Uint8Array, options: string, contract?: NativeContract, cancel?: NativeCancel): Promise<string>;
  appendTable(table: NativeTable, options: string, contract?: NativeContract, cancel?: NativeCancel): Promise<string>;
  events(cancel?: NativeCancel): Promise<NativeEvents>;
  snapshot(at: string, cancel?: NativeCancel): Promise<NativeEvents>;
  snapshots(cancel?: NativeCancel): Promise<string>;
  quarantine(cancel?: NativeCancel): Promise<NativeTable>;
  flush(cancel?: NativeCancel): Promise<number>;
  compact(cancel?: NativeCancel): Promise<string>;
  expire(olderThanUs: string, cancel?: NativeCancel): Promise<string>;
  expireSnapshots(olderThanUs: string, cancel?: NativeCancel): Promise<number>;
  erase(actor: string, cancel?: NativeCancel): Promise<string>;
  stats(cancel?: NativeCancel): Promise<string>;
}

export interface Native {
  VERSION: string;
  DEBUG: boolean;
  schemas(): string;
  chartSvg(chart: string, language: string): string;
  chartVegaLite(chart: string, language: string): string;
  Cancel: new () => NativeCancel;
  Progress: new () => NativeProgress;
  Events: {
    fromIpc(content: Uint8Array, roles: string, engine: string, cancel?: NativeCancel): Promise<NativeEvents>;
    fromFiles(pattern: string, roles: string, engine: string, cancel?: NativeCancel): Promise<NativeEvents>;
    fromBytes(
      name: string,
      content: Uint8Array,
      roles: string,
      engine: string,
      cancel?: NativeCancel,
    ): Promise<NativeEvents>;
  };
  Table: object;
  Report: { parse(text: string): NativeReport };
  Registry: {
    parse(text: string, parameters: string): NativeRegistry;
    load(path: string, parameters: string, cancel?: NativeCancel): Promise<NativeRegistry>;
    builtin(parameters: string): NativeRegistry;
  };
  Contract: {
    parse(text: string): NativeContract;
    load(path: string, cancel?: NativeCancel): Promise<NativeContract>;
    infer(name: string, table: Uint8Array, cancel?: NativeCancel): Promise<NativeContract>;
  };
  Source: {
    path(path: string): NativeSource;
    bytes(name: string, content: Uint8Array): NativeSource;
    git(path: string, options: string): NativeSource;
    stream(name: string): NativeSource;
  };
  Store: {
    open(path: string | undefined, create: boolean, settings: string, cancel?: NativeCancel): Promise<NativeStore>;
  };
}
