#!/usr/bin/env python3
"""Runs statements in DuckDB over the table `events` (actor, event, time), for the tests of behaviour.

usage: run_sql.py < JOB > ANSWERS
JOB is {"rows": [[actor, event, microseconds]], "statements": [text]}; ANSWERS is a list with the rows of each answer.
"""
import decimal
import json
import sys

import duckdb

job = json.load(sys.stdin)
connection = duckdb.connect()
connection.execute("create table events (actor varchar, event varchar, time timestamp)")
connection.executemany("insert into events values (?, ?, make_timestamp(?))", job["rows"])


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value == int(value) else float(value)
    return value


answers = []
for statement in job["statements"]:
    rows = connection.execute(statement).fetchall()
    answers.append([[plain(value) for value in row] for row in rows])
json.dump(answers, sys.stdout)
