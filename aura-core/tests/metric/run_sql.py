#!/usr/bin/env python3
"""Runs statements in DuckDB or PostgreSQL, for the tests of metrics as SQL.

usage: run_sql.py duckdb|postgresql < JOBS > ANSWERS
JOBS is a JSON list of {"columns": {name: "time" | "number" | "string"}, "data": [row], "statements": [text]}; ANSWERS is a
list of a list of {"columns": [name], "rows": [[value]]} or {"error": text}. Times are written as in AURA's vectors.

PostgreSQL is the server at 127.0.0.1:5432 (user postgres, no password) if it answers; otherwise one is started in a
temporary directory from the programs that are installed, and stopped at the end. Without programs this fails.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
from datetime import datetime, timezone

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import postgres_server

TYPES = {
    "duckdb": {"time": "TIMESTAMPTZ", "number": "DOUBLE", "string": "VARCHAR"},
    "postgresql": {"time": "TIMESTAMPTZ", "number": "DOUBLE PRECISION", "string": "TEXT"},
}


def table(engine, columns):
    return ", ".join(f'"{name}" {TYPES[engine][kind]}' for name, kind in columns.items())


def iso(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value):
    return iso(value) if isinstance(value, datetime) else value


def duckdb(jobs):
    import duckdb

    answers = []
    for job in jobs:
        db = duckdb.connect()
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"CREATE TABLE events ({table('duckdb', job['columns'])})")
        marks = ", ".join("?" for _ in job["columns"])
        for row in job["data"]:
            db.execute(f"INSERT INTO events VALUES ({marks})", [row.get(c) for c in job["columns"]])
        found = []
        for statement in job["statements"]:
            try:
                result = db.execute(statement)
                names = [d[0] for d in result.description]
                found.append({"columns": names, "rows": [[plain(v) for v in row] for row in result.fetchall()]})
            except duckdb.Error as error:
                found.append({"error": str(error)})
        answers.append(found)
    return answers


def postgresql(jobs):
    """Everything goes to one psql; each answer is one line of JSON."""
    script = ["\\set QUIET on", "SET TIME ZONE 'UTC';", "SET client_min_messages = error;"]
    for job in jobs:
        rows = json.dumps(job["data"]).replace("'", "''")
        script.append("DROP TABLE IF EXISTS pg_temp.events;")
        script.append(f"CREATE TEMP TABLE events ({table('postgresql', job['columns'])});")
        script.append(f"INSERT INTO events SELECT * FROM json_populate_recordset(NULL::pg_temp.events, '{rows}');")
        for statement in job["statements"]:
            # A row as text keeps the order of its columns in json, not in jsonb.
            script.append(f"SELECT coalesce(json_agg(answer), '[]') FROM (\n{statement}\n) AS answer;")
            script.append("\\echo '\x01'")
    with postgres_server.server() as found, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "script.sql"
        path.write_text("\n".join(script))
        done = subprocess.run(
            [postgres_server.psql(), "-h", "127.0.0.1", "-p", str(found.port), "-U", "postgres", "-XAtf", str(path)],
            capture_output=True,
            text=True,
        )
    texts = done.stdout.split("\x01")
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    answers = []
    texts = iter(texts)
    for job in jobs:
        found = []
        for _ in job["statements"]:
            text = next(texts).strip()
            if not text:
                found.append({"error": errors.pop(0) if errors else "no answer"})
                continue
            rows = json.loads(text)
            columns = list(rows[0]) if rows else []
            moments = [c for c in columns if c in ("period", "compare_period")]
            for row in rows:
                for c in moments:
                    row[c] = row[c] and iso(datetime.fromisoformat(row[c]))
            found.append({"columns": columns, "rows": [[row[c] for c in columns] for row in rows]})
        answers.append(found)
    return answers


if __name__ == "__main__":
    engine = {"duckdb": duckdb, "postgresql": postgresql}[sys.argv[1]]
    json.dump(engine(json.load(sys.stdin)), sys.stdout)
