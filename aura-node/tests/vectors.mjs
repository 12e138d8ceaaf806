/** The vectors of the core, which every language runs, as tables of Arrow. */

import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

import * as arrow from "apache-arrow";

import { ROOT } from "./shared.mjs";

export const CONFORMANCE = join(ROOT, "aura-core", "conformance");

/** The vectors of an area, by the name of their file. */
export function vectors(area) {
  const files = readdirSync(join(CONFORMANCE, area)).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => ({
    name: basename(name, ".json"),
    vector: JSON.parse(readFileSync(join(CONFORMANCE, area, name), "utf8")),
  }));
}

/** The cases of vectors with the vector that they belong to. */
export const cases = (found) =>
  found.flatMap(({ name, vector }) => vector.cases.map((one) => ({ name: `${name}: ${one.description}`, vector, one })));

const TYPES = { number: () => new arrow.Float64(), string: () => new arrow.Utf8() };
const MOMENT = () => new arrow.TimestampMicrosecond("UTC");

/** Microseconds of Unix of a moment with up to six digits of a second. */
export function micros(text) {
  const [, whole, digits = "", zone] = /^(.*?)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  return BigInt(Date.parse(whole + zone)) * 1000n + BigInt(digits.padEnd(6, "0") || 0);
}

function moments(values) {
  const builder = arrow.makeBuilder({ type: new arrow.Int64(), nullValues: [null] });
  for (const value of values) {
    builder.append(value === null ? null : micros(value));
  }
  const data = builder.finish().flush();
  const type = MOMENT();
  return new arrow.Vector([
    arrow.makeData({ type, length: data.length, nullCount: data.nullCount, data: data.values, nullBitmap: data.nullBitmap }),
  ]);
}

/** The rows of a vector as Arrow IPC: `time` is a moment, declared columns have their type, all others are text. */
export function ipc(vector) {
  const rows = vector.data;
  const names = new Set(["time", "actor", "event", ...Object.keys(vector.columns), ...rows.flatMap(Object.keys)]);
  const columns = {};
  for (const name of names) {
    const values = rows.map((row) => row[name] ?? null);
    const type = (TYPES[vector.columns[name]] ?? TYPES.string)();
    columns[name] = name === "time" ? moments(values) : text(values, type);
  }
  return arrow.tableToIPC(new arrow.Table(columns), "stream");
}

function text(values, type) {
  const builder = arrow.makeBuilder({ type, nullValues: [null, undefined] });
  for (const value of values) {
    builder.append(value);
  }
  return builder.finish().toVector();
}
