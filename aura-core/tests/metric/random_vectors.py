#!/usr/bin/env python3
"""Writes random data, random questions, and what DuckDB answers, in the form of the vectors of conformance/metric.

The statements are made here from the parts of the question, and share nothing with AURA.
usage: random_vectors.py SEED NUMBER > VECTORS
"""
import json
import random
import sys
from datetime import datetime, timedelta, timezone

import duckdb

SIMPLE = {
    "events": ("count(*)", None),
    "actors": ("count(distinct actor)", None),
    "buyers": ("count(distinct actor)", "event = 'buy'"),
    "pairs": ("count(distinct actor, team)", None),
    "amounts": ("count(amount)", "event <> 'view'"),
    "revenue": ("sum(amount)", None),
    "spent": ("sum(amount) filter (where event = 'buy') - sum(amount) filter (where event = 'sell')", None),
    "mean": ("avg(amount)", "team in ('x', 'y')"),
    "least": ("min(amount)", None),
    "most": ("max(amount)", "amount < 50"),
    "middle": ("median(amount)", None),
    "p95": ("percentile_cont(amount, 0.95)", None),
    "words": ("count(*)", "event like 'b%' or team is null"),
    "big": ("sum(case when amount > 20 then amount else 0 end)", None),
    "late": ("count(*)", "date_part('hour', time) >= 12"),
}
RATIOS = {"rate": ("buyers", "actors"), "per_actor": ("events", "actors"), "share": ("words", "events")}
DERIVED = {"growth": ("events", "words", "week"), "change": ("revenue", "events", "day")}
WINDOWS = {"weekly": ("count(distinct actor)", 7), "monthly": ("sum(amount)", 30), "two_days": ("count(*)", 2)}
ZERO = {"events", "actors", "buyers", "pairs", "amounts", "revenue", "spent", "words", "big", "late"}
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]


def registry():
    lines = ["version: 1", "metrics:"]
    def add(**keys):
        lines.append("  - " + json.dumps(keys))
    for name, (expr, keep) in SIMPLE.items():
        add(name=name, kind="simple", expr=expr, **({"filter": keep} if keep else {}))
    for name, (above, below) in RATIOS.items():
        add(name=name, kind="ratio", numerator="{%s}" % above, denominator="{%s}" % below)
    for name, (a, b, unit) in DERIVED.items():
        add(name=name, kind="derived", expr="cast({%s} as double) - 2 * cast({%s offset 1 %s} as double)" % (a, b, unit))
    for name, (expr, days) in WINDOWS.items():
        add(name=name, kind="cumulative", expr=expr, window=f"{days} days")
    add(name="converted", kind="conversion", base="event = 'view'", conversion="event = 'buy'", window="2 days")
    add(name="reached", kind="funnel", steps=["event = 'view'", "event = 'sell'", "event = 'buy'"], window="2 days")
    add(name="sold", kind="funnel", steps=["event = 'view'", "event = 'sell'", "event = 'buy'"], step=2, window="2 days")
    return "\n".join(lines)


def rows(rng):
    start = datetime(2026, rng.choice([1, 3, 10]), rng.randint(1, 28), tzinfo=timezone.utc)
    spread = rng.choice([1, 5, 30, 60])
    found = []
    for _ in range(rng.choice([1, 3, 20, 80])):
        second = rng.randrange(spread * 86_400)
        found.append({
            "time": (start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": rng.choice("abcdefg"),
            "event": rng.choice(["view", "view", "buy", "sell"]),
            "team": rng.choice(["x", "y", "z", None]),
            "amount": rng.choice([None, float(rng.randrange(100)), rng.randrange(1000) / 8]),
        })
    return found


def local(zone, expr="time"):
    return f"({expr} AT TIME ZONE '{zone}')"


def ask(db, query):
    """The rows of the answer."""
    zone, grain, by = query["time_zone"], query["grain"], query["by"]
    keep = query.get("filter", "true")
    names = query["metrics"]
    db.execute("DROP VIEW IF EXISTS kept; DROP TABLE IF EXISTS spine")
    db.execute(f"CREATE VIEW kept AS SELECT *, row_number() OVER (ORDER BY \"time\", actor) AS id, {local(zone)} AS clock FROM events WHERE {keep}")
    db.execute(f"""
        CREATE TABLE spine AS SELECT unnest(generate_series(
            date_trunc('{grain}', min({local(zone)})), date_trunc('{grain}', max({local(zone)})), INTERVAL 1 {grain})) AS p FROM events""")
    dims = "".join(f", {d}" for d in by)
    equal = "".join(f" AND a.{d} IS NOT DISTINCT FROM g.{d}" for d in by)

    def simple(expr, condition, extra=""):
        # DuckDB's count(distinct a, b) is written with a row; both parts must be there.
        expr = expr.replace("count(distinct actor, team)", "count(distinct case when team is not null then (actor, team) end)")
        expr = expr.replace("percentile_cont(amount, 0.95)", "quantile_cont(amount, 0.95)")
        expr = expr.replace("date_part('hour', time)", "date_part('hour', clock)")
        condition = (condition or "true").replace("date_part('hour', time)", "date_part('hour', clock)")
        # A difference of sums is null where one of them is of nothing, and 0 where both are.
        there = "count(amount) FILTER (WHERE event IN ('buy', 'sell')) > 0" if " - " in expr else f"{expr} IS NOT NULL"
        return f"SELECT date_trunc('{grain}', clock) AS p{dims}, {expr} AS v, {there} AS there FROM kept WHERE {condition} GROUP BY ALL"

    tables = {}

    def of(name):
        """A table of p, dimensions and the value v, over all periods that have any."""
        if name in SIMPLE:
            return simple(*SIMPLE[name])
        if name in WINDOWS:
            expr, days = WINDOWS[name]
            return f"""SELECT s.p{dims}, {expr} AS v, {expr} IS NOT NULL AS there FROM spine s JOIN kept ON clock < s.p + INTERVAL 1 {grain}
                AND clock >= s.p + INTERVAL 1 {grain} - INTERVAL {days} DAY GROUP BY ALL"""
        raise KeyError(name)

    # Every combination that some metric counts, in the periods asked for or reached by windows and offsets.
    counted = []
    asked = set(names)
    for name in names:
        asked |= set(RATIOS.get(name, ())) | set(DERIVED.get(name, ())[:2])
    for name in asked & set(SIMPLE):
        expr, condition = SIMPLE[name]
        if name == "spent":
            condition = "event in ('buy', 'sell')"
        condition = (condition or "true").replace("date_part('hour', time)", "date_part('hour', clock)")
        counted.append(f"SELECT DISTINCT {', '.join(by) or '1'} FROM kept WHERE {condition}")
    for name in asked & set(WINDOWS):
        counted.append(f"SELECT DISTINCT {', '.join(by) or '1'} FROM ({of(name)})")
    if {"converted", "reached", "sold"} & asked:
        counted.append(f"SELECT DISTINCT {', '.join(by) or '1'} FROM kept WHERE event = 'view'")
    combos = " UNION ".join(counted) if by else "SELECT 1 AS nothing"
    db.execute(f"CREATE OR REPLACE TABLE grid AS SELECT s.p, c.* FROM spine s, ({combos}) c")

    def value(name, back=None):
        """SELECT p, dims, v over the grid, filled; `back` shifts it."""
        source = of(name)
        on = f"a.p = g.p{' - INTERVAL 1 ' + back if back else ''}"
        v = "CASE WHEN a.there THEN a.v ELSE 0 END" if name in ZERO or name in WINDOWS else "a.v"
        return f"SELECT g.*, {v} AS v FROM grid g LEFT JOIN ({source}) a ON {on}{equal}"

    columns = []
    for name in names:
        if name in SIMPLE or name in WINDOWS:
            columns.append((name, value(name)))
        elif name in RATIOS:
            above, below = RATIOS[name]
            both = f"SELECT a.* EXCLUDE (v), a.v / nullif(g.v, 0) AS v, g.v AS n FROM ({value(above)}) a JOIN ({value(below)}) g ON a.p = g.p{equal}"
            columns.append((name, f"SELECT * EXCLUDE (n) FROM ({both})"))
            columns.append((name + "_n", f"SELECT * EXCLUDE (v, n), n AS v FROM ({both})"))
        elif name in DERIVED:
            first, second, unit = DERIVED[name]
            columns.append((name, f"""SELECT a.* EXCLUDE (v), a.v - 2 * g.v AS v FROM ({value(first)}) a
                JOIN ({value(second, unit)}) g ON a.p = g.p{equal}"""))
        else:
            # A step is in time when it comes within two days of the view that it goes back to.
            later = """JOIN kept {0} ON {0}.event = '{1}' AND {0}.actor = b.actor AND {0}.time >= {2}.time
                AND {0}.time <= (b.clock + INTERVAL 2 DAY) AT TIME ZONE '{3}'"""
            sell, buy = later.format("s", "sell", "b", zone), later.format("c", "buy", "s", zone)
            then = {
                "converted": "LEFT " + later.format("c", "buy", "b", zone),
                "sold": "LEFT " + later.format("c", "sell", "b", zone),
                "reached": f"LEFT {sell} LEFT {buy}",
            }[name]
            pairs = f"""SELECT date_trunc('{grain}', b.clock) AS p{''.join(f', b.{d}' for d in by)},
                count(DISTINCT b.actor) AS n, count(DISTINCT c.actor) AS v FROM kept b {then}
                WHERE b.event = 'view' GROUP BY ALL"""
            columns.append((name, f"SELECT g.*, a.v / nullif(a.n, 0) AS v FROM grid g LEFT JOIN ({pairs}) a ON a.p = g.p{equal}"))
            columns.append((name + "_n", f"SELECT g.*, coalesce(a.n, 0) AS v FROM grid g LEFT JOIN ({pairs}) a ON a.p = g.p{equal}"))
    order = "p" + "".join(f", {d} NULLS LAST" for d in by)
    lines = None
    for name, statement in columns:
        found = db.execute(f"SELECT p AT TIME ZONE '{zone}' AS starts{dims}, v FROM ({statement}) ORDER BY {order}").fetchall()
        if lines is None:
            lines = [list(row[:-1]) for row in found]
        for line, row in zip(lines, found, strict=True):
            assert line[: 1 + len(by)] == list(row[:-1])
            line.append(row[-1])
    return {
        "columns": ["period", *by, *(name for name, _ in columns)],
        "rows": [[r[0].astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), *map(number, r[1:])] for r in lines],
    }


def number(value):
    return value if value is None or isinstance(value, str) else float(value)


def main(seed, count):
    rng = random.Random(int(seed))
    vectors = []
    for _ in range(int(count)):
        data = rows(rng)
        db = duckdb.connect()
        db.execute("SET TimeZone = 'UTC'")
        db.execute('CREATE TABLE events ("time" TIMESTAMPTZ, actor VARCHAR, event VARCHAR, team VARCHAR, amount DOUBLE)')
        for row in data:
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", list(row.values()))
        cases = []
        for _ in range(4):
            grain = rng.choice(["day", "day", "week", "month"])
            pool = [*SIMPLE, *RATIOS, *WINDOWS, "converted", "reached", "sold"]
            pool += [n for n, d in DERIVED.items() if d[2] == grain or grain == "day"]
            query = {
                "metrics": rng.sample(pool, rng.randint(1, 6)),
                "grain": grain,
                "by": rng.sample(["team", "event"], rng.choice([0, 0, 1, 1, 2])),
                "time_zone": rng.choice(ZONES),
            }
            if rng.random() < 0.3:
                query["filter"] = rng.choice(["event <> 'sell'", "amount is null or amount > 10", "actor in ('a', 'b', 'c')"])
            cases.append({"query": query, "expected": ask(db, query)})
        vectors.append({"columns": {"amount": "number", "team": "string"}, "data": data, "registry": registry(), "cases": cases})
    json.dump(vectors, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
