#!/usr/bin/env python3
"""Writes workspace.ndjson.gz: four months of a made-up product in which teams write documents, seeded. README.md states
the stories planted in it. usage: make.py [FILE]"""
import gzip
import json
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

rng = random.Random(20260105)
START = datetime(2026, 1, 5, tzinfo=timezone.utc)  # a Monday
DAYS = 112
HOLIDAYS = {datetime(2026, 4, 3).date(), datetime(2026, 4, 6).date()}
REGIONS = ["eu", "us", "asia"]
PLANS = ["free", "team", "business"]
TEAMS = ["design", "engineering", "marketing", "sales"]

people = []
for n in range(420):
    people.append({
        "user_id": f"u{n:03}",
        "region": rng.choices(REGIONS, [45, 35, 20])[0],
        "plan": rng.choices(PLANS, [50, 35, 15])[0],
        "team": rng.choices(TEAMS, [15, 40, 20, 25])[0],
        "joined": 0 if n < 260 else rng.randrange(DAYS),
        "habit": rng.uniform(0.12, 0.42),
        "left": DAYS if rng.random() < 0.75 else rng.randrange(30, DAYS),
    })

rows = []


def put(person, day, event, **more):
    second = int(min(86_399, max(0, rng.gauss(13 * 3600, 3.2 * 3600))))
    moment = START + timedelta(days=day, seconds=second)
    row = {"user_id": person["user_id"], "event": event, "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
           "region": person["region"], "plan": person["plan"], "team": person["team"]}
    row.update(more)
    rows.append(row)


for day in range(DAYS):
    date = (START + timedelta(days=day)).date()
    weekend = date.weekday() >= 5
    resting = weekend or date in HOLIDAYS
    for person in people:
        if not person["joined"] <= day < person["left"]:
            continue
        habit = person["habit"] * (0.25 if resting else 1.0)
        # Story 1: on Tuesday 10 February the region eu is down all day; almost nobody gets in.
        if date == datetime(2026, 2, 10).date() and person["region"] == "eu":
            habit *= 0.04
        # Story 4: use by the plan business erodes from March on, to a half at the end of April.
        if person["plan"] == "business" and day > 56:
            habit *= 1 - 0.55 * (day - 56) / (DAYS - 56)
        if rng.random() >= habit:
            continue
        put(person, day, "document_opened")
        for _ in range(rng.choices([0, 1, 2, 3], [35, 35, 20, 10])[0]):
            put(person, day, "document_edited")
        if rng.random() < 0.35:
            put(person, day, "document_searched")
        # Story 2: from 2 March on the team engineering has the assistant.
        if person["team"] == "engineering" and date >= datetime(2026, 3, 2).date():
            for _ in range(rng.choices([0, 1, 2], [40, 35, 25])[0]):
                put(person, day, "ai_suggested")
                if rng.random() < 0.6:
                    put(person, day, "ai_accepted")
        elif rng.random() < 0.06:
            put(person, day, "ai_suggested")
            if rng.random() < 0.3:
                put(person, day, "ai_accepted")
        if rng.random() < 0.12:
            put(person, day, "document_shared")

# Story 3: on 21 and 22 March a flood of automated accounts of the plan free, in asia.
for day in (75, 76):
    for n in range(150):
        robot = {"user_id": f"bot{n:03}", "region": "asia", "plan": "free", "team": "sales"}
        for _ in range(4):
            put(robot, day, "document_opened")

rows.sort(key=lambda row: (row["time"], row["user_id"], row["event"]))
lines = []
for number, row in enumerate(rows):
    lines.append(json.dumps({"event_id": f"w{number}", **row}, separators=(",", ":")))
# Two rows that cannot be accepted: without a time, and not JSON.
lines.insert(2_000, '{"event_id":"x1","user_id":"u001","event":"document_opened"}')
lines.insert(9_000, "this line is not JSON")
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("workspace.ndjson.gz")
with out.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed:
    packed.write(("\n".join(lines) + "\n").encode())
