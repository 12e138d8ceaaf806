"""Checks the hashes of an exported audit log by its description in docs/jobs.md, with nothing of AURA."""
import hashlib
import json
import sys

FIELDS = ["seq", "at_us", "actor", "action", "object", "outcome", "request_id", "detail"]

records = json.load(sys.stdin)
before = "0" * 64
wrong = []
for place, record in enumerate(records, 1):
    line = json.dumps({field: record[field] for field in FIELDS}, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256((before + line).encode()).hexdigest()
    if record["seq"] != place or digest != record["hash"]:
        wrong.append(record["seq"])
    before = record["hash"]
json.dump({"records": len(records), "wrong": wrong}, sys.stdout)
