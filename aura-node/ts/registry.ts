/** Definitions: metrics, and data contracts. */

import { type CallOptions, call } from "./call.js";
import { sync } from "./errors.js";
import { snake, toJson } from "./json.js";
import { native } from "./loader.js";
import type { NativeChange, NativeContract, NativeRegistry } from "./native.js";
import { specJson } from "./spec.js";
import type { MetricQuery, SqlDialect, SqlSource } from "./specs.js";
import { Table } from "./table.js";

/** One difference between two versions of a definition. */
export interface DefinitionChange {
  /** Where it is. */
  path: string;
  /** The verdict, for example `"breaking"`. */
  compatibility: string;
  /** The reason, in words. */
  why: string;
}

function changes(found: NativeChange[]): DefinitionChange[] {
  return found.map(([path, compatibility, why]) => ({ path, compatibility, why }));
}

/** Values of the parameters that definitions declare, by their names. */
export type Parameters = Record<string, unknown>;

let builtin: Registry | undefined;

/** Definitions of metrics, checked together when they are read. */
export class Registry {
  /** @internal */
  readonly _native: NativeRegistry;

  /** @internal */
  constructor(native: NativeRegistry) {
    this._native = native;
  }

  /**
   * Reads definitions from YAML or JSON.
   *
   * @throws {InvalidSpecError} naming line and column.
   */
  static parse(text: string, parameters: Parameters = {}): Registry {
    return sync(() => new Registry(native.Registry.parse(text, toJson(parameters))));
  }

  /** Reads definitions from a file, as {@link Registry.parse} does; `NotFoundError` when there is none. */
  static async load(path: string, options?: CallOptions & { parameters?: Parameters | undefined }): Promise<Registry> {
    const parameters = toJson(options?.parameters ?? {});
    return new Registry(await call(options, (cancel) => native.Registry.load(path, parameters, cancel)));
  }

  /** The metrics that come with AURA. */
  static builtin(parameters?: Parameters): Registry {
    if (parameters !== undefined) {
      return sync(() => new Registry(native.Registry.builtin(toJson(parameters))));
    }
    builtin ??= sync(() => new Registry(native.Registry.builtin("{}")));
    return builtin;
  }

  /** These definitions and those of a text, which may use them. */
  extend(text: string, parameters: Parameters = {}): Registry {
    return sync(() => new Registry(this._native.extend(text, toJson(parameters))));
  }

  /** The definitions of both; `ConflictError` or `InvalidSpecError` when they do not fit together. */
  merge(other: Registry): Registry {
    return sync(() => new Registry(this._native.merge(other._native)));
  }

  /** The version that the text states. */
  get version(): number {
    return this._native.version();
  }

  /** The names of the metrics, in their order. */
  get names(): string[] {
    return this._native.names();
  }

  /** All definitions in the JSON form, which is the same in all languages. */
  toJSON(): Record<string, unknown> {
    return JSON.parse(sync(() => this._native.toJson())) as Record<string, unknown>;
  }

  /** All definitions as YAML, which reads as the same registry. */
  toYaml(): string {
    return sync(() => this._native.toYaml());
  }

  /** A page in Markdown that describes all metrics. */
  reference(title = "Metrics"): string {
    return sync(() => this._native.reference(title));
  }

  /** What changed from these definitions to newer ones, each with a verdict. */
  compare(newer: Registry): DefinitionChange[] {
    return changes(sync(() => this._native.compare(newer._native)));
  }

  /**
   * Writes a question about metrics as SQL for a warehouse. `table` is a name, or an object with `table` and the names of the columns of
   * the roles.
   *
   * @throws {InvalidSpecError} for what the dialect has no words for; `from` and `to` must be given.
   */
  toSql(query: MetricQuery, table: string | SqlSource, dialect: SqlDialect): string {
    const given = typeof table === "string" ? { table } : table;
    const name = typeof given.table === "string" ? given.table.split(".") : given.table;
    const source = toJson(snake({ ...given, table: name }));
    const text = specJson("metric_query", query);
    return sync(() => this._native.toSql(text, source, toJson(dialect)));
  }
}

/** Which events and properties are expected, and what happens to the others. */
export class Contract {
  /** @internal */
  readonly _native: NativeContract;

  /** @internal */
  constructor(native: NativeContract) {
    this._native = native;
  }

  /**
   * Reads a contract from YAML or JSON.
   *
   * @throws {InvalidSpecError} naming line and column.
   */
  static parse(text: string): Contract {
    return sync(() => new Contract(native.Contract.parse(text)));
  }

  /** Reads a contract from a file, as {@link Contract.parse} does. */
  static async load(path: string, options?: CallOptions): Promise<Contract> {
    return new Contract(await call(options, (cancel) => native.Contract.load(path, cancel)));
  }

  /** Makes a first contract from what a table of events (`actor`, `event`, `time` and properties) holds: a result, or Arrow IPC. */
  static async infer(name: string, table: Table | Uint8Array, options?: CallOptions): Promise<Contract> {
    const content = table instanceof Table ? await table.toIPC(options) : table;
    return new Contract(await call(options, (cancel) => native.Contract.infer(name, content, cancel)));
  }

  /** What the contract is called. */
  get name(): string {
    return this._native.name();
  }

  /** The version that the text states. */
  get version(): number {
    return this._native.version();
  }

  /** The contract in the JSON form, which is the same in all languages. */
  toJSON(): Record<string, unknown> {
    return JSON.parse(sync(() => this._native.toJson())) as Record<string, unknown>;
  }

  /** The contract as YAML, which reads as the same contract. */
  toYaml(): string {
    return sync(() => this._native.toYaml());
  }

  /** What changed from this contract to a newer one, each with a verdict. */
  compare(newer: Contract): DefinitionChange[] {
    return changes(sync(() => this._native.compare(newer._native)));
  }
}
