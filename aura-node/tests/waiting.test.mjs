/** Calls that take long: signals, the event loop, many at once, worker threads, the end of the process. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { before, describe, test } from "node:test";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { COUNT, LONG, ROWS, aura, folder, many } from "./shared.mjs";

describe("signals", () => {
  let large;
  before(async () => {
    large = await aura.events(many(3_000));
  });

  test("an aborted call is over at once, and its work with it", async () => {
    const took = [];
    for (let round = 0; round < 3; round++) {
      const controller = new AbortController();
      const asked = large.sql(LONG, { signal: controller.signal });
      await sleep(200);
      const started = performance.now();
      controller.abort("enough");
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof aura.CancelledError);
        assert.equal(error.code, "CANCELLED");
        assert.equal(error.cause, "enough");
        return true;
      });
      took.push(performance.now() - started);
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    }
    // The shortest: on a busy machine others may come between.
    assert.ok(Math.min(...took) < 100, `${took}`);
    // Nothing goes on working for minutes: the processor is soon idle, give or take the machinery.
    const until = performance.now() + 20_000;
    for (;;) {
      const before = process.cpuUsage();
      await sleep(300);
      const { user, system } = process.cpuUsage(before);
      if (user + system < 100_000) {
        break;
      }
      assert.ok(performance.now() < until, `${user + system} µs of processor in 300 ms`);
    }
    assert.deepEqual((await large.sql(COUNT)).column("n"), [3_000]);
  });

  test("every call takes a signal", async (t) => {
    const signal = AbortSignal.abort(new Error("before"));
    const db = await aura.openMemory();
    await db.ingest(ROWS);
    const [snapshot] = (await db.snapshots()).slice(-1);
    const table = await large.sql(COUNT);
    const report = await large.report({ sections: [{ show: { analysis: { sessions: {} } } }] });
    const path = folder(t);
    const calls = {
      events: () => aura.events(ROWS, { signal }),
      "events of a path": () => aura.events("x.csv", { signal }),
      open: () => aura.open(`${path}/a.aura`, { signal }),
      openMemory: () => aura.openMemory({ signal }),
      "Registry.load": () => aura.Registry.load("x.yaml", { signal }),
      "Contract.load": () => aura.Contract.load("x.yaml", { signal }),
      "Contract.infer": () => aura.Contract.infer("x", table, { signal }),
      sql: () => large.sql(COUNT, { signal }),
      run: () => large.run({ sessions: {} }, { signal }),
      runAll: () => large.runAll([{ sessions: {} }], { signal }),
      funnel: () => large.funnel({ steps: ["a", "b"] }, { signal }),
      metrics: () => large.metrics({ metrics: "active_actors" }, { signal }),
      explainMetrics: () => large.explainMetrics({ metrics: "active_actors" }, { signal }),
      insights: () => large.insights({}, { signal }),
      report: () => large.report({}, { signal }),
      toHtml: () => report.toHtml({ signal }),
      toMarkdown: () => report.toMarkdown({ signal }),
      toIPC: () => table.toIPC({ signal }),
      export: () => table.export("csv", { signal }),
      ingest: () => db.ingest(ROWS, { signal }),
      "ingest of a stream": () => db.ingest((async function* () {})(), { signal }),
      ingestGit: () => db.ingestGit(path, { signal }),
      append: () => db.append(ROWS, { signal }),
      "append of a result": () => db.append(table, { signal }),
      storeEvents: () => db.events({ signal }),
      snapshot: () => db.snapshot({ id: snapshot.id }, { signal }),
      snapshots: () => db.snapshots({ signal }),
      quarantine: () => db.quarantine({ signal }),
      stats: () => db.stats({ signal }),
      flush: () => db.flush({ signal }),
      compact: () => db.compact({ signal }),
      expire: () => db.expire(new Date(0), { signal }),
      expireSnapshots: () => db.expireSnapshots(new Date(0), { signal }),
      erase: () => db.erase("ann", { signal }),
    };
    for (const [name, make] of Object.entries(calls)) {
      await assert.rejects(async () => make(), (error) => {
        assert.equal(error.code, "CANCELLED", `${name}: ${error}`);
        assert.equal(error.cause.message, "before", name);
        return true;
      });
    }
    // None of them did anything, and none is left listening.
    assert.equal((await db.stats()).events, 4);
    assert.equal(getEventListeners(signal, "abort").length, 0);
    await db.close();
  });

  test("an aborted ingest keeps nothing", async () => {
    const db = await aura.openMemory();
    const lines = Buffer.from(many(200_000).map((row) => JSON.stringify(row)).join("\n"));
    const controller = new AbortController();
    const run = db.ingest(lines, { signal: controller.signal, limits: { blockBytes: 20_000 } });
    await assert.rejects(async () => {
      for await (const progress of run) {
        assert.ok(progress.rowsRead <= 200_000);
        controller.abort();
      }
    }, aura.CancelledError);
    assert.equal((await db.stats()).events, 0);
    // A stream that never ends.
    const endless = async function* () {
      for (let n = 0; ; n++) {
        yield `{"actor":"a","event":"e","time":${n}}\n`;
      }
    };
    await assert.rejects(db.ingest(endless(), { signal: AbortSignal.timeout(300) }), (error) => {
      assert.equal(error.code, "CANCELLED");
      assert.equal(error.cause.name, "TimeoutError");
      return true;
    });
    assert.equal((await db.stats()).events, 0);
    assert.equal((await db.ingest(lines)).accepted, 200_000);
    await db.close();
  });

  test("the event loop goes on", async () => {
    const controller = new AbortController();
    const asked = large.sql(LONG, { signal: controller.signal });
    let turns = 0;
    const until = performance.now() + 300;
    while (performance.now() < until) {
      await turn();
      turns += 1;
    }
    controller.abort();
    await assert.rejects(asked, aura.CancelledError);
    assert.ok(turns > 300, `${turns}`);
  });

  test("many at once", async () => {
    const sums = await Promise.all(Array.from({ length: 40 }, () => large.sql("SELECT sum(n) AS n FROM events")));
    assert.deepEqual(new Set(sums.map((table) => table.column("n")[0])), new Set([4_498_500]));
    const db = await aura.openMemory();
    const rows = (at) => [{ actor: `a${at}`, event: "e", time: at }];
    await Promise.all(Array.from({ length: 40 }, (_, at) => db.append(rows(at))));
    assert.equal((await db.stats()).events, 40);
    // More long ones than threads, and short ones get through.
    const controller = new AbortController();
    const long = Array.from({ length: 12 }, () => large.sql(LONG, { signal: controller.signal }));
    // Node warns of a leak beyond ten.
    assert.equal(getEventListeners(controller.signal, "abort").length, 1);
    assert.deepEqual((await db.stats()).events, 40);
    controller.abort();
    const ended = await Promise.allSettled(long);
    assert.ok(ended.every(({ reason }) => reason?.code === "CANCELLED"));
    await db.close();
  });
});

describe("worker threads", () => {
  test("ask, and are asked again after others have ended", async () => {
    const bytes = await (await (await aura.events(many(1_000))).sql("SELECT actor, event, time, n FROM events")).toIPC();
    // A copy: memory of the addon is not given away.
    const table = Uint8Array.from(bytes);
    for (let round = 0; round < 2; round++) {
      const workers = Array.from({ length: 3 }, () => new Worker(new URL("worker.mjs", import.meta.url), { workerData: { task: "ask", table } }));
      const found = await Promise.all(
        workers.map(
          (worker) =>
            new Promise((done, fail) => {
              let answer;
              worker.on("message", (message) => (answer = message));
              worker.on("error", fail);
              worker.on("exit", (code) => done({ code, ...answer }));
            }),
        ),
      );
      for (const { code, sums, accepted, bytes } of found) {
        assert.equal(code, "INVALID_SPEC");
        assert.deepEqual(sums, Array(5).fill(499_500));
        assert.equal(accepted, 1_000);
        assert.ok(bytes instanceof Uint8Array && bytes.length > 100);
      }
    }
    // The main thread is as it was.
    assert.equal((await (await aura.events(table)).sql(COUNT)).column("n")[0], 1_000);
  });

  test("can be ended while they wait", async () => {
    const table = Uint8Array.from(await (await (await aura.events(many(3_000))).sql("SELECT actor, event, time, n FROM events")).toIPC());
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData: { task: "wait", table, query: LONG } });
      await new Promise((done, fail) => {
        worker.once("message", done);
        worker.once("error", fail);
      });
      await sleep(50);
      assert.equal(await worker.terminate(), 1);
    }
    assert.equal((await (await aura.events(table)).sql(COUNT)).column("n")[0], 3_000);
  });
});

describe("the end of the process", () => {
  const run = (script, ...args) =>
    spawnSync(process.execPath, [...args, "--input-type=module", "-e", script], { cwd: import.meta.dirname, encoding: "utf8", timeout: 60_000 });

  test("comes by itself when nothing is left to do", (t) => {
    const script = `
      import { events, open, openMemory } from "aura-analytics";
      const ev = await events([{ actor: "a", event: "e", time: 0 }]);
      const db = await open(${JSON.stringify(`${folder(t)}/a.aura`)});
      await db.ingest([{ actor: "a", event: "e", time: 0 }]);
      const other = await openMemory();
      await other.append([{ actor: "a", event: "e", time: 0 }]);
      await ev.sql("SELECT 1 AS n FROM events");
      const waiting = process.getActiveResourcesInfo().filter((kind) => !/^(TTY|Pipe|FS)/.test(kind));
      console.log(JSON.stringify(waiting));
    `;
    const ended = run(script);
    assert.equal(ended.status, 0, ended.stderr);
    // Stores that are still open hold nothing up.
    assert.equal(ended.stdout.trim(), "[]");
    assert.equal(ended.stderr, "");
  });

  test("is not held up by what is under way", () => {
    const script = `
      import { events } from "aura-analytics";
      const ev = await events(Array.from({ length: 3000 }, (_, n) => ({ actor: "a", event: "e", time: n, n })));
      for (let at = 0; at < 4; at++) ev.sql(${JSON.stringify(LONG)}).catch(() => {});
      setTimeout(() => { console.log("ended"); process.exit(3); }, 200);
    `;
    const started = performance.now();
    const ended = run(script);
    assert.deepEqual([ended.status, ended.stdout.trim(), ended.signal], [3, "ended", null], ended.stderr);
    assert.ok(performance.now() - started < 30_000);
  });

  test("waits for a question that somebody waits for", () => {
    const script = `
      const { events } = await import("aura-analytics");
      events([{ actor: "a", event: "e", time: 0 }]).then((ev) => ev.sessions()).then((table) => console.log(table.numRows));
    `;
    const ended = run(script);
    assert.deepEqual([ended.status, ended.stdout.trim()], [0, "1"], ended.stderr);
  });

  test("with a callback that throws", () => {
    const script = `
      import { events } from "aura-analytics";
      events([{ actor: "a", event: "e", time: 0 }]).then(() => { throw new Error("mine"); });
    `;
    const ended = run(script);
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /mine/);
  });
});
