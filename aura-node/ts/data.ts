/** What comes from the host: rows, paths, bytes. */

import { fileURLToPath } from "node:url";

import { ROLES } from "./fields.js";
import { given, snake, toJson } from "./json.js";
import type { Roles } from "./specs.js";

/** A row as an object. */
export type Row = Readonly<Record<string, unknown>>;

/** The roles that are among the options, as JSON. */
export function rolesOf(options: Roles | undefined): Record<string, unknown> {
  const all = snake(options ?? {}) as Record<string, unknown>;
  return given(Object.fromEntries(ROLES.map((name) => [name, all[name]])));
}

/** Rows as NDJSON, so that rejects tell their number. */
export function rowsJson(rows: readonly Row[]): Uint8Array {
  return Buffer.from(rows.map(toJson).join("\n"));
}

/** Tells whether a value is an array of objects. */
export function areRows(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.every((row) => typeof row === "object" && row !== null && !Array.isArray(row));
}

/** Tells whether a value names files. */
export function isPath(value: unknown): value is string | URL {
  return typeof value === "string" || value instanceof URL;
}

/** The path that a string or a URL names. */
export function pathOf(path: string | URL): string {
  return typeof path === "string" ? path : fileURLToPath(path);
}

/** Tells whether bytes are a table in the form of Arrow IPC, a file or a stream. */
export function isIpc(bytes: Uint8Array): boolean {
  const starts = (head: readonly number[]): boolean => head.every((byte, at) => bytes[at] === byte);
  return starts([0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]) || starts([0xff, 0xff, 0xff, 0xff]);
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  return typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
}
