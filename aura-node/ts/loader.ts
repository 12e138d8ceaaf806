/**
 * Finds the addon of this system. Every path is written out, so that bundlers see it and bring the file along.
 */

import type { Native } from "./native.js";

function find(): Native {
  const here = `${process.platform}-${process.arch}`;
  try {
    switch (here) {
      case "linux-x64":
        return require("../aura-analytics.linux-x64-gnu.node") as Native;
      case "linux-arm64":
        return require("../aura-analytics.linux-arm64-gnu.node") as Native;
      case "darwin-x64":
        return require("../aura-analytics.darwin-x64.node") as Native;
      case "darwin-arm64":
        return require("../aura-analytics.darwin-arm64.node") as Native;
      case "win32-x64":
        return require("../aura-analytics.win32-x64-msvc.node") as Native;
    }
  } catch (error) {
    throw new Error(
      `aura-analytics has no addon for ${here} that can be loaded: ${error instanceof Error ? error.message : String(error)}; ` +
        "install the package on the system where it runs (on Linux one with glibc), and leave *.node files beside the code when it is bundled",
      { cause: error },
    );
  }
  throw new Error(
    `aura-analytics has no addon for ${here}; there are those for Linux (glibc) and macOS on x64 and arm64, and for Windows on x64`,
  );
}

/** The addon. */
export const native: Native = find();
