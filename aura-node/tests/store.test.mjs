/** The store. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import * as arrow from "apache-arrow";
import { fromArrow } from "aura-analytics/arrow";

import { COUNT, ROWS, aura, folder } from "./shared.mjs";

const count = async (events) => (await events.sql(COUNT)).column("n")[0];

test("the life of a store", async (t) => {
  const path = join(folder(t), "my.aura");
  const db = await aura.open(path, { settings: { background: false, partition: "day" } });
  const report = await db.ingest(ROWS, { name: "four" });
  assert.deepEqual([report.read, report.accepted, report.rejected, report.duplicate], [4, 4, 0, 0]);
  assert.deepEqual(report.columnsAdded, ["plan", "amount"]);
  assert.equal((await db.ingest(ROWS)).duplicate, 4);
  const more = await db.append([{ actor: "cat", event: "view", time: "2026-01-08T00:00:00Z" }]);
  assert.deepEqual([more.accepted, more.snapshot], [1, null]);
  assert.equal((await db.stats()).stagedEvents, 1);
  assert.equal(await db.flush(), 1);
  assert.equal((await db.stats()).partitions, 4);
  assert.ok((await db.compact()).filesAfter > 0);
  assert.equal(await count(await db.events()), 5);
  const [, first] = await db.snapshots();
  assert.ok(first.time instanceof Date);
  assert.equal(await count(await db.snapshot({ id: first.id })), 0);
  assert.equal(await count(await db.snapshot({ time: new Date() })), 5);
  await assert.rejects(db.snapshot({ id: 10_000 }), aura.NotFoundError);
  assert.ok((await db.erase("bob")).events >= 2);
  assert.equal((await db.expire(new Date("2026-01-07T00:00:00Z"))).events, 2);
  await assert.rejects(db.expire(new Date("never")), RangeError);
  assert.ok((await db.expireSnapshots(new Date("2030-01-01T00:00:00Z"))) > 0);
  const stats = await db.stats();
  assert.equal(stats.events, 1);
  assert.deepEqual(stats.timeMin, new Date("2026-01-08T00:00:00Z"));
  assert.equal(db.settings.partition, "day");
  const events = await db.events();
  await db.close();
  assert.ok(db.closed);
  // What was taken before stays usable.
  assert.equal(await count(events), 1);
  const again = await aura.open(path, { create: false });
  assert.deepEqual((await (await again.events()).sessions()).column("events"), [1]);
  await again[Symbol.asyncDispose]();
  assert.ok(again.closed);
  await assert.rejects(aura.open(path, { settings: { partitions: "year" } }), { message: /unknown field `partitions`/ });
});

test("sources", async (t) => {
  const path = folder(t);
  const text = ROWS.map((row) => JSON.stringify(row)).join("\n");
  const file = join(path, "a.ndjson");
  writeFileSync(file, text);
  const db = await aura.openMemory();
  assert.equal((await db.ingest(file)).accepted, 4);
  // The same rows from elsewhere are the same events: they are known by the content of their source.
  assert.equal((await db.ingest(Buffer.from(text), { name: "bytes" })).duplicate, 4);
  assert.equal((await db.ingest(createReadStream(file))).duplicate, 4);
  assert.equal((await db.ingest(createReadStream(file, { encoding: "utf8", highWaterMark: 7 }))).duplicate, 4);
  assert.equal((await db.ingest(Readable.from([gzipSync(text)]))).duplicate, 4);
  assert.equal((await db.ingest(new Blob([text]).stream())).duplicate, 4);
  const pieces = async function* () {
    for (let at = 0; at < text.length; at += 10) {
      yield text.slice(at, at + 10);
    }
  };
  assert.equal((await db.ingest(pieces())).duplicate, 4);
  const moments = arrow.vectorFromArray([1, 2], new arrow.TimestampMillisecond("UTC"));
  const names = (values) => arrow.vectorFromArray(values, new arrow.Utf8());
  const table = fromArrow(new arrow.Table({ who: names(["a", "b"]), what: names(["e", "e"]), at: moments }));
  const roles = { actor: "who", event: "what", time: "at" };
  assert.equal((await db.ingest(table, roles)).accepted, 2);
  assert.equal((await db.append(table, roles)).read, 2);
  const events = await db.events();
  assert.equal((await db.append(await events.sql("SELECT * FROM events WHERE actor = 'nobody'"))).read, 0);
  assert.equal((await db.ingest(await events.sql("SELECT actor, event, time FROM events WHERE actor = 'a'"))).read, 1);
  await db.close();
});

test("a stream that breaks keeps nothing, and tells why", async () => {
  const db = await aura.openMemory();
  const broke = new Error("the line broke");
  const broken = async function* () {
    yield '{"actor": "a", "event": "e", "time": 1}\n';
    throw broke;
  };
  await assert.rejects(db.ingest(broken()), (error) => {
    assert.ok(error instanceof aura.AuraError, error);
    assert.match(error.message, /the line broke/);
    assert.equal(error.cause, broke);
    return true;
  });
  const wrong = async function* () {
    yield 42;
  };
  await assert.rejects(db.ingest(wrong()), /pieces of the type `number`/);
  assert.equal((await db.stats()).events, 0);
  // A stream that nobody reads any more is let go.
  const stream = new Readable({ read() {} });
  stream.push("\x00\x01not a table");
  const [failed] = await Promise.allSettled([db.ingest(stream, { format: "parquet", signal: AbortSignal.timeout(300) })]);
  assert.equal(failed.status, "rejected");
  assert.ok(stream.destroyed);
  await db.close();
});

test("rejects and contracts", async (t) => {
  const text =
    "{name: shop, version: 1, undeclared_events: quarantine, events: {view: {properties: {n: {type: integer, required: true}}}}}";
  const contract = aura.Contract.parse(text);
  assert.deepEqual([contract.name, contract.version], ["shop", 1]);
  assert.deepEqual(aura.Contract.parse(contract.toYaml()).toJSON(), contract.toJSON());
  const path = join(folder(t), "shop.yaml");
  writeFileSync(path, text);
  assert.deepEqual((await aura.Contract.load(path)).toJSON(), contract.toJSON());
  const db = await aura.openMemory();
  const good = { actor: "a", event: "view", time: 0, n: 1 };
  const report = await db.ingest([good, { ...good, n: null }, { ...good, event: "other" }], { contract });
  assert.deepEqual([report.accepted, report.rejected], [1, 2]);
  assert.deepEqual(report.rejectedByReason, { contract: 2 });
  const [reject] = report.rejects;
  assert.deepEqual(Object.keys(reject).sort(), ["field", "message", "original", "originalLen", "reason", "row", "source"]);
  assert.equal(reject.row, 2);
  assert.match(Buffer.from(reject.original).toString(), /"n":null/);
  assert.deepEqual((await db.quarantine()).column("reason"), ["contract", "contract"]);
  const table = await (await db.events()).sql("SELECT actor, event, time, n FROM events");
  assert.ok("view" in (await aura.Contract.infer("found", table)).toJSON().events);
  const changed = aura.Contract.parse(contract.toYaml().replace("required: true", "required: false"));
  assert.ok(contract.compare(changed).length > 0);
  await assert.rejects(db.ingest([good], { limits: { maxRowBytes: 0 } }), { code: "INVALID_SPEC", message: /max_row_bytes/ });
  const appended = await db.append([{ ...good, n: null }], { contract });
  assert.equal(appended.rejected, 1);
  await db.close();
});

const lines = (rows) => Buffer.from(Array.from({ length: rows }, (_, i) => `{"actor":"u${i % 100}","event":"view","time":${i}}`).join("\n"));

test("progress", async () => {
  const content = lines(20_000);
  const db = await aura.openMemory();
  const run = db.ingest(content, { limits: { blockBytes: 50_000 } });
  const told = [];
  for await (const progress of run) {
    told.push(progress);
  }
  const report = await run;
  assert.deepEqual(told.at(-1), { bytesRead: content.length, bytesTotal: content.length, rowsRead: report.read, rejected: 0 });
  assert.deepEqual(told.map(({ rowsRead }) => rowsRead), told.map(({ rowsRead }) => rowsRead).sort((a, b) => a - b));
  // Leaving the loop does not end the ingest.
  const left = db.ingest(lines(20_001), { limits: { blockBytes: 50_000 } });
  for await (const progress of left) {
    assert.ok(progress.rowsRead >= 0);
    break;
  }
  assert.equal((await left).read, 20_001);
  // Whoever iterates is told what went wrong, once, whenever that was.
  for (const [source, options] of [["nowhere/*.csv"], [lines(1), { actor: "nosuch" }], [42]]) {
    await assert.rejects(async () => {
      for await (const progress of db.ingest(source, options)) {
        assert.ok(progress);
      }
    });
  }
  assert.equal(await db.ingest("nowhere.csv").catch((error) => error.code), "NOT_FOUND");
  let settled = false;
  await db.ingest(lines(1)).finally(() => (settled = true));
  assert.ok(settled);
  await db.close();
});

test("an ingest that nobody waits for says that it failed", () => {
  const script = `
    import { openMemory } from "aura-analytics";
    const db = await openMemory();
    process.on("unhandledRejection", (error) => { console.log(error.code); process.exit(7); });
    db.ingest("nowhere.csv");
    await new Promise((done) => setTimeout(done, 5000));
  `;
  const run = () => execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname, encoding: "utf8" });
  assert.throws(run, (error) => error.status === 7 && error.stdout.trim() === "NOT_FOUND");
});

test("git", async (t) => {
  const path = folder(t);
  const names = { GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@x.org", GIT_COMMITTER_NAME: "A", GIT_COMMITTER_EMAIL: "a@x.org" };
  const git = (...args) => execFileSync("git", args, { cwd: path, env: { ...process.env, ...names } });
  git("init", "-q");
  writeFileSync(join(path, "a.txt"), "one\n");
  git("add", "a.txt");
  git("commit", "-qm", "first");
  const db = await aura.openMemory();
  assert.equal((await db.ingestGit(path, { repo: "mine" })).accepted, 1);
  const events = await db.events();
  assert.deepEqual((await events.sql("SELECT actor, event, repo FROM events")).toArrays(), [["a@x.org", "commit", "mine"]]);
  await assert.rejects(db.ingestGit(join(path, "nowhere")), aura.AuraError);
  await assert.rejects(db.ingestGit(path, { repos: "x" }), aura.InvalidSpecError);
  await db.close();
});

test("files of a folder", async (t) => {
  const path = folder(t);
  mkdirSync(join(path, "in"));
  for (const name of ["a", "b"]) {
    writeFileSync(join(path, "in", `${name}.ndjson`), `{"actor":"${name}","event":"e","time":1}\n`);
  }
  const db = await aura.open(join(path, "my.aura"));
  assert.equal((await db.ingest(join(path, "in", "*.ndjson"))).accepted, 2);
  await db.close();
  assert.ok(readFileSync(join(path, "my.aura", "aura.db")).length > 0);
});
