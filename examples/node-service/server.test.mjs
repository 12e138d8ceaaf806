/** The service, with real requests to a real server. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { events, openMemory } from "aura-analytics";

import { service } from "./server.mjs";

const ROWS = [
  { actor: "ann", event: "view", time: "2026-01-05T08:00:00Z", plan: "free" },
  { actor: "bob", event: "view", time: "2026-01-05T09:00:00Z", plan: "pro" },
  { actor: "ann", event: "buy", time: "2026-01-06T10:00:00Z", plan: "free" },
];
const lines = (rows) => rows.map((row) => JSON.stringify(row)).join("\n");

describe("a server", () => {
  let store;
  let server;
  let base;
  before(async () => {
    store = await openMemory();
    server = service(store).listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await store.close();
  });
  const get = async (path, options) => {
    const response = await fetch(base + path, options);
    return { status: response.status, body: await response.json() };
  };

  test("takes events once, however often they are sent and in whatever form", async () => {
    const body = lines(ROWS);
    const first = await get("/events", { method: "POST", body });
    assert.deepEqual(first, { status: 200, body: { read: 3, accepted: 3, duplicate: 0, rejected: 0, rejects: [] } });
    assert.equal((await get("/events", { method: "POST", body })).body.duplicate, 3);
    assert.equal((await get("/events", { method: "POST", body: gzipSync(body) })).body.duplicate, 3);
    assert.equal((await get("/health")).body.events, 3);
  });

  test("says which rows it did not take", async () => {
    const body = `${lines([{ actor: "cat", event: "view", time: "2026-01-07T00:00:00Z" }])}\n{"actor": "dan"}\nnonsense`;
    const { status, body: told } = await get("/events", { method: "POST", body });
    assert.equal(status, 200);
    assert.deepEqual([told.accepted, told.rejected, told.rejects.map(({ row }) => row)], [1, 2, [2, 3]]);
  });

  test("answers questions", async () => {
    const funnel = await get("/funnel?steps=view,buy&within=7d");
    assert.equal(funnel.status, 200);
    assert.deepEqual(funnel.body.rows.map(({ name, count }) => [name, count]), [["view", 3], ["buy", 1]]);
    assert.match(funnel.body.notes[0], /fewer than 30/);
    const metrics = await get("/metrics?metrics=active_actors&grain=day");
    assert.deepEqual(metrics.body.rows.map((row) => row.active_actors), [2, 1, 1]);
    const sessions = await get("/ask", { method: "POST", body: JSON.stringify({ sessions: { gap: "30m" } }) });
    assert.equal(sessions.body.rows[0].events, 4);
  });

  test("sends tables as Arrow", async () => {
    const headers = { accept: "application/vnd.apache.arrow.stream" };
    const body = JSON.stringify({ sessions: { gap: "30m", output: "table" } });
    const response = await fetch(`${base}/ask`, { method: "POST", body, headers });
    assert.equal(response.headers.get("content-type"), headers.accept);
    const content = new Uint8Array(await response.arrayBuffer());
    const read = await events(content, { actor: "actor", eventName: "session", time: "start" });
    assert.ok((await read.sql("SELECT * FROM events")).numRows >= 4);
  });

  test("makes a report", async () => {
    const response = await fetch(`${base}/report?title=Shop&language=ru`);
    assert.match(response.headers.get("content-type"), /^text\/html/);
    assert.match(await response.text(), /<h1>Shop<\/h1>/);
  });

  test("tells errors by their code", async () => {
    const cases = [
      ["/funnel?steps=view", 400, "INVALID_SPEC", /steps/],
      ["/funnel?steps=view,buy&withing=7d", 400, "INVALID_SPEC", /within/],
      ["/metrics?metrics=nosuch", 400, "INVALID_SPEC", /nosuch/],
      ["/nothing", 404, "REQUEST", /GET \/nothing/],
    ];
    for (const [path, status, code, message] of cases) {
      const found = await get(path);
      assert.deepEqual([found.status, found.body.code], [status, code], path);
      assert.match(found.body.message, message);
    }
    const post = (path, body) => get(path, { method: "POST", body });
    assert.equal((await post("/ask", "{")).body.code, "INVALID_SPEC");
    assert.equal((await post("/ask", "x".repeat(200_000))).status, 413);
    assert.deepEqual((await post("/events", Buffer.from([0, 1, 2]))).status, 422);
  });

  test("keeps nothing of a request that breaks off", async () => {
    const before = (await get("/health")).body.events;
    const request = httpRequest(`${base}/events`, { method: "POST" });
    request.on("error", () => undefined);
    for (let n = 0; n < 1_000; n++) {
      request.write(`${JSON.stringify({ actor: `x${n}`, event: "lost", time: n })}\n`);
    }
    await sleep(100);
    request.destroy();
    await sleep(300);
    assert.equal((await get("/health")).body.events, before);
  });

  test("answers many at once", async () => {
    const asked = Array.from({ length: 20 }, () => get("/funnel?steps=view,buy"));
    const sent = Array.from({ length: 20 }, (_, n) =>
      get("/events", { method: "POST", body: lines([{ actor: `m${n}`, event: "many", time: "2026-01-08T00:00:00Z" }]) }),
    );
    const answers = await Promise.all([...asked, ...sent]);
    assert.ok(answers.every(({ status }) => status === 200));
    const counted = await get("/ask", { method: "POST", body: JSON.stringify({ sessions: { filter: "event = 'many'" } }) });
    assert.equal(counted.body.rows[0].events, 20);
  });
});

test("the process ends by itself when it is told to, and keeps what it took", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "aura-service-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const main = fileURLToPath(new URL("main.mjs", import.meta.url));
  for (const expected of [3, 0]) {
    const child = spawn(process.execPath, [main, join(folder, "my.aura"), "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = await once(child.stdout, "data");
    const [base] = /http:\S+/.exec(String(said));
    const response = await fetch(`${base}/events`, { method: "POST", body: lines(ROWS) });
    assert.equal((await response.json()).accepted, expected);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  }
});
