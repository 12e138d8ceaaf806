/** Questions: specs, methods, metrics, insights, reports. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { test } from "node:test";

import * as arrow from "apache-arrow";

import { ROOT, ROWS, aura, folder } from "./shared.mjs";

test("fields have names of JavaScript, one name is a list, moments are dates", async () => {
  const events = await aura.events(ROWS);
  const spec = {
    steps: ["view", { event: "buy", within: "2 days" }],
    by: "plan",
    from: new Date("2026-01-01T00:00:00Z"),
    to: "2026-02-01",
    timeZone: "Europe/Berlin",
    weekStart: "sunday",
  };
  const table = await events.funnel(spec);
  assert.deepEqual(table.column("plan"), ["free", "free", "pro", "pro"]);
  assert.deepEqual(table.column("count"), [1, 1, 1, 0]);
  for (const same of [{ funnel: { ...spec, by: ["plan"] } }, JSON.stringify({ funnel: { steps: spec.steps, by: ["plan"] } })]) {
    assert.deepEqual((await events.run(same)).rows(), table.rows());
  }
  const later = await events.funnel({ steps: ["view", "buy"], from: new Date("2026-01-05T08:30:00Z") });
  assert.deepEqual(later.column("count"), [1, 0]);
  // A spec is not changed by asking.
  assert.equal(spec.by, "plan");
});

test("every method asks its question", async () => {
  const events = await aura.events(ROWS);
  const asked = {
    funnel: { steps: ["view", "buy"] },
    sequence: { pattern: "(?1)", events: ["view"] },
    retention: { period: "day" },
    sessions: { gap: "30m" },
    stickiness: {},
    lifecycle: { period: "day" },
  };
  const kinds = Object.getOwnPropertyNames(Object.getPrototypeOf(aura.Events.prototype)).filter((name) => name !== "constructor");
  assert.deepEqual(kinds.sort(), Object.keys(asked).sort());
  for (const [kind, spec] of Object.entries(asked)) {
    const table = await events[kind](spec);
    assert.ok(table.columns.length > 0);
    assert.deepEqual((await events.run({ [kind]: spec })).toArrays(), table.toArrays());
  }
  for (const kind of ["retention", "sessions", "stickiness", "lifecycle"]) {
    assert.ok(await events[kind]());
  }
});

test("many in one pass", async () => {
  const events = await aura.events(ROWS);
  const specs = [{ sessions: { gap: "30m" } }, '{"lifecycle": {"period": "day"}}', { stickiness: {} }];
  const tables = await events.runAll(specs);
  for (const [at, table] of tables.entries()) {
    assert.deepEqual(table.toArrays(), (await events.run(specs[at])).toArrays());
  }
  assert.deepEqual(await events.runAll([]), []);
});

test("metrics", async () => {
  const events = await aura.events(ROWS);
  assert.deepEqual((await events.metrics({ metrics: "active_actors", grain: "day" })).column("active_actors"), [2, 1, 1]);
  const own = aura.Registry.parse("{version: 1, metrics: [{name: spent, kind: simple, expr: sum(amount)}]}");
  assert.deepEqual(own.names, ["spent"]);
  const table = await events.metrics({ metrics: ["spent"], by: "event", grain: "week" }, { registry: own });
  assert.equal(table.rows()[0].spent, 2.5);
  assert.equal((await events.metrics('{"metrics": ["spent"], "grain": "week"}', { registry: own })).rows()[0].spent, 2.5);
  assert.match(await events.explainMetrics({ metrics: "spent" }, { registry: own }), /sum/i);
  const query = { metrics: "spent", from: "2026-01-01", to: new Date("2026-02-01T00:00:00Z") };
  assert.match(own.toSql(query, "shop.events", "duckdb"), /"shop"\."events"/);
  assert.match(own.toSql(query, { table: ["shop", "events"], time: "at" }, "postgresql"), /"at"/);
  await assert.rejects(events.metrics({ metrics: "active_actor" }), { code: "INVALID_SPEC", message: /active_actors/ });
});

test("registries", async (t) => {
  const text = "{version: 1, metrics: [{name: a, kind: simple, expr: count(*)}]}";
  const own = aura.Registry.parse(text);
  const path = join(folder(t), "metrics.yaml");
  writeFileSync(path, own.toYaml());
  const again = await aura.Registry.load(path);
  assert.deepEqual(again.toJSON(), own.toJSON());
  assert.equal(JSON.parse(JSON.stringify(own)).metrics[0].name, "a");
  assert.equal(own.version, 1);
  assert.match(own.reference("Ours"), /^# Ours/);
  const newer = aura.Registry.parse(text.replace("name: a", "name: b"));
  assert.deepEqual(own.compare(own), []);
  assert.deepEqual(Object.keys(own.compare(newer)[0]), ["path", "compatibility", "why"]);
  assert.deepEqual(own.merge(newer).names, ["a", "b"]);
  assert.deepEqual(own.extend("{version: 1, metrics: [{name: twice, kind: derived, expr: '2 * {a}'}]}").names, ["a", "twice"]);
  assert.equal(aura.Registry.builtin(), aura.Registry.builtin());
  assert.deepEqual(aura.Registry.builtin({}).names, aura.Registry.builtin().names);
});

/** 60 days with about 20 events each, and twice as many from the 40th day on. */
const jump = () =>
  Array.from({ length: 60 }, (_, day) =>
    Array.from({ length: (day < 40 ? 20 : 40) + ((day * 7) % 5) }, (_, at) => ({
      actor: "a",
      event: "view",
      time: new Date(Date.UTC(2026, 0, 1 + day, 0, at)),
    })),
  ).flat();

const VIEWS = "{version: 1, metrics: [{name: views, title: {en: Views, ru: Просмотры}, kind: simple, expr: count(*)}]}";

test("insights", async () => {
  const events = await aura.events(jump());
  const registry = aura.Registry.parse(VIEWS);
  const found = await events.insights({}, { registry });
  const [first] = found.findings;
  assert.equal(first.sentence.en, "Views have been 91% higher since February 10, 2026 (19\u{a0}days): 42 a day instead of 22.");
  assert.equal(first.status, "new");
  assert.ok(found.asOf && found.tests > 0);
  // The spec behind the numbers is in the JSON form, and can be asked.
  const spec = JSON.stringify(first.evidence.spec);
  assert.match(spec, /"metrics":\["views"\]/);
  assert.ok((await events.metrics(spec, { registry })).numRows > 0);
  // What was found goes back in.
  const next = await events.insights({ previous: found, falseDiscoveryRate: 0.02, by: [] }, { registry });
  assert.equal(next.findings[0].status, "ongoing");
});

test("reports and charts", async () => {
  const events = await aura.events(jump());
  const registry = aura.Registry.parse(VIEWS);
  const report = await events.report(
    {
      title: "Неделя",
      language: "ru",
      sections: [
        { title: "Активность", show: { metrics: { metrics: "views", grain: "week", weekStart: "sunday" } } },
        { show: { analysis: { sessions: { gap: "30m", by: "event" } } } },
        { show: { findings: { by: [] } } },
      ],
    },
    { registry },
  );
  const html = await report.toHtml();
  assert.match(html, /<h1>Неделя<\/h1>/);
  assert.doesNotMatch(html, /<script/);
  assert.match(await report.toMarkdown({ maxRows: 3 }), /^# Неделя/);
  assert.match(await report.toHtml({ theme: { font: "Georgia" } }), /Georgia/);
  await assert.rejects(report.toHtml({ theme: { font: "a;b" } }), aura.InvalidSpecError);
  // A report is a value.
  const value = JSON.parse(JSON.stringify(report));
  assert.equal(await aura.Report.from(value).toHtml(), html);
  const { chart } = value.sections.flatMap(({ blocks }) => blocks).find((block) => block.figure).figure;
  assert.match(aura.chartSvg(chart), /^<svg /);
  assert.match(aura.chartSvg(chart, "ru"), /^<svg /);
  assert.match(aura.chartVegaLite(chart).$schema, /vega-lite/);
  assert.match(await (await events.report()).toMarkdown(), /^# Report/);
});

test("the parts of a table", async () => {
  const events = await aura.events(ROWS);
  const table = await events.sql("SELECT event, count(*) AS n FROM events GROUP BY event ORDER BY n DESC, event");
  assert.equal(table.numRows, 3);
  assert.deepEqual(table.columns, ["event", "n"]);
  assert.deepEqual(table.types, { event: "Utf8", n: "Int64" });
  assert.deepEqual(table.toArrays(), [["view", 2], ["buy", 1], ["leave", 1]]);
  assert.deepEqual(table.rows({ limit: 1 }), [{ event: "view", n: 2 }]);
  assert.deepEqual(table.rows({ limit: 0 }), []);
  assert.deepEqual([...table].map((row) => row.n), [2, 1, 1]);
  assert.deepEqual(table.notes, []);
  assert.deepEqual(table.scan, { filesTotal: 0, filesRead: 0, bytesRead: 0 });
  assert.throws(() => table.column("m"), { name: "RangeError", message: "no column 'm'; there are event, n" });
  assert.throws(() => table.rows({ limit: -1 }), RangeError);
  assert.match(inspect(table), /^\+-/);
  const funnel = await events.funnel({ steps: ["view", "buy"] });
  assert.match(String(funnel), /note: fewer than 30/);
  const joined = await events.sql("SELECT a.actor FROM events a, events b, events c");
  assert.match(String(joined), /44 more of 64 rows/);
});

test("a table as files of other tools", async () => {
  const events = await aura.events([{ actor: "=1+1", event: "view", time: 0 }]);
  const table = await events.sql("SELECT actor, 1 AS n FROM events");
  const text = async (...how) => Buffer.from(await table.export(...how)).toString();
  assert.equal(await text("csv"), "actor,n\r\n'=1+1,1\r\n");
  assert.equal(await text("csv", { csv: { delimiter: ";", guardFormulas: false } }), "actor;n\r\n=1+1;1\r\n");
  assert.deepEqual(JSON.parse(await text("json")), [{ actor: "=1+1", n: 1 }]);
  assert.equal(await text("ndjson"), '{"actor":"=1+1","n":1}\n');
  assert.equal((await table.export("parquet")).subarray(0, 4).toString(), "PAR1");
  assert.equal((await table.export("xlsx")).subarray(0, 2).toString(), "PK");
  assert.equal(arrow.tableFromIPC(await table.export("arrow_ipc")).numRows, 1);
  await assert.rejects(table.export("pdf"), aura.InvalidSpecError);
  await assert.rejects(table.export("json", { csv: {} }), aura.InvalidSpecError);
});

test("what was read is told", async (t) => {
  const path = join(folder(t), "a.parquet");
  const events = await aura.events(ROWS);
  writeFileSync(path, await (await events.sql("SELECT actor, event, time FROM events")).export("parquet"));
  const { scan } = await (await aura.events(path)).sql("SELECT actor FROM events");
  assert.ok(scan.bytesRead > 0);
});

test("the metrics that come with AURA are those of its page", () => {
  const page = readFileSync(join(ROOT, "docs", "metrics", "reference.md"), "utf8");
  for (const name of aura.Registry.builtin().names) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
});
