#!/usr/bin/env node
/**
 * Makes the package: the addon, which cargo compiles, under the name that the loader knows, and `dist` from the sources in
 * TypeScript.
 *
 * usage: build.mjs [--release] [--addon LIBRARY]
 *
 * LIBRARY is what cargo made; where it is not given, cargo is run. The flags of cargo are those of the other stages, so that what they
 * compiled is taken.
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

/** By system: what the loader calls the addon, and what cargo calls it. */
const SYSTEMS = {
  "linux-x64": ["linux-x64-gnu", "libaura_node.so"],
  "linux-arm64": ["linux-arm64-gnu", "libaura_node.so"],
  "darwin-x64": ["darwin-x64", "libaura_node.dylib"],
  "darwin-arm64": ["darwin-arm64", "libaura_node.dylib"],
  "win32-x64": ["win32-x64-msvc", "aura_node.dll"],
};

const system = SYSTEMS[`${process.platform}-${process.arch}`];
if (system === undefined) {
  throw new Error(`the addon is not made for ${process.platform}-${process.arch}; there are ${Object.keys(SYSTEMS).join(", ")}`);
}
const [name, library] = system;

/** The addon of this system. */
export const addon = join(here, `aura-analytics.${name}.node`);

function run(command, args, options) {
  const done = spawnSync(command, args, { stdio: "inherit", cwd: root, ...options });
  if (done.error) {
    throw done.error;
  }
  if (done.status !== 0) {
    process.exit(done.status ?? 1);
  }
}

function compiled(release) {
  const profile = release ? ["--release"] : [];
  run("cargo", ["build", "--locked", "--package", "aura-node", ...profile]);
  const target = process.env["CARGO_TARGET_DIR"] ?? join(root, "target");
  return join(target, release ? "release" : "debug", library);
}

function build(args) {
  const at = args.indexOf("--addon");
  const made = at < 0 ? compiled(args.includes("--release")) : args[at + 1];
  if (!made || !existsSync(made)) {
    throw new Error(`there is no addon at ${made}`);
  }
  // A process that has the old one open keeps it.
  const fresh = `${addon}.new`;
  copyFileSync(made, fresh);
  if (args.includes("--release") && process.platform !== "win32") {
    // Names and lines of functions are most of the file, and of use to nobody who installs it.
    run("strip", process.platform === "darwin" ? ["-x", fresh] : ["--strip-unneeded", fresh]);
  }
  renameSync(fresh, addon);
  rmSync(join(here, "dist"), { recursive: true, force: true });
  const tsc = createRequire(import.meta.url).resolve("typescript/package.json");
  run(process.execPath, [join(dirname(tsc), "bin", "tsc"), "--project", here]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  build(process.argv.slice(2));
}
