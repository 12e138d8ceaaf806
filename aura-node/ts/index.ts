/**
 * AURA: embeddable analytics. Events in, answers out, in process.
 *
 * ```js
 * const ev = await aura.events("events.parquet", { actor: "user_id", event: "event", time: "time" });
 * const table = await ev.funnel({ steps: ["product_view", "add_to_cart", "purchase"], within: "7d" });
 * ```
 *
 * Every question is a spec, every result an Arrow table with notes. Calls are asynchronous and take a signal. Errors are
 * {@link AuraError}, one class for each kind, with a stable `code`.
 */

import { native } from "./loader.js";

export type { CallOptions } from "./call.js";
export type { Row } from "./data.js";
export {
  AuraError,
  CancelledError,
  ConflictError,
  DeniedError,
  type ErrorCode,
  InternalError,
  InvalidDataError,
  InvalidSpecError,
  NotFoundError,
  ResourceExhaustedError,
  UnavailableError,
} from "./errors.js";
export { Events, type EventsData, type EventsOptions, type MetricOptions, events } from "./events.js";
export {
  type ByteStream,
  Ingest,
  type IngestReport,
  type IngestSource,
  type Progress,
  type Reject,
} from "./ingest.js";
export type { Length, Moment } from "./json.js";
export { Contract, type DefinitionChange, type Parameters, Registry } from "./registry.js";
export { type Chart, Report, chartSvg, chartVegaLite } from "./report.js";
export type * from "./specs.js";
export {
  type AppendOptions,
  type CompactReport,
  type EraseReport,
  type ExpireReport,
  type IngestOptions,
  type OpenOptions,
  type Snapshot,
  Store,
  type StoreStats,
  open,
  openMemory,
} from "./store.js";
export { type Scan, Table, type TableRow, type Value } from "./table.js";

/** The version of the package, which all languages share. */
export const version: string = native.VERSION;
