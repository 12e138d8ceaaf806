"""Asks AURA and its peers the same questions of the same log, in turns, and writes docs/benchmarks/TOPIC.md.

usage: benches/questions.py metrics|behavior [--date YYYY-MM-DD] [--only QUESTION,...] [--runs N] ...
       (`make bench-metrics` and `make bench-behavior` do; see --help)

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
import pyarrow.parquet as pq
from harness import MIB, ROOT, Failed, build, facts, last_json, share_cores

FILE_PEERS = ["duckdb", "polars", "chdb"]
TABLE_PEERS = ["duckdb_native", "chdb_native"]
MEMORY_PEERS = ["chdb_arrow"]
# What AURA reads, and whom it is compared with there: a compacted store with everybody's best, a raw Parquet file with those that read
# the same file, an Arrow table in memory with who reads the same table.
FORMS = {"store": FILE_PEERS + TABLE_PEERS, "file": FILE_PEERS, "table": MEMORY_PEERS}


@dataclasses.dataclass
class Topic:
    """Questions of a kind, with the bar of each in each form, as a part of the fastest peer's time."""

    title: str
    bars: dict[str, dict[str, float]]
    # Many questions in one go: its name, how the page names it, the questions of which the dearest alone is compared.
    together: tuple[str, str, list[str]]
    # Questions that a peer has no answer to, or only one that takes minutes.
    without: dict[str, list[str]]


TOPICS = {
    "metrics": Topic(
        "Metrics beside the peers",
        {
            "dau_by_plan": {"store": 0.3, "file": 1.0},
            "adoption": {"store": 0.3, "file": 1.0},
            "events_by_week_team": {"store": 0.6, "file": 1.2},
            "ai_coverage": {"store": 0.6, "file": 1.2},
        },
        (
            "twenty",
            "20 metrics by day and plan",
            ["only_" + name for name in ("actors", "adopters", "ai_users", "editors", "adoption", "events_per_actor", "paid_actors", "revenue", "mean_amount")],
        ),
        {},
    ),
    "behavior": Topic(
        "Behaviour beside the peers",
        {
            "funnel_4": {"store": 0.4, "file": 1.0, "table": 0.5},
            "retention_weekly": {"store": 0.3, "file": 1.0, "table": 0.5},
            "sessions_30m": {"store": 0.15, "file": 0.6, "table": 0.5},
            "sequence": {"store": 0.4, "file": 1.0, "table": 0.5},
        },
        ("ten", "10 funnels and retentions at once", [f"ten_{number}" for number in range(10)]),
        # DuckDB's windows take the events of one actor by one thread: 50 to 85 s a run where an actor has half of them.
        {"funnel_4": ["polars", "duckdb", "duckdb_native"], "sequence": ["polars", "duckdb", "duckdb_native"]},
    ),
}
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
    for row in rows:
        period, *rest = row if len(row) > 1 else ["all", *row]
        value = rest[-1]
        number = None if value in (None, "", "\\N") else float(value)
        if number is not None and not math.isnan(number) and not math.isinf(number) and number != 0:
            found.append((str(period)[:10], *map(str, rest[:-1]), number))
    return sorted(found)


def check(question: str, ours: Measured, other: Measured) -> None:
    a, b = normal(ours.rows or []), normal(other.rows or [])
    if not a or len(a) != len(b):
        raise Failed(f"{question}: {len(a)} rows from AURA, {len(b)} from {other.name}")
    for x, y in zip(a, b, strict=True):
        if x[:-1] != y[:-1] or not math.isclose(x[-1], y[-1], rel_tol=1e-9):
            raise Failed(f"{question}: AURA says {x}, {other.name} says {y}")


class Suite:
    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.topic = TOPICS[args.topic]
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
        bars = self.topic.bars[name]
        contenders = {f"AURA, {form}": self.ours(form, self.place(form, log), name) for form in bars}
        for peer in self.peers(name):
            place = self.prepared(peer, log, self.peer("prepare", peer, log)) if peer in TABLE_PEERS else log
            contenders[peer] = self.peer("ask", peer, place, name, RUNS_EACH + 1)
        found = self.turns(contenders)
        for peer in self.peers(name):
            for form in bars:
                check(name, found[f"AURA, {form}"], found[peer])
        lines = []
        for form, bar in bars.items():
            best = min((found[peer] for peer in self.peers(name) if peer in FORMS[form]), key=lambda m: m.median)
            ours = found[f"AURA, {form}"]
            part = ours.median / best.median
            lines.append(f"| {name}, {form} | ≤ {bar} × | {ours.median:.3f} s | {best.name}: {best.median:.3f} s | {part:.2f} × | {verdict(part <= bar)} |")
        return found, lines

    def peers(self, question: str) -> list[str]:
        """Those that can answer it, in one of the forms that it is asked in."""
        asked = [peer for form in self.topic.bars[question] for peer in FORMS[form]]
        return [peer for peer in dict.fromkeys(asked) if peer not in self.topic.without.get(question, [])]

    def place(self, form: str, log: pathlib.Path) -> pathlib.Path:
        return self.store(log) if form == "store" else log

    def together(self, log: pathlib.Path) -> list[str]:
        """Many questions at once beside the dearest of them alone."""
        name, title, single = self.topic.together
        bars = []
        for form in next(iter(self.topic.bars.values())):
            print(f"== {name}, {form}", flush=True)
            place = self.place(form, log)
            found = self.turns({one: self.ours(form, place, one) for one in [*single, name]})
            together = found.pop(name)
            dearest = max(found.values(), key=lambda m: m.median)
            part = together.median / dearest.median
            bars.append(
                f"| {title}, {form} | ≤ 2 × the dearest alone | {together.median:.3f} s |"
                f" {dearest.name.removeprefix('only_')}: {dearest.median:.3f} s | {part:.2f} × | {verdict(part <= 2)} |"
            )
        return bars

    def linear(self) -> list[str]:
        """How time and memory grow with the log."""
        lines = []
        for events in self.args.sizes:
            log = self.log(events)
            lines += self.growth(f"{events:,}", log)
        return lines

    def growth(self, what: str, log: pathlib.Path) -> list[str]:
        lines = []
        events = pq.ParquetFile(log).metadata.num_rows
        for question in self.args.only or self.topic.bars:
            found = self.turns({form: self.ours(form, self.place(form, log), question) for form in ("store", "file")})
            cells = [f"{m.median:.3f} | {m.median / events * 1e9:.1f} | {m.peak_rss / MIB:.0f}" for m in found.values()]
            lines.append(f"| {question} | {what} | " + " | ".join(cells) + " |")
        return lines

    def shapes(self) -> list[str]:
        """The same number of events, by one actor, by few and by as many."""
        events, lines = self.args.shape_events, []
        for what, users in (("1 actor", 1), (f"{events // 20:,} actors", events // 20), (f"{events:,} actors", events)):
            out = self.args.made / f"shape-{events}-{users}"
            if not (out / "events.parquet").exists():
                print(f"making {out}", flush=True)
                data.one_each(self.log(events), out) if users == events else data.write(out, events, users, 90, seed=1, formats=["parquet"])
            lines += self.growth(f"{events:,} of {what}", out / "events.parquet")
        return lines


def verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def unasked(topic: Topic) -> list[str]:
    if not topic.without:
        return []
    parts = "; ".join(f"{question} of {', '.join(peers)}" for question, peers in topic.without.items())
    return [f"Not asked, for want of an answer or because one run takes a minute: {parts}.", ""]


def page(args: argparse.Namespace, bars: list[str], table: list[str], growth: list[str], shapes: list[str]) -> str:
    topic = TOPICS[args.topic]
    forms = list(next(iter(topic.bars.values())))
    names = [f"AURA, {form}" for form in forms] + list(dict.fromkeys(peer for form in forms for peer in FORMS[form]))
    head = ["| question | events | store: s | ns/event | MiB | file: s | ns/event | MiB |", "|---|---|---|---|---|---|---|---|"]
    return "\n".join(
        [
            f"# {topic.title}",
            "",
            f"Written by `make bench-{args.topic}`; change `benches/`, not this page.",
            "",
            *facts(args),
            "",
            f"{args.events:,} events of {args.actors:,} actors; everybody has two threads and the same cores, and gives the same answers"
            " (checked in each run). The store is compacted; the peers' own tables (`_native`) are sorted by (user, time). A file is opened and"
            " read in each run; a table is in memory (`_arrow`: the peer's view of it). Medians; compare ratios, not seconds.",
            "",
            "| question | bar, of the fastest peer's time | AURA | fastest peer | found | |",
            "|---|---|---|---|---|---|",
            *bars,
            "",
            "## All contenders, seconds",
            "",
            "| question | " + " | ".join(names) + " |",
            "|---|" + "---|" * len(names),
            *(f"| {question} | " + " | ".join(f"{found[name].median:.3f}" if name in found else "–" for name in names) + " |" for question, found in table),
            "",
            *unasked(topic),
            "## Growth",
            "",
            "Another log of the same shape, an actor for every 20 events. MiB are the most that the process held; the engine's limit is its default, 1 GiB.",
            "",
            *head,
            *growth,
            "",
            *(["## Shapes", "", *head, *shapes, ""] if shapes else []),
        ]
    )


def arguments() -> argparse.Namespace:
    folder = ROOT / "benches" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topic", choices=list(TOPICS))
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written into the page")
    parser.add_argument("--only", type=lambda text: text.split(","), help="questions, separated by commas (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="turns; each asks three times")
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--actors", type=int, default=1_000_000)
    parser.add_argument("--sizes", type=lambda text: [int(s) for s in text.split(",") if s], help="of the logs that growth is shown with")
    parser.add_argument("--shape-events", type=int, default=5_000_000, help="0: no shapes")
    parser.add_argument("--log", type=pathlib.Path, help="a folder with events.parquet of another generator")
    parser.add_argument("--made", type=pathlib.Path, default=folder, help="where logs are made and kept")
    parser.add_argument("--scratch", type=pathlib.Path, default=folder / "scratch", help="where stores and tables are made and kept")
    parser.add_argument("--program", type=pathlib.Path, help="a question_bench built before")
    parser.add_argument("--out", type=pathlib.Path, help="default: docs/benchmarks/TOPIC.md")
    args = parser.parse_args()
    args.sizes = args.sizes if args.sizes is not None else [2_000_000, 20_000_000, 200_000_000 if args.topic == "behavior" else 100_000_000]
    args.out = args.out or ROOT / "docs" / "benchmarks" / f"{args.topic}.md"
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
    for question in args.only or suite.topic.bars:
        try:
            found, lines = suite.question(question, log)
            bars += lines
            table.append((question, found))
        except Failed as failure:
            failures += 1
            bars.append(f"| {question} | – | failed: {failure} | – | – | not measured |")
    if not args.only:
        bars += suite.together(log)
    shapes = suite.shapes() if args.topic == "behavior" and args.shape_events else []
    text = page(args, bars, table, suite.linear(), shapes)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(f"\n{text}\nwritten to {args.out}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
