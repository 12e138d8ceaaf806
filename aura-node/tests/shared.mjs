/** What the tests share. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as aura from "aura-analytics";

/** The package. */
export const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The checkout. */
export const ROOT = dirname(PROJECT);

/** Four events of two actors. */
export const ROWS = Object.freeze([
  { actor: "ann", event: "view", time: "2026-01-05T08:00:00Z", plan: "free", amount: null },
  { actor: "bob", event: "view", time: "2026-01-05T09:00:00Z", plan: "pro", amount: null },
  { actor: "ann", event: "buy", time: "2026-01-06T10:00:00Z", plan: "free", amount: 2.5 },
  { actor: "bob", event: "leave", time: "2026-01-07T10:00:00Z", plan: "pro", amount: null },
]);

export const COUNT = "SELECT count(*) AS n FROM events";

/** A question over events of `many(3000)` that takes minutes. */
export const LONG = "SELECT count(*) AS n FROM events a, events b, events c WHERE a.n + b.n + c.n = 7";

/** Events of one actor. */
export const many = (rows) => Array.from({ length: rows }, (_, n) => ({ actor: "a", event: "e", time: n, n }));

/** A folder that goes with the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "aura-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Whether the addon was compiled without optimisation: bars of a release build then have others, which only say that nothing is
 * wrong by an order of magnitude. */
export const DEBUG = (await import("node:module")).createRequire(import.meta.url)("../dist/loader.js").native.DEBUG;

export { aura };
