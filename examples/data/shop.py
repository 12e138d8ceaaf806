#!/usr/bin/env python3
"""Writes shop.ndjson: 2,000 synthetic events of a small shop in March 2026, seeded, with three rows that cannot be
accepted (no time, no actor, not JSON) and one that comes twice. usage: shop.py > shop.ndjson"""
import json
import random
from datetime import datetime, timedelta, timezone

rng = random.Random(7)
start = datetime(2026, 3, 1, tzinfo=timezone.utc)
rows = []
for n in range(2_000):
    event = rng.choices(["page_view", "search", "add_to_cart", "purchase"], [60, 20, 14, 6])[0]
    row = {
        "event_id": f"shop-{n}",
        "user_id": f"u{int(rng.paretovariate(1.1)) % 250}",
        "event": event,
        "time": (start + timedelta(minutes=n * 20 + rng.randrange(20))).isoformat().replace("+00:00", "Z"),
        "plan": rng.choice(["free", "free", "pro"]),
    }
    if event == "purchase":
        row["amount"] = round(rng.lognormvariate(3, 0.8), 2)
    rows.append(json.dumps(row, separators=(",", ":")))
rows.insert(500, '{"event_id":"shop-x1","user_id":"u1","event":"search"}')
rows.insert(900, '{"event_id":"shop-x2","user_id":"","event":"search","time":"2026-03-09T00:00:00Z"}')
rows.insert(1300, "this line is not JSON")
rows.append(rows[10])
print("\n".join(rows))
