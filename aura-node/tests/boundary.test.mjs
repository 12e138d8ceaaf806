/** Tables that cross into AURA and out of it. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import * as arrow from "apache-arrow";
import { fromArrow, toArrow } from "aura-analytics/arrow";

import { COUNT, ROWS, aura, folder } from "./shared.mjs";

const START = 1_767_225_600_000_000n;
const NAMES = ["ann", "bob", null, "ann", "cat", "bob"];
const EVENTS = ["view", "buy", "view", "view", "buy", "view"];

function column(values, type) {
  const builder = arrow.makeBuilder({ type, nullValues: [null, undefined] });
  for (const value of values) {
    builder.append(value);
  }
  return builder.finish().toVector();
}

/** Six events; `actor` has the type. */
function table(type = new arrow.Utf8(), more = {}) {
  return new arrow.Table({
    actor: column(NAMES, type),
    event: column(EVENTS, new arrow.Utf8()),
    time: column(NAMES.map((_, at) => (START + BigInt(at)) / 1000n), new arrow.TimestampMillisecond("UTC")),
    ...more,
  });
}

async function ask(data) {
  const events = await aura.events(data);
  const counted = await events.sql(
    "SELECT event, count(*) AS n FROM events WHERE actor IS NOT NULL GROUP BY event ORDER BY event",
  );
  assert.deepEqual(counted.columns, ["event", "n"]);
  return counted.toArrays();
}

const KINDS = {
  text: () => new arrow.Utf8(),
  "large text": () => new arrow.LargeUtf8(),
  "dictionary of 32 bits": () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
  "dictionary of 8 bits": () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
};

describe("text of every kind", () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    test(name, async () => {
      const whole = table(kind());
      assert.deepEqual(await ask(fromArrow(whole)), [["buy", 2], ["view", 3]]);
      // Sliced, and in pieces, an empty one among them.
      assert.deepEqual(await ask(fromArrow(whole.slice(1, 5))), [["buy", 2], ["view", 1]]);
      const pieces = whole.slice(0, 2).concat(whole.slice(2, 2), whole.slice(2, 5), whole.slice(5));
      assert.deepEqual(await ask(fromArrow(pieces)), [["buy", 2], ["view", 3]]);
      // A file is the same as a stream.
      assert.deepEqual(await ask(arrow.tableToIPC(whole, "file")), [["buy", 2], ["view", 3]]);
      // All events are at one moment: the tie is in favour of the funnel.
      const events = await aura.events(fromArrow(whole));
      assert.deepEqual((await events.sessions({ gap: "30m" })).column("actors"), [3]);
      assert.equal((await events.sql(COUNT)).column("n")[0], 6);
    });
  }
});

test("views and runs come in, go out as they are, and plain for other libraries", async () => {
  const events = await aura.events(fromArrow(table()));
  const views = await events.sql("SELECT arrow_cast(event, 'Utf8View') AS event, time FROM events ORDER BY event, time LIMIT 2");
  assert.equal(views.types.event, "Utf8View");
  assert.deepEqual(views.column("event"), ["buy", "buy"]);
  // What came out goes in again.
  const again = await aura.events(await (await events.sql("SELECT actor, arrow_cast(event, 'Utf8View') AS event, time FROM events")).toIPC());
  assert.deepEqual((await again.sql(COUNT)).column("n"), [6]);
  assert.equal((await toArrow(views)).schema.fields[0].type.toString(), "Utf8");
});

test("an empty table keeps its schema", async () => {
  const none = table().slice(0, 0);
  assert.deepEqual(await ask(fromArrow(none)), []);
  const events = await aura.events(fromArrow(none));
  const answer = await events.sql("SELECT * FROM events");
  assert.equal(answer.numRows, 0);
  assert.deepEqual(answer.rows(), []);
  assert.deepEqual(answer.column("actor"), []);
  const back = await toArrow(answer);
  assert.equal(back.numRows, 0);
  assert.deepEqual(back.schema.fields.map((field) => `${field.name}: ${field.type}`), [
    "actor: Utf8",
    "event: Utf8",
    "time: Timestamp<MICROSECOND, UTC>",
  ]);
  // A stream that is a schema and nothing else, and the exact bytes.
  const exact = arrow.tableFromIPC(await answer.toIPC());
  assert.deepEqual(exact.schema.fields.map((field) => field.name), ["actor", "event", "time"]);
  assert.deepEqual((await aura.events(await answer.toIPC())).columns, events.columns);
  const funnel = await events.funnel({ steps: ["view", "buy"], by: "actor" });
  assert.equal(funnel.numRows, 0);
  assert.ok((await toArrow(funnel)).schema.fields.length > 5);
});

test("columns of nulls, nested columns, and values of every type", async () => {
  const nested = new arrow.Struct([
    new arrow.Field("a", new arrow.Int32(), true),
    new arrow.Field("b", new arrow.List(new arrow.Field("item", new arrow.Utf8(), true)), true),
  ]);
  const one = (value, type) => column(Array(6).fill(value), type);
  const data = table(new arrow.Utf8(), {
    nothing: arrow.vectorFromArray(Array(6).fill(null), new arrow.Null()),
    small: one(-1, new arrow.Int8()),
    safe: one(2n ** 53n - 1n, new arrow.Int64()),
    large: one(2n ** 53n, new arrow.Int64()),
    huge: one(2n ** 64n - 1n, new arrow.Uint64()),
    half: one(0.5, new arrow.Float32()),
    flag: one(true, new arrow.Bool()),
    bytes: one(Uint8Array.of(0, 255), new arrow.Binary()),
    list: one(["x", null], new arrow.List(new arrow.Field("item", new arrow.Utf8(), true))),
    object: one({ a: 1, b: ["y"] }, nested),
    code: one("z", new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
  });
  const events = await aura.events(fromArrow(data));
  const answer = await events.sql(
    `SELECT nothing, small, safe, large, huge, half, flag, bytes, list, object, code,
       arrow_cast(86399, 'Date32') AS day, to_timestamp_nanos(-1) AS early, arrow_cast(9000000000000000000, 'Timestamp(Second, None)') AS far,
       arrow_cast(1500, 'Duration(Microsecond)') AS length, arrow_cast(1.5, 'Decimal128(10, 2)') AS decimal,
       arrow_cast('NaN', 'Float64') AS nan
     FROM events LIMIT 1`,
  );
  const [row] = answer.rows();
  assert.ok(typeof row.far === "string" && row.far.length > 0);
  delete row.far;
  assert.deepEqual({ ...row, bytes: [...row.bytes] }, {
    nothing: null,
    small: -1,
    safe: 2 ** 53 - 1,
    large: 2n ** 53n,
    huge: 2n ** 64n - 1n,
    half: 0.5,
    flag: true,
    bytes: [0, 255],
    list: ["x", null],
    object: { a: 1, b: ["y"] },
    code: "z",
    day: new Date(Date.UTC(1970, 0, 1) + 86399 * 86_400_000),
    // Moments are cut, also those before 1970.
    early: new Date(-1),
    length: 1.5,
    decimal: "1.50",
    nan: NaN,
  });
  assert.ok(row.bytes instanceof Uint8Array);
  const back = await toArrow(answer);
  assert.equal(back.getChild("large").get(0), 2n ** 53n);
  assert.equal(back.getChild("object").get(0).toJSON().a, 1);
});

test("a result is what its tables are", async () => {
  const events = await aura.events(ROWS);
  const answer = await events.sql("SELECT event, amount, time FROM events ORDER BY time");
  const back = await toArrow(answer);
  assert.deepEqual(back.toArray().map((row) => row.toJSON().event), answer.column("event"));
  // The same table is the same bytes.
  const again = await events.sql("SELECT event, amount, time FROM events ORDER BY time");
  assert.deepEqual(Buffer.from(await again.toIPC()), Buffer.from(await answer.toIPC()));
  // A result is events.
  const taken = await aura.events(await events.sql("SELECT actor, event, time FROM events"));
  assert.deepEqual((await taken.sql(COUNT)).column("n"), [4]);
});

test("bytes are copied before the call returns", async () => {
  const bytes = fromArrow(table());
  const taken = aura.events(bytes);
  bytes.fill(0);
  assert.deepEqual((await (await taken).sql(COUNT)).column("n"), [6]);
  // A view into a larger buffer, and one over memory that is shared.
  const whole = fromArrow(table());
  const inside = new Uint8Array(whole.length + 7);
  inside.set(whole, 7);
  assert.deepEqual(await ask(inside.subarray(7)), await ask(whole));
  // A buffer whose memory was given away has nothing in it.
  const gone = new Uint8Array(whole);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await assert.rejects(aura.events(gone), aura.InvalidDataError);
});

test("bytes that are no table, cut and damaged", async () => {
  const whole = fromArrow(table());
  for (let at = 8; at < whole.length - 8; at += 61) {
    await aura.events(whole.slice(0, at)).then(
      (events) => assert.ok(events.columns.actor),
      (error) => assert.ok(error instanceof aura.AuraError, error),
    );
    const wrong = whole.slice();
    wrong[at] ^= 0x5a;
    await aura.events(wrong).then(
      (events) => assert.ok(events.columns.time),
      (error) => assert.ok(error instanceof aura.AuraError, error),
    );
  }
  const column = arrow.tableToIPC(new arrow.Table({ x: arrow.vectorFromArray([1, 2], new arrow.Int32()) }), "stream");
  await assert.rejects(aura.events(column), aura.InvalidSpecError);
});

test("types of roles", async () => {
  const data = fromArrow(table());
  await assert.rejects(aura.events(data, { actor: "nobody" }), { code: "INVALID_SPEC", message: /nobody/ });
  const flags = table().assign(new arrow.Table({ time: column(Array(6).fill(true), new arrow.Bool()) }));
  await assert.rejects(aura.events(fromArrow(flags)), { message: /time/ });
  const naive = table().assign(
    new arrow.Table({ time: column(NAMES.map(() => START / 1000n), new arrow.TimestampMillisecond()) }),
  );
  await assert.rejects(aura.events(fromArrow(naive)), { code: "INVALID_SPEC", message: /zone/ });
  const berlin = await aura.events(fromArrow(naive), { timeZone: "Europe/Berlin" });
  assert.deepEqual((await berlin.sql("SELECT min(time) AS t FROM events")).column("t"), [new Date("2025-12-31T23:00:00Z")]);
});

test("rows, paths, URLs and bytes", async (t) => {
  const path = folder(t);
  const text = ROWS.map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(join(path, "a.ndjson"), text);
  writeFileSync(join(path, "b.ndjson"), text.replaceAll("ann", "eve"));
  const count = async (data, options) => (await (await aura.events(data, options)).sql(COUNT)).column("n")[0];
  assert.equal(await count(join(path, "a.ndjson")), 4);
  assert.equal(await count(pathToFileURL(join(path, "a.ndjson"))), 4);
  assert.equal(await count(join(path, "*.ndjson")), 8);
  assert.equal(await count(Buffer.from(text)), 4);
  const dated = ROWS.map((row) => ({ ...row, time: new Date(row.time) }));
  assert.equal(await count(dated), 4);
  assert.equal(await count([{ who: "a", what: "e", at: 1 }], { actor: "who", event: "what", time: "at", timeUnit: "seconds" }), 1);
  assert.equal(await count([{ who: "a", at: 1 }], { actor: "who", eventName: "seen", time: "at" }), 1);
  await assert.rejects(aura.events([]), aura.InvalidDataError);
});
