/** The types, and that they are those of the core and of the addon. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { PROJECT, ROWS, aura, folder } from "./shared.mjs";

const require = createRequire(import.meta.url);
const TSC = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");

function run(...args) {
  const done = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: "utf8" });
  assert.equal(done.status, 0, done.stdout + done.stderr);
}

const OPTIONS = ["--ignoreConfig", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.asynciterable,esnext.disposable", "--types", "node", "--skipLibCheck"];

test("tsc --strict, as a module", () => {
  run(TSC, ...OPTIONS, "--noEmit", "--exactOptionalPropertyTypes", "--module", "nodenext", "tests/typing.ts");
});

test("tsc --strict, through a bundler's resolution, with the types of the package checked as well", () => {
  const without = OPTIONS.filter((option) => option !== "--skipLibCheck");
  run(TSC, ...without, "--noEmit", "--module", "esnext", "--moduleResolution", "bundler", "tests/typing.ts");
});

test("the example runs", async (t) => {
  const out = folder(t);
  run(TSC, ...OPTIONS, "--module", "nodenext", "--outDir", out, "--rootDir", "tests", "tests/typing.ts");
  // What is compiled finds the package from where its source is.
  const compiled = join(PROJECT, "tests", ".typing.cjs");
  writeFileSync(compiled, readFileSync(join(out, "typing.js")));
  t.after(() => require("node:fs").rmSync(compiled));
  const { use } = await import(pathToFileURL(compiled));
  assert.ok((await use(ROWS)).length > 0);
});

test("written files are fresh", () => {
  run(join(PROJECT, "generate.mjs"), "--check");
});

test("the page of the addon's interface is whole", () => {
  const { native } = require("../dist/loader.js");
  const text = readFileSync(join(PROJECT, "ts", "native.ts"), "utf8");
  const body = (head) => new RegExp(`${head} \\{\\n([^]*?)\\n\\}`).exec(text)[1];
  const members = (block) => [...block.matchAll(/^  (\w+)(?:\(|: )/gm)].map(([, name]) => name);
  const outer = body("export interface Native");
  assert.deepEqual(members(outer).sort(), Object.keys(native).sort());
  for (const [name, value] of Object.entries(native)) {
    if (typeof value !== "function" || !/^[A-Z]/.test(name)) {
      continue;
    }
    const methods = Object.getOwnPropertyNames(value.prototype).filter((method) => method !== "constructor");
    assert.deepEqual(members(body(`export interface Native${name}`)).sort(), methods.sort(), name);
    const made = new RegExp(`^  ${name}: \\{([^]*?)\\};?$`, "m").exec(outer)?.[1] ?? "";
    const makers = [...made.matchAll(/(?:^    |\{ )(\w+)\(/gm)].map(([, maker]) => maker);
    const given = Object.getOwnPropertyNames(value).filter((maker) => typeof value[maker] === "function");
    const stated = name === "Report" ? ["parse"] : makers;
    assert.deepEqual(stated.sort(), given.sort(), name);
  }
});

test("every name is there in both ways of importing, and documented", () => {
  const cjs = require("aura-analytics");
  const names = (module) => Object.keys(module).filter((name) => name !== "__esModule" && name !== "module.exports");
  assert.deepEqual(names(aura).sort(), names(cjs).sort());
  // One class, however it was imported.
  assert.equal(cjs.AuraError, aura.AuraError);
  const dist = join(PROJECT, "dist");
  for (const file of readdirSync(dist).filter((name) => name.endsWith(".d.ts") && !["native.d.ts", "fields.d.ts"].includes(name))) {
    const text = readFileSync(join(dist, file), "utf8");
    const lines = text.split("\n");
    for (const [at, line] of lines.entries()) {
      if (/^export (declare )?(abstract )?(class|function|interface|type \w|const)/.test(line)) {
        assert.match(lines[at - 1] ?? "", /\*\/$/, `${file}: it has no words: ${line}`);
      }
    }
  }
});
