#!/usr/bin/env python3
"""Opens a store with DuckDB, a program that shares no code with AURA, and prints what it sees as JSON.

    check_ducklake.py rows     my.aura/aura.db [--version N] [--columns a,b]
    check_ducklake.py checksum my.aura/aura.db [--version N] [--columns a,b]
    check_ducklake.py insert   my.aura/aura.db --rows '[{"event_id": "e1", ...}]' [--as-file]
    check_ducklake.py delete   my.aura/aura.db --where "actor = 'u1'" [--as-file]
    check_ducklake.py snapshots my.aura/aura.db
    check_ducklake.py sql      my.aura/aura.db "select ... from lake.events" ["..." ...]

`--table` names the table (default `events`). `--as-file` makes DuckDB write a Parquet file where it
would put few rows into the database itself. `--data-path` overrides the catalog's data path. `sql`
runs any number of statements in one session, in which the catalog is `lake`, and prints the rows of
each; `touch FILE` and `wait FILE` among them let another process act in between.

Needs the PyPI packages duckdb, duckdb-extension-ducklake and duckdb-extension-sqlite-scanner, all of
DuckDB 1.5.
"""

import argparse
import importlib.util
import json
import pathlib
import sys
import time

INSTALL = (
    "pip install duckdb==1.5.5 duckdb-extension-ducklake==1.5.5 "
    "duckdb-extension-sqlite-scanner==1.5.5"
)


def missing(what):
    sys.exit(f"check_ducklake.py: {what}. Install it with: {INSTALL}\n(interpreter: {sys.executable})")


try:
    import duckdb
except ImportError:
    missing("the Python package duckdb is not installed")


def extension(package):
    """Returns the extension file inside a package, for the version of DuckDB that runs."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        missing(f"the Python package {package.replace('_', '-')} is not installed")
    for directory in spec.submodule_search_locations or []:
        folder = pathlib.Path(directory) / "extensions" / f"v{duckdb.__version__}"
        for file in sorted(folder.glob("*.duckdb_extension")):
            return str(file)
    missing(f"{package.replace('_', '-')} has no extension for DuckDB {duckdb.__version__}")


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name):
    return '"' + str(name).replace('"', '""') + '"'


def connect(args):
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for package in ("duckdb_extension_sqlite_scanner", "duckdb_extension_ducklake"):
        connection.execute(f"LOAD {literal(extension(package))}")
    # Moments print in UTC wherever this runs.
    connection.execute("SET TimeZone = 'UTC'")
    options = []
    if getattr(args, "as_file", False):
        options.append("DATA_INLINING_ROW_LIMIT 0")
    if args.data_path:
        options += [f"DATA_PATH {literal(args.data_path)}", "OVERRIDE_DATA_PATH true"]
    options = f" ({', '.join(options)})" if options else ""
    connection.execute(f"ATTACH {literal('ducklake:sqlite:' + args.db)} AS lake{options}")
    return connection


def table(args):
    name = f"lake.{identifier(args.table)}"
    version = getattr(args, "version", None)
    return name if version is None else f"{name} AT (VERSION => {version})"


def columns(connection, args):
    """Returns the chosen columns, by default all of the table's in this version."""
    if args.columns:
        return args.columns.split(",")
    return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {table(args)}").fetchall()]


def rows(connection, args):
    names = columns(connection, args)
    values = ", ".join(f"{identifier(n)}::VARCHAR" for n in names)
    found = connection.execute(f"SELECT {values} FROM {table(args)} ORDER BY ALL").fetchall()
    return {"columns": names, "rows": found}


def checksum(connection, args):
    names = columns(connection, args)
    values = ", ".join(f"count({identifier(n)}), sum(hash({identifier(n)}))::VARCHAR" for n in names)
    row = connection.execute(f"SELECT count(*), {values} FROM {table(args)}").fetchone()
    return {
        "rows": row[0],
        "columns": {n: {"count": row[1 + 2 * i], "sum": row[2 + 2 * i]} for i, n in enumerate(names)},
    }


def insert(connection, args):
    new = json.loads(args.rows)
    connection.execute("BEGIN")
    for row in new:
        names = ", ".join(identifier(n) for n in row)
        values = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {table(args)} ({names}) VALUES ({values})", list(row.values()))
    connection.execute("COMMIT")
    return {"inserted": len(new)}


def delete(connection, args):
    count = connection.execute(f"DELETE FROM {table(args)} WHERE {args.where}").fetchone()
    return {"deleted": count[0]}


def snapshots(connection, _args):
    found = connection.execute(
        "SELECT snapshot_id, snapshot_time::VARCHAR AS snapshot_time, schema_version, changes, author, commit_message "
        "FROM ducklake_snapshots('lake') ORDER BY snapshot_id"
    )
    names = [d[0] for d in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


def wait(file):
    """Waits until another process makes a file."""
    deadline = time.monotonic() + 60
    while not file.exists():
        if time.monotonic() > deadline:
            sys.exit(f"check_ducklake.py: {file} did not appear within a minute")
        time.sleep(0.02)


def sql(connection, args):
    results = []
    for statement in args.statements:
        if statement.startswith("touch "):
            pathlib.Path(statement.removeprefix("touch ")).touch()
            continue
        if statement.startswith("wait "):
            wait(pathlib.Path(statement.removeprefix("wait ")))
            continue
        results.append(connection.execute(statement).fetchall())
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in COMMANDS.items():
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("db")
        command.add_argument("--table", default="events")
        command.add_argument("--data-path")
        if name in ("rows", "checksum"):
            command.add_argument("--version", type=int)
            command.add_argument("--columns")
        if name in ("insert", "delete", "sql"):
            command.add_argument("--as-file", action="store_true")
        if name == "insert":
            command.add_argument("--rows", required=True)
        if name == "delete":
            command.add_argument("--where", required=True)
        if name == "sql":
            command.add_argument("statements", nargs="+")
    args = parser.parse_args()
    connection = connect(args)
    json.dump(args.run(connection, args), sys.stdout, default=str)
    print()


COMMANDS = {
    "rows": rows,
    "checksum": checksum,
    "insert": insert,
    "delete": delete,
    "snapshots": snapshots,
    "sql": sql,
}

if __name__ == "__main__":
    main()
