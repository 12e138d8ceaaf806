/** What the examples of the pages read. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { events } from "aura-analytics";

/** Writes the files into a folder. */
export async function files(path) {
  const names = ["product_view", "add_to_cart", "checkout", "purchase"];
  const rows = Array.from({ length: 400 }, (_, i) => ({
    user_id: `u${i % 40}`,
    event: names[(i * 7) % 4],
    time: new Date(Date.UTC(2026, 2, 1 + (i % 28), 10, i % 60)).toISOString(),
    plan: "pro",
  }));
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(join(path, "events.ndjson"), lines);
  const table = await (await events(Buffer.from(lines))).sql("SELECT actor AS user_id, event, time, plan FROM events");
  writeFileSync(join(path, "events.parquet"), await table.export("parquet"));
  const metric = "{name: buyers, kind: simple, expr: count(distinct actor), filter: event = 'purchase'}";
  writeFileSync(join(path, "metrics.yaml"), `{version: 1, metrics: [${metric}]}`);
}
