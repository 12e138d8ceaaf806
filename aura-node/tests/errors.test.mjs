/** Errors: one class for each kind, with a stable code, in calls that answer at once and in those that are awaited. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, ROWS, aura, folder } from "./shared.mjs";

const CODES = new Map([
  [aura.InvalidSpecError, "INVALID_SPEC"],
  [aura.InvalidDataError, "INVALID_DATA"],
  [aura.NotFoundError, "NOT_FOUND"],
  [aura.ConflictError, "CONFLICT"],
  [aura.DeniedError, "DENIED"],
  [aura.UnavailableError, "UNAVAILABLE"],
  [aura.ResourceExhaustedError, "RESOURCE_EXHAUSTED"],
  [aura.CancelledError, "CANCELLED"],
  [aura.InternalError, "INTERNAL"],
]);

/** Expects an error of a class, whole: its code, its words, and that nothing of how it crossed is left. */
function whole(kind, words) {
  return (error) => {
    assert.ok(error instanceof kind, `${error?.stack}`);
    assert.ok(error instanceof aura.AuraError);
    assert.ok(error instanceof Error);
    assert.equal(error.code, CODES.get(kind));
    assert.equal(error.name, kind.name);
    assert.match(error.message, words);
    assert.doesNotMatch(error.message, /^aura:|\{"code"/);
    assert.ok(Array.isArray(error.causes));
    assert.match(error.stack, new RegExp(`^${kind.name}: `));
    return true;
  };
}

test("a class for each kind", () => {
  const text = readFileSync(join(ROOT, "aura-core", "src", "error.rs"), "utf8");
  assert.equal(CODES.size, Number(/pub const ALL: \[ErrorKind; (\d+)\]/.exec(text)[1]));
  for (const [kind, code] of CODES) {
    const error = new kind("why", { causes: ["because"], cause: 7 });
    assert.equal(error.code, code);
    assert.ok(text.includes(`"${code}"`));
    assert.equal(String(error), `${kind.name}: why`);
    assert.deepEqual([error.causes, error.cause], [["because"], 7]);
  }
  assert.equal(new aura.AuraError("x").code, "UNKNOWN");
});

test("calls that are awaited reject with the class and the code", async (t) => {
  const path = folder(t);
  const events = await aura.events(ROWS);
  await assert.rejects(events.sql("SELECT nosuch FROM events"), whole(aura.InvalidSpecError, /nosuch/));
  await assert.rejects(events.run({ funnel: { stepz: [] } }), whole(aura.InvalidSpecError, /unknown field `stepz`/));
  await assert.rejects(events.runAll([{ sessions: {} }, { funnel: { steps: ["a"] } }]), whole(aura.InvalidSpecError, /analyses\[1\]/));
  await assert.rejects(events.run("{"), whole(aura.InvalidSpecError, /line 1 column/));
  await assert.rejects(events.metrics({ metrics: "nosuch" }), whole(aura.InvalidSpecError, /nosuch/));
  await assert.rejects(events.explainMetrics({ metrics: [] }), whole(aura.InvalidSpecError, /metric/));
  await assert.rejects(events.insights({ limit: 0 }), whole(aura.InvalidSpecError, /limit/));
  await assert.rejects(events.report({ language: "fr" }), whole(aura.InvalidSpecError, /fr/));
  await assert.rejects(aura.open(join(path, "none.aura"), { create: false }), whole(aura.NotFoundError, /none\.aura/));
  await assert.rejects(aura.events(join(path, "none.csv")), whole(aura.NotFoundError, /none\.csv/));
  await assert.rejects(aura.events(Uint8Array.of(0, 1)), whole(aura.InvalidDataError, /./));
  await assert.rejects(aura.events(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1)), whole(aura.InvalidDataError, /Arrow IPC/));
  await assert.rejects(aura.Registry.load(join(path, "none.yaml")), whole(aura.NotFoundError, /none\.yaml/));
  await assert.rejects(aura.Contract.load(join(path, "none.yaml")), whole(aura.NotFoundError, /none\.yaml/));
  const names = Array.from({ length: 20_000 }, (_, n) => ({ actor: `${n}`, event: `${n}`, time: n }));
  const small = await aura.events(await (await (await aura.events(names)).sql("SELECT * FROM events")).toIPC(), {
    memoryLimit: 100_000,
  });
  await assert.rejects(
    small.sql("SELECT array_agg(actor ORDER BY time) AS a FROM events GROUP BY length(event)"),
    whole(aura.ResourceExhaustedError, /./),
  );
  const store = await aura.open(join(path, "a.aura"));
  await store.close();
  await store.close();
  assert.ok(store.closed);
  const calls = [
    () => store.stats(),
    () => store.events(),
    () => store.flush(),
    () => store.ingest(ROWS),
    () => store.append(ROWS),
  ];
  // One after the other: a promise that nobody waits for yet would be an unhandled rejection.
  for (const ask of calls) {
    await assert.rejects(ask(), whole(aura.ConflictError, /closed/));
  }
  await assert.rejects(aura.open(join(path, "a.aura"), { settings: { partition: "century" } }), whole(aura.InvalidSpecError, /century/));
});

test("calls that answer at once throw the class and the code", async (t) => {
  assert.throws(() => aura.Registry.parse("{version: 1, metrics: [{name: a}]}"), whole(aura.InvalidSpecError, /line 1/));
  assert.throws(() => aura.Contract.parse("{"), whole(aura.InvalidSpecError, /./));
  assert.throws(() => aura.Report.from({ nosuch: 1 }), whole(aura.InvalidSpecError, /nosuch/));
  assert.throws(() => aura.chartSvg({ nosuch: {} }), whole(aura.InvalidSpecError, /nosuch/));
  const registry = aura.Registry.builtin();
  assert.throws(() => registry.toSql({ metrics: "active_actors" }, "events", "oracle"), whole(aura.InvalidSpecError, /oracle/));
  const store = await aura.open(join(folder(t), "a.aura"));
  await store.close();
  assert.throws(() => store.settings, whole(aura.ConflictError, /closed/));
});

test("causes are told in their own words", async (t) => {
  await assert.rejects(aura.Registry.load(join(folder(t), "none.yaml")), (error) => {
    assert.match(error.causes[0], /os error 2/);
    return true;
  });
});

test("what is of no usable type is a TypeError", async () => {
  const store = await aura.openMemory();
  for (const wrong of [42, null, undefined, Symbol("x"), { actor: "a" }, [1, 2]]) {
    await assert.rejects(aura.events(wrong), { name: "TypeError", message: /expected a table/ });
    await assert.rejects(async () => store.ingest(wrong), { name: "TypeError", message: /expected a path/ });
    await assert.rejects(store.append(wrong), { name: "TypeError", message: /expected a table/ });
  }
  await assert.rejects(aura.events([{ actor: "a", event: "e", time: 0, n: 2n ** 60n }]), { name: "TypeError", message: /`n`/ });
  await assert.rejects(aura.events([{ actor: "a", event: "e", time: 0, n: () => 1 }]), { name: "TypeError", message: /`n`/ });
  await assert.rejects(aura.events([{ actor: "a", event: "e", time: 0, n: NaN }]), whole(aura.InvalidDataError, /as null/));
  const events = await aura.events(ROWS);
  await assert.rejects(events.sql(42), { name: "TypeError", message: /String/ });
  await assert.rejects(store.erase({}), { name: "TypeError", message: /String/ });
  assert.throws(() => aura.Registry.parse(42), { name: "TypeError" });
  assert.throws(() => aura.Registry.builtin().compare({ _native: {} }), TypeError);
  await store.close();
});
