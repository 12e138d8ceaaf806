"""Measures how other programs load the benchmark's event log, durably, with two threads.

usage: benches/peers.py WORK PEER DATA [--runs N] [--scratch DIR]

    WORK             PEER                   what is timed
    ndjson, csv      duckdb, polars         DATA/events.ndjson or .csv -> one plain Parquet file (zstd), fsync
    ndjson, csv      chdb                   the same -> a MergeTree table sorted by (user_id, time), fsync
    table            chdb                   DATA/events.parquet -> that table, merged into one sorted part, fsync
    table            duckdb                 the same -> a DuckDB table sorted by (user_id, time), checkpoint

Prints one JSON line: work, peer, events, seconds (the median), all_seconds, bytes written, peak_rss of the process in bytes.

Each peer gets what a knowledgeable user would give it: declared columns, LowCardinality and ENUM where values repeat. Polars
infers its columns and keeps `time` as text, which is less work than to parse it, so the comparison errs in its favour. DuckDB and
Polars do not fsync a Parquet file by themselves; here the file and its folder are synced within the time.
"""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # read when polars is imported

import argparse
import json
import pathlib
import shutil
import statistics
import tempfile
import time

CATEGORIES = ["event", "team", "plan", "country", "channel"]
DUCKDB_COLUMNS = (
    "{event_id: 'UBIGINT', event: 'VARCHAR', user_id: 'VARCHAR', time: 'TIMESTAMP', team: 'VARCHAR',"
    " plan: 'VARCHAR', country: 'VARCHAR', channel: 'VARCHAR', amount: 'DOUBLE'}"
)
CLICKHOUSE_COLUMNS = (
    "event_id UInt64, event LowCardinality(String), user_id String, time DateTime64(6, 'UTC'),"
    " team LowCardinality(String), plan LowCardinality(String), country LowCardinality(String),"
    " channel LowCardinality(String), amount Nullable(Float64)"
)


def sync(path: pathlib.Path) -> None:
    """Waits until a file and the entry of it in its folder are on the disk."""
    for name in (path, path.parent):
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def size(path: pathlib.Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def duckdb_parquet(source: pathlib.Path, scratch: pathlib.Path):
    import duckdb

    reader = (
        f"read_json('{source}', format = 'newline_delimited', columns = {DUCKDB_COLUMNS})"
        if source.suffix == ".ndjson"
        else f"read_csv('{source}', columns = {DUCKDB_COLUMNS})"
    )
    target = scratch / "duckdb.parquet"
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    start = time.perf_counter()
    connection.execute(f"copy (select * from {reader}) to '{target}' (format parquet, compression zstd)")
    sync(target)
    seconds = time.perf_counter() - start
    return seconds, target, connection.execute(f"select count(*) from '{target}'").fetchone()[0]


def polars_parquet(source: pathlib.Path, scratch: pathlib.Path):
    import polars

    scan = polars.scan_ndjson if source.suffix == ".ndjson" else polars.scan_csv
    target = scratch / "polars.parquet"
    start = time.perf_counter()
    scan(source, infer_schema_length=10_000).sink_parquet(target, compression="zstd")
    sync(target)
    seconds = time.perf_counter() - start
    return seconds, target, polars.scan_parquet(target).select(polars.len()).collect().item()


def chdb_table(source: pathlib.Path, scratch: pathlib.Path):
    from chdb import session

    target = scratch / "chdb"
    clickhouse = session.Session(str(target))
    clickhouse.query("create database bench")
    clickhouse.query(
        f"create table bench.events ({CLICKHOUSE_COLUMNS}) engine = MergeTree order by (user_id, time)"
        " settings fsync_after_insert = 1, fsync_part_directory = 1,"
        " min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1"
    )
    file_format = {".ndjson": "JSONEachRow", ".csv": "CSVWithNames", ".parquet": "Parquet"}[source.suffix]
    columns = CLICKHOUSE_COLUMNS.replace("'", "\\'")
    start = time.perf_counter()
    clickhouse.query(
        f"insert into bench.events select * from file('{source}', {file_format}, '{columns}')"
        " settings max_threads = 2, date_time_input_format = 'best_effort'"
    )
    if source.suffix == ".parquet":
        clickhouse.query("optimize table bench.events final")
    seconds = time.perf_counter() - start
    events = int(str(clickhouse.query("select count() from bench.events")))
    parts = "select sum(bytes_on_disk) from system.parts where active and table = 'events'"
    return seconds, int(str(clickhouse.query(parts))), events


def duckdb_table(source: pathlib.Path, scratch: pathlib.Path):
    import duckdb

    target = scratch / "duckdb.db"
    connection = duckdb.connect(str(target))
    connection.execute("set threads = 2; set timezone = 'UTC'")
    columns = ", ".join(
        f"{name}::{name}_type as {name}" if name in CATEGORIES else name
        for name in ["event_id", "event", "user_id", "time", "team", "plan", "country", "channel", "amount"]
    )
    start = time.perf_counter()
    for name in CATEGORIES:
        connection.execute(f"create type {name}_type as enum (select distinct {name} from '{source}' order by 1)")
    connection.execute(f"create table events as select {columns} from '{source}' order by user_id, time")
    connection.execute("checkpoint")
    seconds = time.perf_counter() - start
    events = connection.execute("select count(*) from events").fetchone()[0]
    connection.close()
    return seconds, target, events


WORKS = {
    ("ndjson", "duckdb"): duckdb_parquet,
    ("ndjson", "polars"): polars_parquet,
    ("ndjson", "chdb"): chdb_table,
    ("csv", "duckdb"): duckdb_parquet,
    ("csv", "polars"): polars_parquet,
    ("csv", "chdb"): chdb_table,
    ("table", "chdb"): chdb_table,
    ("table", "duckdb"): duckdb_table,
}


def peak_rss(pid: int | str = "self") -> int | None:
    """Returns the most memory, in bytes, that a process held at once, or None where the system does not tell.

    Not from getrusage: its peak counts the parent's memory from before the process started its own program.
    """
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return None


def measure(work: str, peer: str, data: pathlib.Path, scratch: pathlib.Path) -> dict:
    source = data.resolve() / f"events.{'parquet' if work == 'table' else work}"
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch, prefix=f"{peer}-"))
    try:
        seconds, written, events = WORKS[work, peer](source, folder)
        written = written if isinstance(written, int) else size(written)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"events": events, "seconds": seconds, "bytes": written}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=sorted({work for work, _ in WORKS}))
    parser.add_argument("peer", choices=sorted({peer for _, peer in WORKS}))
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--scratch", type=pathlib.Path, default=None, help="a folder on the disk to be measured")
    args = parser.parse_args()
    if (args.work, args.peer) not in WORKS:
        parser.error(f"{args.peer} has no measurement of {args.work}")
    runs = [measure(args.work, args.peer, args.data, args.scratch) for _ in range(args.runs)]
    seconds = [run["seconds"] for run in runs]
    line = {"work": args.work, "peer": args.peer} | runs[0]
    line |= {"seconds": statistics.median(seconds), "all_seconds": seconds}
    if peak := peak_rss():
        line["peak_rss"] = peak
    print(json.dumps(line))


if __name__ == "__main__":
    main()
