"""Asks AURA and its peers the same questions of the same log, in turns, and writes docs/benchmarks/metrics.md.

usage: benches/questions.py [--date YYYY-MM-DD] [--only QUESTION,...] [--runs N] ...   (`make bench-metrics` does; see --help)

AURA's side is the example `question_bench`, built in the profile `bench`; the peers' is benches/question_peers.py. Every measurement is a
process of its own, which asks once for nothing and then three times; processes take turns. The answers are compared, counts exactly and
shares to 1e-9, and a difference fails the run. All processes share the same CORES cores.
"""

import argparse
import dataclasses
import datetime
import math
import os
import pathlib
import shutil
import statistics
import sys

import data
from harness import MIB, ROOT, Failed, build, facts, last_json, share_cores

FILE_PEERS = ["duckdb", "polars", "chdb"]
TABLE_PEERS = ["duckdb_native", "chdb_native"]
# Question: the bar over a compacted store, and over the raw file, as a part of the fastest peer's time.
QUESTIONS = {
    "dau_by_plan": (0.3, 1.0),
    "adoption": (0.3, 1.0),
    "events_by_week_team": (0.6, 1.2),
    "ai_coverage": (0.6, 1.2),
}
# The metrics of `question_bench` that may be the dearest.
DEAREST = ["actors", "adopters", "ai_users", "editors", "adoption", "events_per_actor", "paid_actors", "revenue", "mean_amount", "ai_coverage"]
RUNS_EACH = 3
# A larger log is this one several times, of other actors.
LARGEST_MADE = 20_000_000


@dataclasses.dataclass
class Measured:
    """What one contender took for one question."""

    name: str
    seconds: list[float] = dataclasses.field(default_factory=list)
    rows: list | None = None
    peak_rss: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def add(self, line: dict) -> None:
        # The first run of a process warms it up.
        self.seconds += line["seconds"][1:]
        self.rows = line["rows"]
        self.peak_rss = max(self.peak_rss, line.get("peak_rss") or 0)


def normal(rows: list) -> list[tuple]:
    """Rows as sorted tuples of period, dimensions and value; without those that say nothing."""
    found = []
    for period, *rest in rows:
        value = rest[-1]
        number = None if value in (None, "", "\\N") else float(value)
        if number is not None and not math.isnan(number) and not math.isinf(number) and number != 0:
            found.append((str(period)[:10], *map(str, rest[:-1]), number))
    return sorted(found)


def check(question: str, ours: Measured, other: Measured) -> None:
    a, b = normal([[row[0], *row[2:]] for row in ours.rows or []]), normal(other.rows or [])
    if not a or len(a) != len(b):
        raise Failed(f"{question}: {len(a)} rows from AURA, {len(b)} from {other.name}")
    for x, y in zip(a, b, strict=True):
        if x[:-1] != y[:-1] or not math.isclose(x[-1], y[-1], rel_tol=1e-9):
            raise Failed(f"{question}: AURA says {x}, {other.name} says {y}")


class Suite:
    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.scratch: pathlib.Path = args.scratch / "questions"
        self.scratch.mkdir(parents=True, exist_ok=True)

    def log(self, events: int) -> pathlib.Path:
        out = self.args.made / f"questions-{events}"
        if not (out / "events.parquet").exists():
            print(f"making {out}", flush=True)
            times, rest = divmod(events, LARGEST_MADE)
            if times > 1 and rest == 0:
                data.repeat(self.log(LARGEST_MADE), out, times)
            else:
                data.write(out, events, max(events // 20, 1), 90, seed=1, formats=["parquet"])
        return out / "events.parquet"

    def program(self, *words: object) -> dict:
        return last_json([str(self.args.program), *map(str, words)])

    def peer(self, *words: object) -> list[str]:
        return [sys.executable, str(ROOT / "benches" / "question_peers.py"), *map(str, words)]

    def prepared(self, name: str, log: pathlib.Path, command: list[str]) -> pathlib.Path:
        """Returns a place that `command` fills; it is kept, beside the identity of the log."""
        stat = log.stat()
        place = self.scratch / f"{name}-{stat.st_size}-{int(stat.st_mtime)}"
        done = place.with_name(place.name + ".done")
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.unlink(missing_ok=True)
            print(f"making {place.name}", flush=True)
            if os.spawnvp(os.P_WAIT, command[0], [*command, str(place)]) != 0:
                raise Failed(f"{' '.join(command)} failed")
            done.touch()
        return place

    def store(self, log: pathlib.Path) -> pathlib.Path:
        return self.prepared("aura", log, [str(self.args.program), "prepare", str(log)])

    def turns(self, contenders: dict[str, list[str]]) -> dict[str, Measured]:
        found = {name: Measured(name) for name in contenders}
        for turn in range(self.args.runs):
            for name, command in contenders.items():
                line = last_json(command)
                found[name].add(line)
                shown = ", ".join(f"{s:.3f}" for s in line["seconds"])
                print(f"{name:16s} turn {turn + 1}: {shown}", flush=True)
        return found

    def ours(self, form: str, place: pathlib.Path, question: str) -> list[str]:
        return [str(self.args.program), "ask", form, str(place), question, str(RUNS_EACH + 1)]

    def question(self, name: str, log: pathlib.Path) -> tuple[dict[str, Measured], list[str]]:
        print(f"== {name}", flush=True)
        contenders = {"AURA, store": self.ours("store", self.store(log), name), "AURA, file": self.ours("file", log, name)}
        for peer in FILE_PEERS:
            contenders[peer] = self.peer("ask", peer, log, name, RUNS_EACH + 1)
        for peer in TABLE_PEERS:
            place = self.prepared(peer, log, self.peer("prepare", peer, log))
            contenders[peer] = self.peer("ask", peer, place, name, RUNS_EACH + 1)
        found = self.turns(contenders)
        for peer in FILE_PEERS + TABLE_PEERS:
            for form in ("AURA, store", "AURA, file"):
                check(name, found[form], found[peer])
        bars = []
        for form, bar, peers in (("store", QUESTIONS[name][0], FILE_PEERS + TABLE_PEERS), ("file", QUESTIONS[name][1], FILE_PEERS)):
            best = min((found[peer] for peer in peers), key=lambda m: m.median)
            ours = found[f"AURA, {form}"]
            part = ours.median / best.median
            bars.append(f"| {name}, {form} | ≤ {bar} × | {ours.median:.3f} s | {best.name}: {best.median:.3f} s | {part:.2f} × | {verdict(part <= bar)} |")
        return found, bars

    def twenty(self, log: pathlib.Path) -> list[str]:
        """Twenty metrics in one query beside the dearest of them alone."""
        bars = []
        for form, place in (("store", self.store(log)), ("file", log)):
            print(f"== twenty, {form}", flush=True)
            alone = {name: self.ours(form, place, f"only_{name}") for name in DEAREST}
            found = self.turns(alone | {"twenty": self.ours(form, place, "twenty")})
            together = found.pop("twenty")
            dearest = max(found.values(), key=lambda m: m.median)
            part = together.median / dearest.median
            bars.append(
                f"| 20 metrics by day and plan, {form} | ≤ 2 × the dearest alone | {together.median:.3f} s |"
                f" {dearest.name}: {dearest.median:.3f} s | {part:.2f} × | {verdict(part <= 2)} |"
            )
        return bars

    def linear(self) -> list[str]:
        """How time and memory grow with the log."""
        lines = []
        for events in self.args.sizes:
            log = self.log(events)
            store = self.store(log)
            for question in self.args.only or QUESTIONS:
                found = self.turns({form: self.ours(form, place, question) for form, place in (("store", store), ("file", log))})
                cells = [f"{m.median:.3f} | {m.median / events * 1e9:.1f} | {m.peak_rss / MIB:.0f}" for m in found.values()]
                lines.append(f"| {question} | {events:,} | " + " | ".join(cells) + " |")
        return lines


def verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def page(args: argparse.Namespace, bars: list[str], table: list[str], linear: list[str]) -> str:
    return "\n".join(
        [
            "# Metrics beside the peers",
            "",
            "Written by `make bench-metrics`; change `benches/`, not this page.",
            "",
            *facts(args),
            "",
            f"{args.events:,} events of {args.actors:,} actors; everybody has two threads and the same cores, and gives the same answers"
            " (checked in each run). The store is compacted; the peers' own tables (`_native`) are sorted by (user, time). A file is opened and"
            " read in each run. Medians; compare ratios, not seconds.",
            "",
            "| question | bar, of the fastest peer's time | AURA | fastest peer | found | |",
            "|---|---|---|---|---|---|",
            *bars,
            "",
            "## All contenders, seconds",
            "",
            "| question | " + " | ".join(["AURA, store", "AURA, file", *FILE_PEERS, *TABLE_PEERS]) + " |",
            "|---|" + "---|" * (2 + len(FILE_PEERS) + len(TABLE_PEERS)),
            *table,
            "",
            "## Growth",
            "",
            "Another log of the same shape, an actor for every 20 events. MiB are the most that the process held; the engine's limit is its default, 1 GiB.",
            "",
            "| question | events | store: s | ns/event | MiB | file: s | ns/event | MiB |",
            "|---|---|---|---|---|---|---|---|",
            *linear,
            "",
        ]
    )


def arguments() -> argparse.Namespace:
    folder = ROOT / "benches" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written into the page")
    parser.add_argument("--only", type=lambda text: text.split(","), help="questions, separated by commas (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="turns; each asks three times")
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--actors", type=int, default=1_000_000)
    parser.add_argument("--sizes", type=lambda text: [int(s) for s in text.split(",") if s], default=[2_000_000, 20_000_000, 100_000_000])
    parser.add_argument("--log", type=pathlib.Path, help="a folder with events.parquet of another generator")
    parser.add_argument("--made", type=pathlib.Path, default=folder, help="where logs are made and kept")
    parser.add_argument("--scratch", type=pathlib.Path, default=folder / "scratch", help="where stores and tables are made and kept")
    parser.add_argument("--program", type=pathlib.Path, help="a question_bench built before")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "benchmarks" / "metrics.md")
    args = parser.parse_args()
    for name in ("log", "made", "scratch", "program", "out"):
        if path := getattr(args, name):
            setattr(args, name, path.resolve())
    args.made.mkdir(parents=True, exist_ok=True)
    return args


def main() -> int:
    args = arguments()
    args.load = os.getloadavg()[0]
    args.program = args.program or build("question_bench")
    args.cores = share_cores()
    suite = Suite(args)
    log = args.log / "events.parquet" if args.log else suite.log(args.events)
    bars, table, failures = [], [], 0
    for question in args.only or QUESTIONS:
        try:
            found, lines = suite.question(question, log)
            bars += lines
            table.append(f"| {question} | " + " | ".join(f"{m.median:.3f}" for m in found.values()) + " |")
        except Failed as failure:
            failures += 1
            bars.append(f"| {question} | – | failed: {failure} | – | – | not measured |")
    if not args.only:
        bars += suite.twenty(log)
    text = page(args, bars, table, suite.linear())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(f"\n{text}\nwritten to {args.out}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
