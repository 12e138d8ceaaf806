"""Measures AURA's store beside its peers, in turns, and writes docs/benchmarks/store.md.

usage: benches/run.py [--date YYYY-MM-DD] [--only WORK,...] [--runs N] ...   (`make bench` does; see --help)

AURA's side is the example `store_bench`, built in the profile `bench`. Every measurement is a process of its own, started in
an empty folder on the measured disk (the store goes there, and the folder goes afterwards), with AURA_BENCH_DATA set to the
folder with the event log, and prints one JSON line. Always `seconds` and `events`, and

    ingest-ndjson FILE, ingest-csv FILE   bytes (of the store)
    append EVENTS CALLERS                 p50_ms, p99_ms (from call to acknowledgement)
    compact                               bytes (after compaction); seconds are those of the compaction alone, of a store
                                          filled from AURA_BENCH_DATA/events.parquet
    month-count                           files_read, files_in_month, files_total, bytes_read, bytes_total
    memory FILE                           baseline_rss, peak_rss (bytes, before and during the ingest of FILE)

Runs take turns (AURA, peer, peer, AURA, ...) after one that is not counted, because seconds differ from run to run and from
machine to machine; what lasts is the ratio. All processes share the same CORES cores.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable

import data
from harness import MIB, ROOT, Failed, build, facts, last_json, share_cores


@dataclasses.dataclass
class Runs:
    """What one contender measured in all its runs."""

    name: str
    lines: list[dict]

    def median(self, field: str) -> float:
        try:
            return statistics.median(line[field] for line in self.lines)
        except KeyError:
            raise Failed(f"{self.name} did not print {field!r}") from None

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.median("events") / self.median("seconds")


@dataclasses.dataclass
class Row:
    """One bar and how it was met. `ratio` is better the larger it is; from 1 on, the bar is met."""

    work: str
    bar: str
    aura: str
    peer: str
    ratio: float | None

    def markdown(self) -> str:
        met = "not measured" if self.ratio is None else "met" if self.ratio >= 1 else "**not met**"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        return f"| {self.work} | {self.bar} | {self.aura} | {self.peer} | {ratio} | {met} |"


@dataclasses.dataclass
class Bench:
    """One measurement: who runs what, and how the runs are judged."""

    name: str
    bar: str
    runs: int
    data: Callable[[], pathlib.Path]
    ours: Callable[[pathlib.Path], list[str]]
    peers: list[tuple[str, str]]
    judge: Callable[[Runs, list[Runs]], list[tuple[str, str, str, str, float]]]


def megaevents(rate: float) -> str:
    return f"{rate / 1e6:.2f} M events/s"


def judge_ingest(ours: Runs, others: list[Runs]):
    best = max((peer for peer in others if peer.name != "chdb"), key=lambda peer: peer.rate)
    yield "", "", megaevents(ours.rate), f"{best.name}: {megaevents(best.rate)}", ours.rate / best.rate


def judge_append(ours: Runs, _: list[Runs]):
    rate, wait = ours.rate, ours.median("p99_ms")
    yield ", rate", "≥ 0.50 M events/s", megaevents(rate), "–", rate / 500_000
    yield ", p99 until acknowledged", "≤ 100 ms", f"{wait:.1f} ms", "–", 100 / max(wait, 1e-9)


def judge_compact(ours: Runs, others: list[Runs]):
    chdb = next(peer for peer in others if peer.name == "chdb")
    seconds, theirs = ours.median("seconds"), chdb.median("seconds")
    yield ", time", "≤ chdb building the same sorted table", f"{seconds:.2f} s", f"chdb: {theirs:.2f} s", theirs / seconds
    per_event = ours.median("bytes") / ours.median("events")
    smallest = min(others, key=lambda peer: peer.median("bytes"))
    peer = f"{smallest.name}: {smallest.median('bytes') / smallest.median('events'):.1f} bytes/event"
    yield ", size", "≤ 10 bytes/event", f"{per_event:.1f} bytes/event", peer, 10 / per_event


def judge_month(ours: Runs, _: list[Runs]):
    read, month, total = (int(ours.median(f"files_{part}")) for part in ("read", "in_month", "total"))
    share = ours.median("bytes_read") / max(ours.median("bytes_total"), 1)
    found = f"{read} of {total} files ({share:.1%} of the bytes), {ours.median('seconds') * 1e3:.1f} ms"
    yield "", f"≤ the month's own {month} files", found, "–", month / max(read, 1) if month < total else 0.0


def judge_memory(ours: Runs, _: list[Runs]):
    above = (ours.median("peak_rss") - ours.median("baseline_rss")) / MIB
    yield "", "≤ 512 MiB above the baseline", f"{above:.0f} MiB, {megaevents(ours.rate)}", "–", 512 / max(above, 1e-9)


class Suite:
    """The benches for one set of arguments."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.scratch: pathlib.Path = args.scratch
        self.scratch.mkdir(parents=True, exist_ok=True)

    def log(self, folder: str, events: int, formats: list[str], days: int = 90) -> pathlib.Path:
        """Returns a folder with an event log, made if it is not there."""
        out = self.args.made / f"{folder}-{events}"
        missing = [name for name in formats if not (out / f"events.{name}").exists()]
        if missing:
            # About 175 bytes an event in NDJSON, 75 in CSV, 12 in Parquet, and as much again for a store.
            need = events * sum({"ndjson": 190, "csv": 90, "parquet": 40}[name] for name in missing)
            if (free := shutil.disk_usage(self.args.made).free) < need:
                raise Failed(f"needs {need / 1e9:.0f} GB of disk, {free / 1e9:.0f} GB are free")
            print(f"making {out} ({', '.join(missing)})", flush=True)
            data.write(out, events, max(events // 20, 1), days, seed=1, formats=missing)
        return out

    def benches(self) -> list[Bench]:
        args = self.args

        def log() -> pathlib.Path:
            return args.data or self.log("log", args.events, ["ndjson", "csv"])

        def large() -> pathlib.Path:
            return args.large or self.log("large", args.large_events, ["parquet"])

        def years() -> pathlib.Path:
            return self.log("years", args.events, ["parquet"], days=730)

        bar = "≥ the faster of Polars and DuckDB writing plain Parquet"
        benches = [
            Bench(
                f"ingest-{kind}", bar, args.runs, log,
                lambda folder, kind=kind: [f"ingest-{kind}", str(folder / f"events.{kind}")],
                [(kind, "duckdb"), (kind, "polars"), (kind, "chdb")], judge_ingest,
            )
            for kind in ("ndjson", "csv")
        ]  # fmt: skip
        benches += [
            Bench(
                "append", "", 1, lambda: self.scratch, lambda _: ["append", str(args.append_events), "8"],
                [], judge_append,
            ),
            Bench(
                "compact", "", min(args.runs, 3), large, lambda _: ["compact"],
                [("table", "chdb"), ("table", "duckdb")], judge_compact,
            ),
            Bench("month-count", "", args.runs, years, lambda _: ["month-count"], [], judge_month),
        ]  # fmt: skip
        for gigabytes in args.memory_gb:
            events = int(gigabytes * 1e9 / 173)
            benches.append(
                Bench(
                    f"memory-{gigabytes:g}GB", "", 1, lambda events=events: self.log("memory", events, ["ndjson"]),
                    lambda folder: ["memory", str(folder / "events.ndjson")], [], judge_memory,
                )
            )  # fmt: skip
        return benches

    def ours(self, bench: Bench, folder: pathlib.Path) -> dict:
        home = tempfile.mkdtemp(dir=self.scratch, prefix="aura-")
        try:
            environment = os.environ | {"AURA_BENCH_DATA": str(folder.resolve())}
            if bench.judge is judge_memory:
                # What the library holds, not what the program's allocator keeps of it for later.
                environment["MIMALLOC_PURGE_DELAY"] = "0"
            return last_json([str(self.args.program), *bench.ours(folder.resolve())], cwd=home, env=environment)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def peer(self, work: str, peer: str, folder: pathlib.Path) -> dict:
        script = str(ROOT / "benches" / "peers.py")
        return last_json([sys.executable, script, work, peer, str(folder), "--scratch", str(self.scratch)])

    def measure(self, bench: Bench) -> tuple[Runs, list[Runs]]:
        folder = bench.data()
        contenders = [("aura", lambda: self.ours(bench, folder))]
        contenders += [(peer, lambda w=work, p=peer: self.peer(w, p, folder)) for work, peer in bench.peers]
        lines: dict[str, list[dict]] = {name: [] for name, _ in contenders}
        # The round that is not counted warms the caches of the system; long single runs need none.
        for turn in range(-1 if bench.runs > 1 else 0, bench.runs):
            for name, run in contenders:
                line = run()
                print(f"{bench.name:14s} {name:8s} {'warm-up' if turn < 0 else turn + 1} {json.dumps(line)}", flush=True)
                if turn >= 0:
                    lines[name].append(line)
        ours, *others = (Runs(name, found) for name, found in lines.items())
        if len(counts := {run.median("events") for run in [ours, *others]}) != 1:
            raise Failed(f"contenders loaded different numbers of events: {sorted(counts)}")
        return ours, others


def details(bench: str, runs: Runs) -> str:
    seconds = sorted(line["seconds"] for line in runs.lines)
    cells = [bench, runs.name, f"{runs.median('events'):,.0f}", str(len(seconds)), f"{runs.median('seconds'):.3f}", f"{seconds[0]:.3f} – {seconds[-1]:.3f}"]
    cells.append(f"{runs.rate / 1e6:.2f}")
    first = runs.lines[0]
    cells.append(f"{runs.median('bytes') / runs.median('events'):.1f}" if "bytes" in first else "–")
    cells.append(f"{runs.median('peak_rss') / MIB:.0f}" if "peak_rss" in first else "–")
    return "| " + " | ".join(cells) + " |"


def page(args: argparse.Namespace, rows: list[Row], table: list[str]) -> str:
    return "\n".join(
        [
            "# The store beside its peers",
            "",
            "Written by `make bench`; change `benches/`, not this page.",
            "",
            *facts(args),
            "",
            "Everybody loads the log that `benches/data.py` makes, syncs to the disk within the time, and shares the same cores."
            " Appends are batches of 1,000 events by 8 callers at once. Runs take turns, the first round is not counted where there"
            " are several, and figures are medians: compare ratios, not seconds. For the memory of an ingest the allocator of the"
            " program (mimalloc) gives back what is freed at once, which costs a part of the speed that is shown there.",
            "",
            "| work | bar | AURA | best peer | ratio | |",
            "|---|---|---|---|---|---|",
            *(row.markdown() for row in rows),
            "",
            "A ratio above 1 is better than the bar asks for.",
            "",
            "## All contenders",
            "",
            "| work | contender | events | runs | median s | range s | M events/s | bytes/event | peak MiB |",
            "|---|---|---|---|---|---|---|---|---|",
            *table,
            "",
            "What each peer does, and what is in its favour, stands at the top of `benches/peers.py`.",
            "",
        ]
    )


def arguments() -> argparse.Namespace:
    folder = ROOT / "benches" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written into the page")
    parser.add_argument("--only", help="names of benches, separated by commas (default: all)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--large-events", type=int, default=20_000_000)
    parser.add_argument("--append-events", type=int, default=20_000_000)
    parser.add_argument("--memory-gb", default="1,10", help="sizes of the files of the memory bench")
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("AURA_BENCH_DATA"),
                        help="a folder with events.ndjson and events.csv of another generator (or AURA_BENCH_DATA)")  # fmt: skip
    parser.add_argument("--large", type=pathlib.Path, default=os.environ.get("AURA_BENCH_LARGE"),
                        help="a folder with events.parquet for the compaction (or AURA_BENCH_LARGE)")  # fmt: skip
    parser.add_argument("--made", type=pathlib.Path, default=folder, help="where logs are made and kept")
    parser.add_argument("--scratch", type=pathlib.Path, default=folder / "scratch", help="the disk to be measured")
    parser.add_argument("--program", type=pathlib.Path, help="a store_bench built before")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "benchmarks" / "store.md")
    args = parser.parse_args()
    args.memory_gb = [float(size) for size in args.memory_gb.split(",") if size]
    for name in ("data", "large", "made", "scratch", "program"):
        if path := getattr(args, name):
            setattr(args, name, pathlib.Path(path).resolve())
    args.made.mkdir(parents=True, exist_ok=True)
    return args


def main() -> int:
    args = arguments()
    args.load = os.getloadavg()[0]
    args.program = args.program or build("store_bench")
    args.cores = share_cores()
    suite = Suite(args)
    benches = suite.benches()
    if args.only:
        wanted = args.only.split(",")
        if unknown := set(wanted) - {bench.name for bench in benches}:
            raise SystemExit(f"no bench {sorted(unknown)}; there are {[bench.name for bench in benches]}")
        benches = [bench for bench in benches if bench.name in wanted]
    rows, table, failures = [], [], 0
    for bench in benches:
        try:
            ours, others = suite.measure(bench)
            for part, bar, found, peer, ratio in bench.judge(ours, others):
                rows.append(Row(bench.name + part, bar or bench.bar, found, peer, ratio))
            table += [details(bench.name, runs) for runs in [ours, *others]]
        except Failed as failure:
            failures += 1
            rows.append(Row(bench.name, bench.bar or "–", f"failed: {failure}", "–", None))
    text = page(args, rows, table)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(f"\n{text}\nwritten to {args.out}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
