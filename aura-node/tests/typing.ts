/** Uses of the package as the compiler sees them: checked with `tsc --strict`, and run by `types.test.mjs`. */

import {
  type Analysis,
  AuraError,
  Events,
  type Findings,
  Ingest,
  type IngestReport,
  InvalidSpecError,
  type Progress,
  Registry,
  type Step,
  Store,
  Table,
  type Value,
  events,
  openMemory,
} from "aura-analytics";
import { fromArrow, toArrow } from "aura-analytics/arrow";

export async function use(rows: readonly Record<string, unknown>[]): Promise<Value[][]> {
  const ev: Events = await events(rows, { actor: "actor", timeUnit: "seconds", threads: 2 });
  const steps: Step[] = ["view", { event: "buy", within: "1 hour" }, ["a", "b"]];
  const table: Table = await ev.funnel({
    steps,
    within: "7d",
    by: "plan",
    count: { sessions: { gap: "30m" } },
    compare: [
      { name: "free", where: "plan = 'free'" },
      { name: "pro", where: "plan = 'pro'" },
    ],
    from: new Date(0),
  });
  const names: string[] = table.columns;
  await ev.retention({ period: "week", start: ["view", "buy"], mode: "on_or_after" });
  await ev.metrics({ metrics: "active_actors", grain: "week", compareTo: "previous_period" });
  await ev.metrics({ metrics: ["active_actors"], by: ["plan"], grain: "week" }, { registry: Registry.builtin() });
  const specs: (Analysis | string)[] = [{ sessions: { gap: "30m" } }, '{"lifecycle": {}}'];
  const [first] = await ev.runAll(specs);
  const found: Findings = await ev.insights({ limit: 3 });
  for (const finding of found.findings) {
    const sentence: string = finding.sentence.en;
    names.push(sentence);
  }
  const db: Store = await openMemory({ settings: { background: false } });
  const run: Ingest = db.ingest(rows, { limits: { maxRowBytes: 1_000_000 } });
  for await (const progress of run) {
    const told: Progress = progress;
    names.push(String(told.rowsRead));
  }
  const report: IngestReport = await run;
  if (report.read < 0 && first !== undefined) {
    await db.append(first);
  }
  const arrow = await toArrow(table);
  await events(fromArrow(await toArrow(await ev.sql("SELECT * FROM events"))));
  await db.close();
  try {
    await ev.sql("SELECT nosuch FROM events", { signal: new AbortController().signal });
  } catch (error) {
    if (error instanceof InvalidSpecError) {
      const code: "INVALID_SPEC" = error.code;
      names.push(code);
    } else if (error instanceof AuraError) {
      names.push(error.code, ...error.causes);
    }
  }
  return arrow.numRows < 0 ? [] : table.toArrays({ limit: 1 });
}

/** Each of these is an error that the compiler finds: an expectation that is not met fails. */
export async function wrong(ev: Events): Promise<void> {
  // @ts-expect-error a word that is none of the orders
  await ev.funnel({ steps: ["a", "b"], order: "sideways" });
  // @ts-expect-error a field that there is not
  await ev.retention({ perod: "week" });
  // @ts-expect-error the names of the JSON form are not those of JavaScript
  await ev.retention({ week_start: "sunday" });
  // @ts-expect-error a field that is missing
  await ev.metrics({});
  // @ts-expect-error no table
  await events(42);
  // @ts-expect-error no analysis
  await ev.run({ funel: { steps: ["a", "b"] } });
  // @ts-expect-error a signal, and no controller
  await ev.sql("SELECT 1", { signal: new AbortController() });
}
