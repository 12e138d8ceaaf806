/** What a worker thread of the tests does. */

import { parentPort, workerData } from "node:worker_threads";

import { events, openMemory } from "aura-analytics";

const { task, table } = workerData;

async function ask() {
  const asked = await events(table);
  const answers = await Promise.all(Array.from({ length: 5 }, () => asked.sql("SELECT sum(n) AS n FROM events")));
  const db = await openMemory();
  const report = await db.ingest(table);
  let code;
  try {
    await asked.sql("SELECT nosuch FROM events");
  } catch (error) {
    code = error.code;
  }
  await db.close();
  // Bytes of a result can be given to another thread.
  const bytes = await answers[0].toIPC();
  parentPort.postMessage({ sums: answers.map((answer) => answer.column("n")[0]), accepted: report.accepted, code, bytes });
}

async function wait() {
  const asked = await events(table);
  const db = await openMemory();
  parentPort.postMessage("waiting");
  await Promise.all([asked.sql(workerData.query), db.ingest(table)]);
}

await (task === "ask" ? ask() : wait());
