#!/usr/bin/env python3
"""Prints AI coverage, AI adoption and collaboration of examples/data/commits by month and repository (UTC)."""
import collections, gzip, json, pathlib
from datetime import datetime, timedelta, timezone

path = pathlib.Path(__file__).parents[3] / "examples/data/commits/commits.ndjson.gz"
rows = [json.loads(line) for line in gzip.open(path, "rt")]
months, by_repo = collections.defaultdict(list), collections.defaultdict(list)
for row in rows:
    row["at"] = datetime.fromisoformat(row["time"]).astimezone(timezone.utc)
    months[row["at"].strftime("%Y-%m"), row["repo"]].append(row)
    by_repo[row["repo"]].append(row)
sessions = collections.Counter()
for repo, all_rows in by_repo.items():
    stretch = []
    for row in [*sorted(all_rows, key=lambda r: r["at"]), None]:
        if stretch and (row is None or row["at"] - stretch[-1]["at"] > timedelta(minutes=30)):
            sessions[stretch[0]["at"].strftime("%Y-%m"), repo] += len({r["actor_id"] for r in stretch}) > 1
            stretch = []
        stretch.append(row)
people = lambda rows: len({row["actor_id"] for row in rows})
assisted = lambda rows: [row for row in rows if row["ai_assistant"] is not None]
print(json.dumps([
    [*key, len(assisted(rows)) / len(rows), len(rows), people(assisted(rows)) / people(rows), people(rows), sessions[key]]
    for key, rows in sorted(months.items())
]))
