"""Asks other programs the questions of benches/questions.py, with two threads.

usage: benches/question_peers.py prepare PEER LOG PLACE
       benches/question_peers.py ask PEER PLACE QUESTION RUNS

    PEER            PLACE of `ask`
    duckdb, polars, chdb                  a Parquet file, read in each run
    chdb_arrow                            a Parquet file, read into an Arrow table before the time
    duckdb_native, chdb_native            what `prepare` made of it: the peer's own table, sorted by (user_id, time)

`ask` prints one JSON line: the seconds of each run, the rows of the answer (periods as `2026-01-31`), peak_rss of the process in bytes.

Each peer gets what a knowledgeable user would give it: ENUM and LowCardinality where values repeat, sorted and merged tables. The tables are
made outside of the time.
"""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # read when polars is imported

import argparse
import csv
import io
import json
import pathlib
import time
from collections.abc import Callable

from peers import CATEGORIES, CLICKHOUSE_COLUMNS, peak_rss

DUCKDB = {
    "dau_by_plan": "select date_trunc('day', time), plan, count(distinct user_id) from {t} group by all",
    "events_by_week_team": "select date_trunc('week', time), team, event, count(*) from {t} group by all",
    "ai_coverage": "select date_trunc('week', time), team, count(*) filter (event = 'ai_accepted') * 1.0"
    " / nullif(count(*) filter (event = 'ai_suggested'), 0) from {t} group by all",
    "adoption": "select date_trunc('week', time), count(distinct user_id) filter (event = 'feature_used') * 1.0"
    " / count(distinct user_id) from {t} group by all",
    # Chains by windows in linear time: t1 is the latest step 1 so far, t2 that of the latest chain of two, and so on.
    "funnel_4": """with e as (select user_id, time, case event when 'product_view' then 1 when 'add_to_cart' then 2
      when 'checkout' then 3 else 4 end s from {t} where event in ('product_view', 'add_to_cart', 'checkout', 'purchase')),
     a as (select *, max(case when s = 1 then time end)
      over (partition by user_id order by time rows unbounded preceding) t1 from e),
     b as (select *, max(case when s = 2 and t1 >= time - interval 7 day then t1 end)
      over (partition by user_id order by time rows unbounded preceding) t2 from a),
     c as (select *, max(case when s = 3 and t2 >= time - interval 7 day then t2 end)
      over (partition by user_id order by time rows unbounded preceding) t3 from b),
     u as (select user_id, max(case when s = 4 and t3 >= time - interval 7 day then 4
      when s = 3 and t2 >= time - interval 7 day then 3 when s = 2 and t1 >= time - interval 7 day then 2
      when s = 1 then 1 else 0 end) depth from c group by 1)
     select k, count(*) filter (depth >= k) from u, (select unnest([1, 2, 3, 4]) k) group by k""",
    "retention_weekly": "with a as (select distinct user_id, date_trunc('week', time) w from {t}),"
    " f as (select user_id, min(w) c from a group by 1)"
    " select c, date_diff('day', c, w) // 7, count(*) from a join f using (user_id) group by all",
    "sessions_30m": "with g as (select case when time - lag(time) over (partition by user_id order by time) <= interval 30 minute"
    " then 0 else 1 end fresh from {t}) select 'all', sum(fresh) from g",
    "sequence": "with e as (select user_id, time, event, max(case when event = 'product_view' then time end)"
    " over (partition by user_id order by time rows unbounded preceding) seen from {t} where event in ('product_view', 'purchase'))"
    " select 'all', count(distinct user_id) from e where event = 'purchase' and seen >= time - interval 1 day",
}

CLICKHOUSE = {
    "dau_by_plan": "select toDate(time) d, plan, uniqExact(user_id) from {t} group by d, plan",
    "events_by_week_team": "select toMonday(time) w, team, event, count() from {t} group by w, team, event",
    "ai_coverage": "select toMonday(time) w, team, countIf(event = 'ai_accepted') / nullIf(countIf(event = 'ai_suggested'), 0)"
    " from {t} group by w, team",
    "adoption": "select toMonday(time) w, uniqExactIf(user_id, event = 'feature_used') / uniqExact(user_id) from {t} group by w",
    "funnel_4": "select k, countIf(depth >= k) from (select windowFunnel(604800000000)(toUInt64(toUnixTimestamp64Micro(time)),"
    " event = 'product_view', event = 'add_to_cart', event = 'checkout', event = 'purchase') depth from {t}"
    " where event in ('product_view', 'add_to_cart', 'checkout', 'purchase') group by user_id)"
    " array join [1, 2, 3, 4] as k group by k",
    "retention_weekly": "select c, intDiv(w - c, 7) k, count() from (select user_id, groupUniqArray(toMonday(time)) ws, arrayMin(ws) c"
    " from {t} group by user_id) array join ws as w group by c, k",
    "sessions_30m": "select 'all', sum(new) from (select if(dateDiff('microsecond', lagInFrame(time, 1,"
    " toDateTime64('1970-01-01 00:00:00', 6, 'UTC')) over (partition by user_id order by time"
    " rows between 1 preceding and current row), time) <= 1800000000, 0, 1) new from {t})",
    "sequence": "select 'all', countIf(found) from (select sequenceMatch('(?1)(?t<=86400)(?2)')(toDateTime(time),"
    " event = 'product_view', event = 'purchase') found from {t} where event in ('product_view', 'purchase') group by user_id)",
}


def polars_questions(path: pathlib.Path) -> dict[str, Callable]:
    import polars as pl

    log = pl.scan_parquet(path)
    day, week = pl.col("time").dt.truncate("1d"), pl.col("time").dt.truncate("1w")
    user, event = pl.col("user_id"), pl.col("event")
    questions = {
        "dau_by_plan": log.group_by(day.alias("d"), "plan").agg(user.n_unique()),
        "events_by_week_team": log.group_by(week.alias("w"), "team", "event").len(),
        "ai_coverage": log.group_by(week.alias("w"), "team").agg(
            (event == "ai_accepted").sum() / (event == "ai_suggested").sum()
        ),
        "adoption": log.group_by(week.alias("w")).agg(user.filter(event == "feature_used").n_unique() / user.n_unique()),
        "retention_weekly": log.select("user_id", week.alias("w")).unique()
        .with_columns(pl.col("w").min().over("user_id").alias("c"))
        .group_by("c", ((pl.col("w") - pl.col("c")).dt.total_days() // 7).alias("k")).len(),
        "sessions_30m": log.select("user_id", "time").sort("user_id", "time").select(
            pl.lit("all"),
            ((pl.col("time").diff() > pl.duration(minutes=30)) | (user != user.shift(1)) | pl.col("time").diff().is_null()).sum(),
        ),
    }  # fmt: skip
    return {name: lambda q=question: q.collect(engine="streaming").rows() for name, question in questions.items()}


def duckdb_connection(path: pathlib.Path, native: bool):
    import duckdb

    connection = duckdb.connect(str(path) if native else ":memory:")
    connection.execute("set threads = 2; set timezone = 'UTC'")
    return connection


def clickhouse_session(path: pathlib.Path | None):
    from chdb import session

    return session.Session(str(path) if path else None)


def file_of(path: pathlib.Path) -> str:
    columns = CLICKHOUSE_COLUMNS.replace("'", "\\'")
    return f"file('{path}', Parquet, '{columns}')"


def prepare(peer: str, log: pathlib.Path, place: pathlib.Path) -> None:
    if peer == "duckdb_native":
        connection = duckdb_connection(place, True)
        for name in CATEGORIES:
            connection.execute(f"create type {name}_type as enum (select distinct {name} from '{log}' order by 1)")
        names = ["event_id", "event", "user_id", "time", "team", "plan", "country", "channel", "amount"]
        columns = ", ".join(f"{name}::{name}_type as {name}" if name in CATEGORIES else name for name in names)
        connection.execute(f"create table events as select {columns} from '{log}' order by user_id, time")
        connection.close()
    elif peer == "chdb_native":
        clickhouse = clickhouse_session(place)
        clickhouse.query("create database bench")
        clickhouse.query(f"create table bench.events ({CLICKHOUSE_COLUMNS}) engine = MergeTree order by (user_id, time)")
        clickhouse.query(f"insert into bench.events select * from {file_of(log)}")
        clickhouse.query("optimize table bench.events final")
    else:
        raise SystemExit(f"{peer} has no table of its own")


def asking(peer: str, place: pathlib.Path, question: str) -> Callable[[], list]:
    """Returns what asks the question once, and gives the rows."""
    native = peer.endswith("_native")
    if peer.startswith("duckdb"):
        connection = duckdb_connection(place, native)
        query = DUCKDB[question].format(t="events" if native else f"read_parquet('{place}')")
        return lambda: connection.execute(query).fetchall()
    if peer == "chdb_arrow":
        import chdb
        import pyarrow.parquet as pq

        globals()["arrow_log"] = pq.read_table(place)  # chdb finds it by its name
        query = CLICKHOUSE[question].format(t="Python(arrow_log)") + " settings max_threads = 2"
        return lambda: list(csv.reader(io.StringIO(str(chdb.query(query, "CSV")))))
    if peer.startswith("chdb"):
        clickhouse = clickhouse_session(place if native else None)
        query = CLICKHOUSE[question].format(t="bench.events" if native else file_of(place)) + " settings max_threads = 2"
        return lambda: list(csv.reader(io.StringIO(str(clickhouse.query(query, "CSV")))))
    return polars_questions(place)[question]


def plain_value(value):
    return value if value is None or isinstance(value, str | int | float) else float(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("prepare")
    making.add_argument("peer")
    making.add_argument("log", type=pathlib.Path)
    making.add_argument("place", type=pathlib.Path)
    ask = commands.add_parser("ask")
    ask.add_argument("peer")
    ask.add_argument("place", type=pathlib.Path)
    ask.add_argument("question")
    ask.add_argument("runs", type=int)
    args = parser.parse_args()
    if args.command == "prepare":
        return prepare(args.peer, args.log, args.place)
    run = asking(args.peer, args.place, args.question)
    seconds, rows = [], []
    for _ in range(args.runs):
        begun = time.perf_counter()
        rows = run()
        seconds.append(time.perf_counter() - begun)
    plain = [[str(row[0])[:10], *map(plain_value, row[1:])] for row in rows]
    print(json.dumps({"seconds": seconds, "rows": plain, "peak_rss": peak_rss()}))


if __name__ == "__main__":
    main()
