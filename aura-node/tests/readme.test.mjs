/** The examples of the pages: those of a page are one module, in the order in which they stand. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { PROJECT, ROOT, folder } from "./shared.mjs";
import { files } from "./files.mjs";

const PAGES = { "README.md": 1, "aura-node/README.md": 1, "docs/node.md": 8 };

describe("examples of", () => {
  for (const [page, count] of Object.entries(PAGES)) {
    test(page, async (t) => {
      const text = readFileSync(join(ROOT, page), "utf8");
      const examples = [...text.matchAll(/^```js\n([^]*?)^```/gm)].map(([, example]) => example);
      assert.equal(examples.length, count);
      const path = folder(t);
      await files(path);
      symlinkSync(join(PROJECT, "node_modules"), join(path, "node_modules"));
      // The package finds itself by its name only from within.
      const code = examples.join("\n").replaceAll(/"aura-analytics(\/arrow)?"/g, (_, arrow) =>
        JSON.stringify(join(PROJECT, "dist", arrow ? "arrow.mjs" : "index.mjs")),
      );
      writeFileSync(join(path, "example.mjs"), code);
      const done = spawnSync(process.execPath, ["example.mjs"], { cwd: path, encoding: "utf8", timeout: 120_000 });
      assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
    });
  }
});
