#!/usr/bin/env python3
"""Writes random events, random funnels over them with every option, and what naive.py answers.

usage: random_vectors.py SEED NUMBER > VECTORS
"""
import json
import random
import sys

from naive import Naive, stamp, us

NAMES = ["view", "view", "add", "add", "buy", "help", "spam", "cancel"]
# Clocks of New York go forward on the 8th, those of Berlin on the 29th.
STARTS = ["2026-03-06T20:00:00+00:00", "2026-03-28T00:00:00+00:00"]


def events(rng):
    start = us(rng.choice(STARTS))
    moments = [start + rng.randrange(0, 96) * 1_800_000_000 + rng.choice([0, 0, 0, 60, 1500]) * 1_000_000 for _ in range(8)]
    rows = []
    for _ in range(rng.choice([0, 1, 8, 30, 60, 60])):
        actor = rng.choice("abcdefgh")
        rows.append({
            "time": stamp(rng.choice(moments) if rng.random() < 0.7 else start + rng.randrange(0, 3 * 86_400) * 1_000_000),
            "actor": f"u-{actor}" if rng.random() < 0.97 else None,
            "event": rng.choice(NAMES),
            "plan": rng.choice(["free", "pro", None]),
            "team": rng.choice(["red", "blue", "green", None]),
            "cart": rng.choice(["c1", "c2", None]),
            "amount": rng.choice([None, 5.0, 20.0, 50.0]),
        })
    return rows


def condition(rng):
    names = sorted(set(NAMES))
    return rng.choice([
        rng.choice(names), rng.choice(names), rng.choice(["view", "add", "buy"]), rng.sample(names, 2),
        {"event": rng.choice(names), "where": "amount > 10"}, {"where": "plan = 'pro'"},
    ])


def as_object(events):
    if isinstance(events, str):
        return {"event": events}
    return {"events": events} if isinstance(events, list) else dict(events)


def spec(rng, data):
    n = rng.choice([2, 2, 3, 3, 4, 5])
    order = rng.choice(["ordered"] * 6 + ["strict"] * 2 + ["any"] * 3)
    steps = []
    while len(steps) < n:
        step = condition(rng)
        if order == "any":
            # AURA refuses the same events twice, in whichever form.
            if as_object(step) not in [as_object(s) for s in steps]:
                steps.append(step)
            continue
        more = {}
        if steps and rng.random() < 0.25:
            more["within"] = rng.choice(["30 minutes", "6 hours", "1 day"])
        if 0 < len(steps) < n - 1 and rng.random() < 0.4:
            more["optional"] = True
        if rng.random() < 0.1:
            more["name"] = f"step {len(steps)}"
        if order != "any" and rng.random() < 0.2 and steps:
            step = steps[-1] if not isinstance(steps[-1], dict) else "view"
        steps.append({**as_object(step), **more} if more else step)
    found = {"steps": steps}
    if order != "ordered":
        found["order"] = order
    if rng.random() < 0.6:
        found["within"] = rng.choice(["1 hour", "12 hours", "1 day", "2 days", "1 week"])
    exclude = []
    for _ in range(rng.choice([0, 0, 1, 2])):
        one = condition(rng)
        if order != "any" and rng.random() < 0.6:
            after = rng.randint(1, n - 1)
            one = {**as_object(one), "after": after, "before": rng.randint(after + 1, n)}
        exclude.append(one)
    if exclude:
        found["exclude"] = exclude
    if rng.random() < 0.3:
        found["same"] = rng.choice([["cart"], ["cart", "plan"], ["team"]])
    by = rng.choice([[], [], ["plan"], ["team"], ["plan", "team"]])
    if by:
        found["by"] = by
        found["attribution"] = rng.choice(["first", "last", {"step": rng.randint(1, n)}, "all_steps"])
    if rng.random() < 0.5:
        found["count"] = rng.choice(["totals", {"sessions": {"gap": rng.choice(["30 minutes", "5 hours", "20 hours"])}}])
    if "within" in found and rng.random() < 0.35:
        found["grain"] = rng.choice(["day", "week"])
    if rng.random() < 0.2:
        found["compare"] = [{"name": "a", "where": "plan = 'free'"}, {"name": "b", "where": "plan = 'pro'"}]
    if rng.random() < 0.2:
        found["histogram"] = rng.choice([[60], [1, 1800, 86400]])
    if rng.random() < 0.3:
        found["filter"] = "event <> 'spam'"
    if rng.random() < 0.15:
        found["actor"] = "team"
    if rng.random() < 0.3:
        found["time_zone"] = rng.choice(["America/New_York", "Europe/Berlin"])
    times = sorted(us(row["time"]) for row in data)
    if times and rng.random() < 0.4:
        first, last = rng.choice(times), rng.choice(times)
        if rng.random() < 0.7:
            found["from"] = stamp(min(first, last))
        if rng.random() < 0.7:
            found["to"] = stamp(max(first, last) + 1_000_000)
    return found


def main(seed, count):
    rng = random.Random(int(seed))
    vectors = []
    for _ in range(int(count)):
        data = events(rng)
        # Actors that are null do not count.
        known = [row for row in data if row["actor"] is not None]
        cases = []
        for _ in range(8):
            one = spec(rng, data)
            cases.append({"spec": {"funnel": one}, "expected": Naive(one, known if one.get("actor") is None else data).run()})
        vectors.append({"data": data, "cases": cases})
    json.dump(vectors, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
