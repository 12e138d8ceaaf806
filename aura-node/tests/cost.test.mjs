/** What the binding costs. Bars are those of a release build; a debug build has its own, which only say that nothing is wrong by an
 * order of magnitude. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { DEBUG, ROWS, aura, folder, many } from "./shared.mjs";

const linux = process.platform === "linux" ? {} : { skip: "memory is read from /proc" };

/** Bytes of resident memory. */
const resident = () => Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;

async function collected() {
  assert.equal(typeof globalThis.gc, "function", "run with --expose-gc");
  for (let round = 0; round < 4; round++) {
    globalThis.gc();
    // Finalizers run in later turns, and stores are closed by threads.
    await sleep(20);
  }
}

test("require and import take 50 ms", (t) => {
  const run = (script, ...args) =>
    Number(execFileSync(process.execPath, [...args, "-e", script], { cwd: import.meta.dirname, encoding: "utf8" }));
  const times = (script, ...args) => Math.min(...Array.from({ length: 5 }, () => run(script, ...args)));
  const required = times('const t = performance.now(); require("aura-analytics"); console.log(performance.now() - t)');
  const imported = times('const t = performance.now(); await import("aura-analytics"); console.log(performance.now() - t)', "--input-type=module");
  t.diagnostic(`require: ${required.toFixed(1)} ms, import: ${imported.toFixed(1)} ms`);
  const bar = DEBUG ? 500 : 50;
  assert.ok(required < bar && imported < bar, `${required} ms, ${imported} ms`);
});

test("nothing is brought in but the package", () => {
  const script = 'require("aura-analytics"); console.log(Object.keys(require.cache).filter((path) => path.includes("node_modules")).length)';
  assert.equal(execFileSync(process.execPath, ["-e", script], { cwd: import.meta.dirname, encoding: "utf8" }).trim(), "0");
});

test("a call takes 100 µs over what the core takes", async (t) => {
  // The way to the core and back: a spec that the core refuses as soon as it has read it.
  const events = await aura.events([{ actor: "a", event: "e", time: 0 }]);
  const spec = { steps: ["a", "b"], within: "no length" };
  const calls = 200;
  const once = async () => {
    const started = performance.now();
    for (let at = 0; at < calls; at++) {
      try {
        await events.funnel(spec);
      } catch (error) {
        if (error.code !== "INVALID_SPEC") {
          throw error;
        }
      }
    }
    return ((performance.now() - started) / calls) * 1000;
  };
  const rounds = [];
  for (let round = 0; round < 10; round++) {
    rounds.push(await once());
  }
  const taken = Math.min(...rounds);
  t.diagnostic(`a call: ${taken.toFixed(0)} µs`);
  assert.ok(taken < (DEBUG ? 2000 : 100), `${taken} µs`);
});

test("nothing grows", linux, async (t) => {
  const cycles = DEBUG ? 1_000 : 10_000;
  const data = await (await (await aura.events(many(100))).sql("SELECT actor, event, time, n FROM events")).toIPC();
  const path = folder(t);
  const cycle = async (at) => {
    const events = await aura.events(data);
    await assert.rejects(events.run({ funnel: {} }), aura.InvalidSpecError);
    if (at % 10 === 0) {
      const table = await events.sql("SELECT actor, event FROM events");
      assert.equal((await table.toIPC()).length > 100, true);
      assert.equal((await events.funnel({ steps: ["e", "f"] })).rows().length, 2);
      const controller = new AbortController();
      const asked = events.sql("SELECT count(*) AS n FROM events", { signal: controller.signal });
      controller.abort();
      // It may be done before it hears of it.
      await asked.catch((error) => assert.ok(error instanceof aura.CancelledError, error));
    }
    if (at % 50 === 0) {
      const db = await aura.open(`${path}/a.aura`, { settings: { background: false } });
      for await (const progress of db.ingest(data)) {
        assert.ok(progress.rowsRead >= 0);
      }
      await db.close();
    }
  };
  for (let at = 0; at < cycles / 2; at++) {
    await cycle(at);
  }
  await collected();
  const before = resident();
  const heap = process.memoryUsage();
  for (let at = 0; at < cycles; at++) {
    await cycle(at);
  }
  await collected();
  const grown = resident() - before;
  const after = process.memoryUsage();
  t.diagnostic(`${cycles} cycles: ${(grown / 2 ** 20).toFixed(1)} MiB resident, ${((after.heapUsed - heap.heapUsed) / 2 ** 20).toFixed(1)} MiB of heap`);
  // Allocators keep some; a leak of one table a cycle would be more than this.
  assert.ok(grown < 16 << 20, `${grown} bytes`);
  assert.ok(after.heapUsed - heap.heapUsed < 4 << 20);
  assert.ok(after.external - heap.external < 1 << 20);
});

test("a store is opened and closed 10,000 times", linux, async (t) => {
  const cycles = DEBUG ? 500 : 10_000;
  const path = `${folder(t)}/a.aura`;
  const open = async () => {
    const db = await aura.open(path, { settings: { background: false } });
    await db.close();
  };
  await (await aura.open(path)).ingest(ROWS);
  for (let at = 0; at < cycles / 2; at++) {
    await open();
  }
  await collected();
  const before = resident();
  const files = () => readdirSync("/proc/self/fd").length;
  const threads = () => Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  const [open0, threads0] = [files(), threads()];
  for (let at = 0; at < cycles; at++) {
    await open();
  }
  await collected();
  const [grown, left, running] = [resident() - before, files() - open0, threads() - threads0];
  t.diagnostic(`${cycles} openings: ${(grown / 2 ** 20).toFixed(1)} MiB, ${left} files, ${running} threads`);
  assert.ok(grown < 16 << 20, `${grown} bytes`);
  assert.ok(left <= 2, `${left} files`);
  assert.ok(running <= 4, `${running} threads`);
});

test("what is no longer used goes, without being closed", linux, async (t) => {
  const path = folder(t);
  const threads = () => Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  const use = async (at) => {
    const db = await aura.open(`${path}/${at}.aura`);
    await db.append([{ actor: "a", event: "e", time: at }]);
  };
  await use(-1);
  await collected();
  const before = threads();
  for (let at = 0; at < 40; at++) {
    await use(at);
  }
  assert.ok(threads() > before);
  for (let round = 0; round < 50 && threads() > before + 4; round++) {
    await collected();
  }
  t.diagnostic(`${threads() - before} threads more after 40 stores`);
  assert.ok(threads() <= before + 4, `${threads()} threads, ${before} before`);
  // What was acknowledged is there.
  const db = await aura.open(`${path}/7.aura`);
  assert.equal((await db.stats()).events, 1);
  await db.close();
});
