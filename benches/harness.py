"""What the measurements share: running a process that prints its figures, and the facts of the machine."""

import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess

import peers

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORES = 2
MIB = 2**20


class Failed(Exception):
    """A measurement that gave no numbers; the message goes into the table."""


def last_json(command: list[str], **options) -> dict:
    """Runs a measurement and returns its line, with `peak_rss` as seen from outside where it is larger."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        while True:
            try:
                out, err = process.communicate(timeout=0.05)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, peers.peak_rss(process.pid) or 0)
    if process.returncode != 0:
        last = (err.strip() or out.strip() or "no message").splitlines()[-1]
        raise Failed(f"exit code {process.returncode}: {last}")
    for line in reversed(out.splitlines()):
        if line.startswith("{"):
            found = json.loads(line)
            if peak:
                found["peak_rss"] = max(peak, found.get("peak_rss", 0))
            return found
    raise Failed("printed no JSON line")


def build(example: str) -> pathlib.Path:
    """Builds an example and returns its program."""
    command = ["cargo", "build", "--locked", "--package", "aura-core", "--profile", "bench", "--example", example]
    out = subprocess.run([*command, "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = (json.loads(line) for line in out.stdout.splitlines() if line.startswith("{"))
    return pathlib.Path(next(m["executable"] for m in messages if m.get("target", {}).get("name") == example
                             and m.get("executable")))  # fmt: skip


def said(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def facts(args: argparse.Namespace) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("duckdb", "polars", "chdb"))
    changed = " with changes" if said("git", "status", "--porcelain", "--untracked-files=no") else ""
    return [
        f"- {args.date}, commit {said('git', 'rev-parse', '--short', 'HEAD')}{changed}",
        f"- {args.cores} of {os.cpu_count()} cores ({processor()}), {memory:.0f} GiB of memory, {platform.system()} {platform.release()}",
        f"- {said('rustc', '--version')}; Python {platform.python_version()}; {versions}",
        f"- load of the machine at the start: {args.load:.1f}" + (" (not quiet: read the ratios only)" if args.load > 0.5 else ""),
    ]  # fmt: skip


def share_cores() -> int:
    """Keeps this process and its children on CORES cores; returns how many there are."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    chosen = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, chosen)
    return len(chosen)
