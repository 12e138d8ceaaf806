"""Writes conformance/functions/clickhouse.json: the functions of SQL, with the results of ClickHouse (chdb).

    python make_vectors.py            (needs the package chdb, 26.x)

Times do not repeat within a group where ClickHouse's result depends on the order of arrival.
"""

import json
import pathlib
import random

import chdb

random.seed(7)
EVENTS = "abcd"
COND = ["event = 'a'", "event = 'b'", "event = 'c'", "event IN ('b', 'd')"]


def stream(ties, events=EVENTS):
    rows = []
    for actor in range(60):
        n = random.randint(0, 9)
        if ties:
            times = sorted(random.randint(0, 12) for _ in range(n))
        else:
            times = sorted(random.sample(range(0, 20), n))
        for t in times:
            rows.append((f"u{actor:02}", t, random.choice(events)))
    random.shuffle(rows)
    return rows


def table(rows):
    return "(SELECT * FROM values('actor String, t UInt64, event String', %s))" % ", ".join(
        f"('{a}', {t}, '{e}')" for a, t, e in rows
    )


def ask(expression, rows):
    query = f"SELECT actor, {expression} AS x FROM {table(rows)} GROUP BY actor ORDER BY actor"
    query += " SETTINGS allow_experimental_funnel_functions = 1"
    out = chdb.query(query, "JSONCompact").data()
    return json.loads(out)["data"]


def number(value):
    return int(value) if isinstance(value, (str, int)) else value


distinct, tied, loops = stream(False), stream(True), stream(False, "aab")
cases = {"distinct": [], "tied": [], "loops": []}


def case(data, rows, description, ours, theirs, kind):
    found = ask(theirs, rows)
    expected = []
    for actor, x in found:
        if kind == "bool":
            x = bool(number(x))
        elif kind == "int":
            x = number(x)
        elif kind == "ints":
            x = [number(v) for v in x]
        elif kind == "times":
            x = [number(v) for v in x]
        expected.append([actor, x])
    cases[data].append({"description": description, "expression": ours, "kind": kind, "expected": expected})


abc = ", ".join(COND[:3])
every = ", ".join(COND)
for window in (3, 8):
    for mode in ("", "strict_deduplication", "strict_order", "strict_order,allow_reentry", "strict_once",
                 "strict_order,strict_deduplication"):
        args = "".join(f", '{m}'" for m in mode.split(",") if m)
        ours = f"'{mode}', " if mode else ""
        for data, rows in (("distinct", distinct), ("tied", tied), ("loops", loops)):
            case(data, rows, f"window_funnel {mode or 'plain'} {window} s",
                 f"window_funnel('{window} seconds', {ours}time, {abc})",
                 f"windowFunnel({window}{args})(t, {abc})", "int")
        case("distinct", distinct, f"window_funnel {mode or 'plain'} {window} s, one event of two conditions",
             f"window_funnel('{window} seconds', {ours}time, {every})",
             f"windowFunnel({window}{args})(t, {every})", "int")
    for data, rows in (("distinct", distinct), ("loops", loops)):
        case(data, rows, f"window_funnel strict_increase {window} s",
             f"window_funnel('{window} seconds', 'strict_increase', time, {abc})",
             f"windowFunnel({window}, 'strict_increase')(t, {abc})", "int")

PATTERNS = [
    "(?1)(?2)", "(?1).*(?2)", "(?1).(?3)", "(?1).*(?2).*(?3)", "(?1)(?1)", "(?1).*(?1)", "..(?2)", "(?4)(?4)",
    "(?1)(?t<=3)(?2)", "(?1)(?t>3)(?2)", "(?1)(?t>=2)(?3)", "(?1)(?t==2)(?2)", "(?1)(?t<2)(?4)",
    "(?1)(?t<=4)(?2)(?t>1)(?3)", "(?2).*(?1)(?t<=5)(?4)", ".(?t>=4).", "(?1)(?2).*(?3)(?4)",
]
for pattern in PATTERNS:
    for data, rows in (("distinct", distinct), ("loops", loops)):
        # Plain SQL calls a seconds-long unit what ClickHouse takes as the number itself.
        case(data, rows, f"sequence_match {pattern}", f"sequence_match('{pattern}', time, {every})",
             f"sequenceMatch('{pattern}')(t, {every})", "bool")
        case(data, rows, f"sequence_count {pattern}", f"sequence_count('{pattern}', time, {every})",
             f"sequenceCount('{pattern}')(t, {every})", "int")
        if "(?t" not in pattern:
            case(data, rows, f"sequence_match_events {pattern}", f"sequence_match_events('{pattern}', time, {every})",
                 f"sequenceMatchEvents('{pattern}')(t, {every})", "times")

case("distinct", distinct, "retention", f"retention({every})", f"retention({every})", "ints")
case("tied", tied, "retention", f"retention({every})", f"retention({every})", "ints")

for direction, base in (("forward", "head"), ("backward", "tail"), ("forward", "first_match"),
                        ("forward", "last_match"), ("backward", "first_match"), ("backward", "last_match")):
    for conditions in (["event = 'a'"], ["event = 'a'", "event = 'b'"]):
        for condition in ("event != 'd'", "event = 'a'"):
            args = ", ".join(["event", condition, *conditions])
            case("distinct", distinct, f"sequence_next_node {direction} {base} {args}",
                 f"sequence_next_node('{direction}', '{base}', time, {args})",
                 f"sequenceNextNode('{direction}', '{base}')(toDateTime(t), {args})", "text")

out = {
    "description": "The functions of SQL over groups of events, where ClickHouse defines the result.",
    "source": f"tests/functions/make_vectors.py: ClickHouse (chdb {chdb.__version__}, {chdb.engine_version})",
    "data": {
        name: [{"actor": a, "time": t, "event": e} for a, t, e in rows]
        for name, rows in (("distinct", distinct), ("tied", tied), ("loops", loops))
    },
    "cases": cases,
}
path = pathlib.Path(__file__).parents[2] / "conformance/functions/clickhouse.json"
path.write_text(json.dumps(out, separators=(",", ":")).replace('{"description"', '\n{"description"') + "\n")
print(path, {k: len(v) for k, v in cases.items()})
