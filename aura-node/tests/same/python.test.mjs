/** The same spec over the same data is the same table, byte for byte, as in Python. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { aura, folder } from "../shared.mjs";
import { cases, ipc, vectors } from "../vectors.mjs";

/** The interpreter that has the Python package; `make` sets it. */
const PYTHON = process.env["AURA_PYTHON"] ?? "python3";

test("tables are those of Python", async (t) => {
  const path = folder(t);
  const asked = [];
  const inputs = new Map();
  const all = cases([...vectors("metric"), ...vectors("behavior"), ...vectors("funnel")]).filter(({ one }) => !one.error);
  for (const { name, vector, one } of all) {
    if (!inputs.has(vector)) {
      const input = `${inputs.size}.input`;
      const bytes = ipc(vector);
      writeFileSync(join(path, input), bytes);
      inputs.set(vector, { input, events: await aura.events(bytes) });
    }
    const { input, events } = inputs.get(vector);
    const answer = `${asked.length}.answer`;
    const table = vector.registry
      ? await events.metrics(JSON.stringify(one.query), { registry: aura.Registry.parse(vector.registry) })
      : await events.run(JSON.stringify(one.spec));
    writeFileSync(join(path, answer), await table.toIPC());
    const question = vector.registry ? { registry: vector.registry, query: one.query } : { spec: one.spec };
    asked.push({ name, input, answer, notes: table.notes, ...question });
  }
  assert.ok(asked.length > 200);
  writeFileSync(join(path, "asked.json"), JSON.stringify(asked));
  const done = spawnSync(PYTHON, [join(import.meta.dirname, "python.py"), path], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.stdout.trim(), String(asked.length));
  t.diagnostic(`${asked.length} tables are the same, byte for byte`);
});
