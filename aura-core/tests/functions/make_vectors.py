#!/usr/bin/env python3
"""Writes the vectors of conformance/functions: the functions of SQL, with the results of ClickHouse (chdb 26), and where they
differ from it.

usage: make_vectors.py DIRECTORY
Times do not repeat within a group where ClickHouse's result depends on the order of arrival.
"""

import json
import pathlib
import random
import sys

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
                 "strict_order,strict_deduplication", "strict_once,strict_order", "strict_once,strict_deduplication",
                 "strict_once,strict_order,allow_reentry", "strict_once,strict_order,strict_deduplication"):
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
(pathlib.Path(sys.argv[1]) / "clickhouse.json").write_text(json.dumps(out, separators=(",", ":")).replace('{"description"', '\n{"description"') + "\n")


def one(expression, rows):
    """What ClickHouse says of one group; `error` where it refuses."""
    values = ", ".join(f"({t}, '{e}')" for t, e in rows)
    query = f"SELECT {expression} AS x FROM (SELECT * FROM values('t UInt64, event String', {values})) SETTINGS max_threads = 1"
    try:
        return json.loads(chdb.query(query, "JSONCompact").data())["data"][0][0]
    except Exception:
        return "error"


# Events as they arrive; what AURA says, by hand, or with what its error ends.
AB = "event = 'a', event = 'b'"
TIED = [(0, "x"), (0, "b"), (1, "c")]
OVERLAP = "event IN ('a', 'x'), event IN ('x', 'b'), event = 'c'"
MANY = ", ".join(["event = 'a'"] * 40)
NULLED = "CASE WHEN event <> 'b' THEN event = 'a' END, event = 'b'"
DIFFERENCES = [
    ("strict_increase loses no chain", [(0, "a"), (1, "a"), (1, "b")],
     f"window_funnel('10 seconds', 'strict_increase', time, {AB})", f"windowFunnel(10, 'strict_increase')(t, {AB})", 2),
    ("strict_once with strict_deduplication on ties", TIED,
     f"window_funnel('10 seconds', 'strict_once,strict_deduplication', time, {OVERLAP})",
     f"windowFunnel(10, 'strict_once', 'strict_deduplication')(t, {OVERLAP})", 2),
    ("and in the other order of arrival", [TIED[1], TIED[0], TIED[2]],
     f"window_funnel('10 seconds', 'strict_once,strict_deduplication', time, {OVERLAP})",
     f"windowFunnel(10, 'strict_once', 'strict_deduplication')(t, {OVERLAP})", 2),
    ("40 conditions", [(0, "a")], f"window_funnel('10 seconds', time, {MANY})", f"windowFunnel(10)(t, {MANY})", 40),
    ("65 conditions", [(0, "a")], f"window_funnel('10 seconds', time, {MANY}, {', '.join(['true'] * 25)})", f"windowFunnel(10)(t, {MANY})",
     {"error": "window_funnel: 65 conditions; from 1 to 64 are expected"}),
    ("ties in the order of conditions", [(0, "a"), (0, "b")], f"sequence_match('(?1)(?2)', time, {AB})", f"sequenceMatch('(?1)(?2)')(t, {AB})", True),
    ("and in the other order of arrival", [(0, "b"), (0, "a")], f"sequence_match('(?1)(?2)', time, {AB})", f"sequenceMatch('(?1)(?2)')(t, {AB})", True),
    ("two conditions on one time", [(0, "a"), (1, "b"), (5, "b")],
     f"sequence_match('(?1)(?t>=2)(?t<=3)(?2)', time, {AB})", f"sequenceMatch('(?1)(?t>=2)(?t<=3)(?2)')(t, {AB})", False),
    ("a condition on time after any events", [(0, "a"), (4, "c"), (5, "b")],
     f"sequence_match('(?1).*(?t<=3)(?2)', time, {AB}, event = 'c')", f"sequenceMatch('(?1).*(?t<=3)(?2)')(t, {AB}, event = 'c')", False),
    ("a condition on time at the start", [(0, "a")], f"sequence_match('(?t<=3)(?1)', time, {AB})", f"sequenceMatch('(?t<=3)(?1)')(t, {AB})",
     {"error": "a condition on time stands between two events; there is none before it"}),
    ("a condition on time at the end", [(0, "a"), (9, "b")], f"sequence_match('(?1)(?t<=3)', time, {AB})", f"sequenceMatch('(?1)(?t<=3)')(t, {AB})",
     {"error": "a condition on time stands between two events; there is none after it"}),
    ("a pattern without events", [(0, "a")], f"sequence_match('', time, {AB})", f"sequenceMatch('')(t, {AB})", {"error": "the pattern names no event"}),
    ("condition 0", [(0, "a")], f"sequence_match('(?0)', time, {AB})", f"sequenceMatch('(?0)')(t, {AB})", {"error": "there is no condition 0; there are 2, from 1"}),
    ("many ways to match", [*((i, "a") for i in range(400)), (400, "b")], f"sequence_match('{'(?1)(?t>=0)' * 6}(?1)(?t>500)(?2)', time, {AB})",
     f"sequenceMatch('{'(?1)(?t>=0)' * 6}(?1)(?t>500)(?2)')(t, {AB})", False),
    ("a condition that is null is not met", [(0, "a"), (1, "b")], f"window_funnel('10 seconds', time, {NULLED})", f"windowFunnel(10)(t, {NULLED})", 2),
]
out = {
    "description": "Where the functions of SQL differ from ClickHouse, as docs/behavior.md lists it.",
    "source": f"by hand; beside it what ClickHouse says (chdb {chdb.__version__}, {chdb.engine_version})",
    "cases": [
        {"description": d, "data": [{"actor": "u", "time": t, "event": e} for t, e in rows], "expression": ours, "expected": expected,
         "clickhouse": {"expression": theirs, "result": (result := one(theirs, rows))}, "same": result == expected}
        for d, rows, ours, theirs, expected in DIFFERENCES
    ],
}
(pathlib.Path(sys.argv[1]) / "differences.json").write_text(json.dumps(out, separators=(",", ":")).replace('{"description"', '\n{"description"') + "\n")
