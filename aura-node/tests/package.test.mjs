/**
 * The package as a new user has it: the tarball, installed into a fresh folder, imported, required and bundled.
 *
 * AURA_NPM_PACKAGE names the tarball of a release, whose size is measured too. Without it one is packed here, to which the addon of
 * the debug build, which is many times as large, is put by a link.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";

import { build } from "esbuild";

import { addon } from "../build.mjs";
import { files } from "./files.mjs";
import { PROJECT } from "./shared.mjs";

const RELEASE = process.env["AURA_NPM_PACKAGE"];
/** Bytes that the package may take on the disk. */
const LARGEST = 80_000_000;
const NPM = process.platform === "win32" ? "npm.cmd" : "npm";

describe("the package", () => {
  let home;
  let installed;
  const run = (...args) => execFileSync(process.execPath, args, { cwd: home, encoding: "utf8", timeout: 120_000 });

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "aura-package-"));
    let tarball = RELEASE;
    if (tarball === undefined) {
      const staged = join(home, "staged");
      mkdirSync(staged);
      for (const name of ["package.json", "README.md", "dist"]) {
        cpSync(join(PROJECT, name), join(staged, name), { recursive: true });
      }
      const packed = JSON.parse(execFileSync(NPM, ["pack", "--json", "--silent"], { cwd: staged, encoding: "utf8" }));
      const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
      tarball = join(staged, filename);
    }
    writeFileSync(join(home, "package.json"), '{"name": "user", "private": true}');
    execFileSync(NPM, ["install", "--offline", "--no-audit", "--no-fund", "--silent", tarball], { cwd: home });
    installed = join(home, "node_modules", "aura-analytics");
    rmSync(join(home, "staged"), { recursive: true, force: true });
    await files(home);
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  test("holds what it needs and no more, and brings nothing along", () => {
    assert.deepEqual(readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith(".")), ["aura-analytics"]);
    const names = readdirSync(installed).sort();
    const addons = names.filter((name) => name.endsWith(".node"));
    assert.deepEqual(names.filter((name) => !addons.includes(name)), ["README.md", "dist", "package.json"]);
    if (RELEASE !== undefined) {
      assert.deepEqual(addons, [basename(addon)]);
    }
  });

  test("has at most 80 MB unpacked", { skip: RELEASE === undefined && "the addon is a debug build: make npm-package measures" }, (t) => {
    const sizes = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
    const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
    t.diagnostic(`packed: ${(statSync(RELEASE).size / 1e6).toFixed(1)} MB, unpacked: ${(size / 1e6).toFixed(1)} MB`);
    assert.ok(size <= LARGEST, `${size} bytes`);
  });

  test("says what is missing where there is no addon", { skip: RELEASE !== undefined && "it has its addon" }, () => {
    assert.throws(() => run("-e", 'require("aura-analytics")'), /aura-analytics has no addon for .* that can be loaded/);
  });

  test("is bundled with its addon", { skip: RELEASE !== undefined && "the same as in a debug build" }, async () => {
    // Something small in its place: the bundler copies it.
    const here = join(installed, basename(addon));
    writeFileSync(here, "");
    writeFileSync(join(home, "bundled.mjs"), 'import { version } from "aura-analytics"; console.log(version);');
    const { metafile, warnings } = await build({
      absWorkingDir: home,
      entryPoints: ["bundled.mjs"],
      bundle: true,
      platform: "node",
      format: "cjs",
      outdir: "out",
      loader: { ".node": "copy" },
      assetNames: "[name]",
      metafile: true,
      logLevel: "silent",
    });
    assert.ok(Object.keys(metafile.inputs).some((name) => name.endsWith(basename(addon))), Object.keys(metafile.inputs));
    assert.deepEqual(warnings.filter(({ text }) => !text.includes(".node")), []);
    rmSync(here);
    const copied = join(home, "out", basename(addon));
    assert.ok(existsSync(copied));
    rmSync(copied);
    linkOrCopy(addon, copied);
    rmSync(join(home, "out", "node_modules"), { recursive: true, force: true });
    const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
    assert.equal(run(join("out", "bundled.js")).trim(), version);
    rmSync(copied);
    linkOrCopy(addon, here);
  });

  test("runs the example of its page, as a module", () => {
    const example = /^```js\n([^]*?)^```/m.exec(readFileSync(join(installed, "README.md"), "utf8"))[1];
    writeFileSync(join(home, "example.mjs"), example);
    assert.match(run("example.mjs"), /product_view/);
  });

  test("is required", () => {
    const script = `
      const aura = require("aura-analytics");
      aura.events("events.parquet", { actor: "user_id" }).then(async (ev) => {
        console.log((await ev.sql("SELECT count(*) AS n FROM events")).column("n")[0]);
      });
    `;
    assert.equal(run("-e", script).trim(), "400");
  });

  test("needs apache-arrow for its helpers, and for nothing else", () => {
    assert.throws(() => run("-e", 'require("aura-analytics/arrow")'), /apache-arrow/);
  });
});

/** Two places for a file that is large. */
function linkOrCopy(from, to) {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}
