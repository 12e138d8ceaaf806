/** Events: what is asked about. */

import { type CallOptions, call } from "./call.js";
import { type Row, areRows, isIpc, isPath, kindOf, pathOf, rolesOf, rowsJson } from "./data.js";
import { answer, given, toJson } from "./json.js";
import { native } from "./loader.js";
import type { NativeCancel, NativeEvents } from "./native.js";
import { Questions } from "./questions.js";
import { Registry } from "./registry.js";
import { Report } from "./report.js";
import { analysisJson, specJson } from "./spec.js";
import type { Analysis, EngineSettings, Findings, Insights, MetricQuery, ReportSpec, Roles } from "./specs.js";
import { Table } from "./table.js";

/** What questions to definitions of metrics take. */
export interface MetricOptions extends CallOptions {
  /** The definitions; the built-in metrics unless given. */
  registry?: Registry | undefined;
}

/** How a table is taken as events. */
export interface EventsOptions extends Roles, EngineSettings, CallOptions {}

/** What {@link events} takes. */
export type EventsData = string | URL | Uint8Array | readonly Row[] | Table;

/**
 * Events: a table with the roles actor, event and time. Made by {@link events} and `Store.events`.
 *
 * As the SQL table `events` it has the columns `event_id` (only if there is one), `actor`, `event`, `time` (timestamp in UTC,
 * microseconds), then every other column under its own name. Any number of questions can be asked at once.
 */
export class Events extends Questions {
  /** @internal */
  readonly _native: NativeEvents;

  /** @internal */
  constructor(native: NativeEvents) {
    super();
    this._native = native;
  }

  /** The columns of the table `events` with their Arrow types. */
  get columns(): Record<string, string> {
    return Object.fromEntries(this._native.columns());
  }

  /**
   * Runs one SQL query (DataFusion's dialect) over the table `events`.
   *
   * Names without quotes are taken in lower case: a column with capitals is written in double quotes. Rows come in the order of
   * `ORDER BY`; without it their order is not defined.
   *
   * Rejects with `InvalidSpecError` for text that is no query or names an unknown column, `InvalidDataError` when a value cannot be
   * computed, `ResourceExhaustedError` at the memory limit.
   */
  async sql(query: string, options?: CallOptions): Promise<Table> {
    return new Table(await call(options, (cancel) => this._native.sql(query, cancel)));
  }

  /**
   * Answers an analysis: an object such as `{ funnel: { steps: ["signup", "order"] } }`, or its JSON form as text, which is the same in
   * all languages.
   *
   * Rejects with `InvalidSpecError` naming the field.
   */
  override async run(spec: Analysis | string, options?: CallOptions): Promise<Table> {
    const text = analysisJson(spec);
    return new Table(await call(options, (cancel) => this._native.run(text, cancel)));
  }

  /**
   * Answers many analyses, at most 100, in one pass over the events. The tables come in the same order, each as
   * {@link Events.run} returns it.
   */
  async runAll(specs: readonly (Analysis | string)[], options?: CallOptions): Promise<Table[]> {
    const text = `[${specs.map(analysisJson).join(",")}]`;
    const tables = await call(options, (cancel) => this._native.runAll(text, cancel));
    return tables.map((table) => new Table(table));
  }

  /** Answers a question about metrics, or its JSON form as text. */
  async metrics(query: MetricQuery | string, options?: MetricOptions): Promise<Table> {
    const registry = (options?.registry ?? Registry.builtin())._native;
    const text = specJson("metric_query", query);
    return new Table(await call(options, (cancel) => this._native.metrics(registry, text, cancel)));
  }

  /**
   * Answers a question about metrics and tells how: the aggregates of each scan, the plans of the engine, and what was read.
   */
  async explainMetrics(query: MetricQuery | string, options?: MetricOptions): Promise<string> {
    const registry = (options?.registry ?? Registry.builtin())._native;
    const text = specJson("metric_query", query);
    return call(options, (cancel) => this._native.explainMetrics(registry, text, cancel));
  }

  /** Finds what changed in the metrics, whether it matters, why, and what to do. */
  async insights(spec: Insights | string = {}, options?: MetricOptions): Promise<Findings> {
    const registry = (options?.registry ?? Registry.builtin())._native;
    const text = specJson("insights", spec);
    return answer(await call(options, (cancel) => this._native.insights(registry, text, cancel)));
  }

  /** Makes a report; without sections it holds what fits the events. */
  async report(spec: ReportSpec | string = {}, options?: MetricOptions): Promise<Report> {
    const registry = (options?.registry ?? Registry.builtin())._native;
    const text = specJson("report_spec", spec);
    return new Report(await call(options, (cancel) => this._native.report(registry, text, cancel)));
  }
}

/**
 * Takes a table as events, without a store.
 *
 * `data` is a table as Arrow IPC (a stream or a file); a result; the path of a file, or a glob; the content of a file; or an array of
 * objects. Files are Parquet, CSV, NDJSON, JSON or Arrow IPC, plain or compressed, told by content; those of Parquet are read when
 * a question needs them.
 *
 * The roles that are not named are looked for under the usual names (`actor`, `user_id`, …; `event`, `name`, …; `time`,
 * `timestamp`, …).
 *
 * Rejects with `InvalidSpecError` when a role has no column, or times have no zone and none is given; `InvalidDataError` for
 * columns of unfit types and rows that cannot be read; `NotFoundError` when there is no such file; `TypeError` for what
 * is no table.
 */
export async function events(data: EventsData, options?: EventsOptions): Promise<Events> {
  const roles = toJson(rolesOf(options));
  const engine = toJson(given({ threads: options?.threads, memory_limit: options?.memoryLimit }));
  const make = async (from: (cancel?: NativeCancel) => Promise<NativeEvents>): Promise<Events> =>
    new Events(await call(options, from));
  if (isPath(data)) {
    return make((cancel) => native.Events.fromFiles(pathOf(data), roles, engine, cancel));
  }
  if (data instanceof Table) {
    const content = await data.toIPC(options);
    return make((cancel) => native.Events.fromIpc(content, roles, engine, cancel));
  }
  if (data instanceof Uint8Array) {
    return isIpc(data)
      ? make((cancel) => native.Events.fromIpc(data, roles, engine, cancel))
      : make((cancel) => native.Events.fromBytes("bytes", data, roles, engine, cancel));
  }
  if (areRows(data)) {
    const content = rowsJson(data);
    return make((cancel) => native.Events.fromBytes("rows", content, roles, engine, cancel));
  }
  throw new TypeError(
    `events of the type \`${kindOf(data)}\`: expected a table as Arrow IPC, a path, the content of a file as Uint8Array, or an array of objects`,
  );
}
