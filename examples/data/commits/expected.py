#!/usr/bin/env python3
"""Prints what AURA must find in commits.ndjson.gz, computed with nothing but Python's standard library.
usage: expected.py > expected.json"""
import collections
import gzip
import json
import pathlib
from datetime import datetime, timezone

HERE = pathlib.Path(__file__).parent
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def micros(text):
    """Returns a time with its own offset as microseconds since 1970 in UTC."""
    since = datetime.fromisoformat(text) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


with gzip.open(HERE / "commits.ndjson.gz", "rt") as lines:
    rows = [json.loads(line) for line in lines]
times = [micros(row["time"]) for row in rows]
months = collections.Counter(
    datetime.fromtimestamp(t // 1_000_000, timezone.utc).strftime("%Y-%m") for t in times
)
local_months = [row["time"][:7] for row in rows]
per_repo = {}
for row, time in zip(rows, times):
    of = per_repo.setdefault(row["repo"], collections.Counter())
    of["commits"] += 1
    of["insertions"] += row["insertions"]
    of["deletions"] += row["deletions"]
    of["with_assistant"] += row["ai_assistant"] is not None
    of["time_sum_s"] += time // 1_000_000
print(
    json.dumps(
        {
            "rows": len(rows),
            "events": len({row["event_id"] for row in rows}),
            "actors": len({row["actor_id"] for row in rows}),
            "merges": sum(row["event"] == "merge" for row in rows),
            "bots": sum(row["bot"] for row in rows),
            "files": sum(row["files"] for row in rows),
            "insertions": sum(row["insertions"] for row in rows),
            "deletions": sum(row["deletions"] for row in rows),
            "human_co_authors": sum(row["human_co_authors"] for row in rows),
            "with_assistant": sum(row["ai_assistant"] is not None for row in rows),
            "offsets": len({row["time"][19:] for row in rows}),
            "earlier_than_the_row_before": sum(a > b for a, b in zip(times, times[1:])),
            "in_another_month_than_where_the_author_was": sum(
                datetime.fromtimestamp(t // 1_000_000, timezone.utc).strftime("%Y-%m") != m
                for t, m in zip(times, local_months)
            ),
            "time_min_us": min(times),
            "time_max_us": max(times),
            "time_sum_s": sum(t // 1_000_000 for t in times),
            "per_repo": per_repo,
            "per_month": dict(sorted(months.items())),
        },
        indent=1,
        sort_keys=True,
    )
)
