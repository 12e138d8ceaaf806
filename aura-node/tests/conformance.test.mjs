/** The vectors of the core, which every language runs. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";

import { ROWS, aura } from "./shared.mjs";
import { CONFORMANCE, cases, ipc, vectors } from "./vectors.mjs";

const METRIC = vectors("metric");
const BEHAVIOR = vectors("behavior");
const FUNNEL = vectors("funnel");
const FUNCTIONS = vectors("functions").find(({ name }) => name === "clickhouse").vector;

/** Areas that no language but Rust can run, each with the reason. */
const INSIDE = { detect: "the detectors are parts of insights and have no interface of their own" };

/** A value as the vectors write it. */
function cell(value) {
  if (value instanceof Date) {
    return value.toISOString().replace(/\.?0*Z$/, "Z");
  }
  return Array.isArray(value) ? value.map(cell) : value;
}

/** Tells whether two cells are equal: numbers to 1e-9, all else exactly. */
function same(found, expected) {
  if (Array.isArray(found) && Array.isArray(expected)) {
    return found.length === expected.length && found.every((value, at) => same(value, expected[at]));
  }
  if (typeof found === "number" && typeof expected === "number") {
    return Math.abs(found - expected) <= 1e-9 * Math.max(Math.abs(expected), 1);
  }
  return found === expected;
}

/** Asks, and compares the table or the error. */
async function check(ask, one) {
  if (one.error) {
    const error = await ask().then(
      (table) => assert.fail(`answered ${table}`),
      (error) => error,
    );
    assert.ok(error instanceof aura.AuraError, error);
    assert.equal(error.code, one.error.kind);
    assert.ok(error.message.startsWith(one.error.starts_with ?? ""), error.message);
    assert.equal(one.error.message ?? error.message, error.message);
    return;
  }
  const answer = await ask();
  assert.deepEqual(answer.columns, one.expected.columns);
  const found = answer.toArrays().map((row) => row.map(cell));
  assert.equal(found.length, one.expected.rows.length, `\n${answer}`);
  found.forEach((row, at) => {
    assert.ok(same(row, one.expected.rows[at]), `row ${at}: ${JSON.stringify(row)}, expected ${JSON.stringify(one.expected.rows[at])}`);
  });
}

/** The fields of a spec under their names in JavaScript. */
function camel(value) {
  if (Array.isArray(value)) {
    return value.map(camel);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const name = (key) => key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [name(key), camel(item)]));
}

test("all vectors are found", () => {
  const areas = readdirSync(CONFORMANCE).filter((area) => !(area in INSIDE));
  assert.deepEqual(areas.sort(), ["behavior", "functions", "funnel", "metric"]);
  const count = (lists) => lists.reduce((sum, list) => sum + list.length, 0);
  const found = {
    metric: cases(METRIC).length,
    behavior: cases(BEHAVIOR).length,
    funnel: cases(FUNNEL).length,
    unreadable: FUNNEL[0].vector.unreadable.length,
    functions: count(Object.values(FUNCTIONS.cases)),
  };
  assert.deepEqual(found, { metric: 99, behavior: 97, funnel: 86, unreadable: 11, functions: 196 });
});

describe("metrics", () => {
  for (const { name, vector, one } of cases(METRIC)) {
    test(name, async () => {
      const registry = aura.Registry.parse(vector.registry);
      const events = await aura.events(ipc(vector));
      await check(() => events.metrics(camel(one.query), { registry }), one);
    });
  }
});

describe("analyses", () => {
  for (const { name, vector, one } of [...cases(BEHAVIOR), ...cases(FUNNEL)]) {
    test(name, async () => {
      const events = await aura.events(ipc(vector));
      await check(() => events.run(JSON.stringify(one.spec)), one);
      // The fields of specs by their names in JavaScript, through the method of the kind.
      const [[kind, fields]] = Object.entries(one.spec);
      await check(() => events[kind](camel(fields)), one);
    });
  }
});

describe("specs that cannot be read", () => {
  // The words are those of the form of registries, which only Rust reads these in.
  for (const { spec } of FUNNEL[0].vector.unreadable) {
    test(JSON.stringify(spec), async () => {
      const events = await aura.events(ROWS);
      await assert.rejects(events.run(JSON.stringify(spec)), (error) => {
        assert.ok(error instanceof aura.InvalidSpecError, error);
        assert.match(error.message, /^the analysis: /);
        return true;
      });
    });
  }
});

/** A moment as seconds, as these vectors write it. */
const seconds = (value) =>
  value instanceof Date ? value.getTime() / 1000 : Array.isArray(value) ? value.map(seconds) : value;

describe("functions of SQL", () => {
  for (const [data, rows] of Object.entries(FUNCTIONS.data)) {
    test(data, async () => {
      const text = rows.map((row) => JSON.stringify(row)).join("\n");
      const events = await aura.events(Buffer.from(text), { timeUnit: "seconds" });
      for (const one of FUNCTIONS.cases[data]) {
        const query = `SELECT actor, ${one.expression} AS x FROM events GROUP BY actor ORDER BY actor`;
        const found = (await events.sql(query)).toArrays();
        assert.deepEqual(found.map((row) => row.map(seconds)), one.expected, query);
      }
    });
  }
});
