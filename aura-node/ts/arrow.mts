/** Tables of `apache-arrow`, which this entry needs. */

import { type Table as ArrowTable, tableFromIPC, tableToIPC } from "apache-arrow";

import type { CallOptions } from "./call.js";
import type { Table } from "./table.js";

/** The table of `apache-arrow`; an empty one keeps its schema. The notes are not part of it. */
export async function toArrow(table: Table, options?: CallOptions): Promise<ArrowTable> {
  return tableFromIPC(await table.toIPC({ ...options, plain: true }));
}

/** A table of `apache-arrow` as Arrow IPC, which `events`, `ingest` and `append` take. */
export function fromArrow(table: ArrowTable): Uint8Array {
  return tableToIPC(table, "stream");
}
