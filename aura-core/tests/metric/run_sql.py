#!/usr/bin/env python3
"""Runs statements in DuckDB or PostgreSQL, for the tests of metrics as SQL.

usage: run_sql.py duckdb|postgresql < JOBS > ANSWERS
JOBS is a JSON list of {"columns": {name: "time" | "number" | "string"}, "data": [row], "statements": [text]}; ANSWERS is a
list of a list of {"columns": [name], "rows": [[value]]} or {"error": text}. Times are written as in AURA's vectors.

PostgreSQL is the server at 127.0.0.1:5432 (user postgres, no password) if it answers; otherwise one is started in a
temporary directory from the programs that are installed, and stopped at the end. Without programs this fails.
"""
import contextlib
import glob
import importlib.util
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

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


def programs():
    """The directory of PostgreSQL's programs: those of the system, or those that the package pgserver brings."""
    config = shutil.which("pg_config")
    if config:
        directory = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        if os.path.exists(f"{directory}/initdb"):
            return directory
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/usr/pgsql-*/bin/initdb"))
    found += [found for found in [shutil.which("initdb")] if found]
    found += [str(bundled() / "initdb")] if not found else []
    return os.path.dirname(found[-1])


def bundled():
    spec = importlib.util.find_spec("pgserver")
    if spec is None:
        sys.exit("PostgreSQL neither answers at 127.0.0.1:5432 nor is installed, and neither is the package pgserver; install one of them")
    return pathlib.Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def psql():
    return shutil.which("psql") or str(bundled() / "psql")


@contextlib.contextmanager
def server():
    """Yields the port of a server."""
    def answers(port):
        done = subprocess.run(
            [psql(), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-Atc", "select 1"],
            capture_output=True,
            env={**os.environ, "PGCONNECT_TIMEOUT": "3"},
        )
        return done.returncode == 0

    if answers(5432):
        yield 5432
        return
    where = programs()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    directory = tempfile.mkdtemp()
    data = f"{directory}/data"
    # The server refuses to run as root, and another user may not see what lies in root's directories.
    by = []
    if os.getuid() == 0:
        known = {user.pw_name for user in pwd.getpwall()}
        user = "postgres" if "postgres" in known else "nobody"
        by = ["runuser", "-u", user, "--"]
        if "pginstall" in where:
            package = pathlib.Path(where).parent.parent
            for name in ("pgserver/pginstall", "pgserver.libs"):
                shutil.copytree(package.parent / name, f"{directory}/{name}", symlinks=True)
            where = f"{directory}/pgserver/pginstall/bin"
        os.chmod(directory, 0o755)
        shutil.chown(directory, user)
    try:
        subprocess.run([*by, f"{where}/initdb", "-U", "postgres", "-A", "trust", "-D", data], check=True, capture_output=True)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c fsync=off"
        subprocess.run([*by, f"{where}/pg_ctl", "-D", data, "-o", options, "-l", f"{directory}/log", "-w", "start"], check=True, capture_output=True)
        for _ in range(50):
            if answers(port):
                break
            time.sleep(0.1)
        yield port
    finally:
        subprocess.run([*by, f"{where}/pg_ctl", "-D", data, "-m", "immediate", "stop"], capture_output=True)
        shutil.rmtree(directory, ignore_errors=True)


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
    with server() as port, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "script.sql"
        path.write_text("\n".join(script))
        done = subprocess.run(
            [psql(), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-XAtf", str(path)],
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
