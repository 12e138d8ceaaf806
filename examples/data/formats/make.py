#!/usr/bin/env python3
"""Writes the same 200 synthetic events, seeded, in every format that AURA reads, into the directory of this file.

Needs pyarrow and zstandard (written with 26.0 and 0.25)."""
import csv
import gzip
import io
import json
import pathlib
import random
from datetime import date, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

HERE = pathlib.Path(__file__).parent
rng = random.Random(11)
start = datetime(2026, 2, 27, 22, tzinfo=timezone.utc)
NOTES = ["plain", "with, comma", 'with "quotes"', "two\nlines", "Zürich ☕", " spaces ", None]
rows = []
for n in range(200):
    rows.append(
        {
            "event_id": f"sample-{n:03}",
            "user_id": f"user {rng.randrange(12)}",
            "event": rng.choice(["page_view", "search", "purchase"]),
            # Microseconds, so that no format may round.
            "time": start + timedelta(minutes=7 * n, microseconds=rng.randrange(1, 1_000_000)),
            "amount": rng.choice([None, round(rng.lognormvariate(3, 1), 2), -0.5, 1e-7]),
            "items": rng.choice([None, 0, 1, -3, 9007199254740993]),
            "member": rng.choice([None, True, False]),
            "day": date(2026, 2, 28) + timedelta(days=n % 3),
            "note": rng.choice(NOTES),
        }
    )


def plain(row):
    """A row as JSON has it."""
    row = {key: value for key, value in row.items() if value is not None}
    row["time"] = row["time"].isoformat().replace("+00:00", "Z")
    row["day"] = row["day"].isoformat()
    return row


lines = "".join(json.dumps(plain(row), ensure_ascii=n % 2 == 0) + "\n" for n, row in enumerate(rows))
(HERE / "sample.ndjson").write_text(lines)
(HERE / "sample.ndjson.zst").write_bytes(zstandard.ZstdCompressor(19).compress(lines.encode()))
(HERE / "sample.json").write_text(json.dumps([plain(row) for row in rows], indent=1) + "\n")

text = io.StringIO()
out = csv.DictWriter(text, rows[0].keys())
out.writeheader()
for row in rows:
    row = plain(row)
    if "member" in row:
        row["member"] = str(row["member"]).lower()
    out.writerow(row)
(HERE / "sample.csv").write_bytes(text.getvalue().encode())
(HERE / "sample.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))

schema = pa.schema(
    [
        ("event_id", pa.string()),
        ("user_id", pa.dictionary(pa.int16(), pa.string())),
        ("event", pa.dictionary(pa.int8(), pa.string())),
        ("time", pa.timestamp("us", "UTC")),
        ("amount", pa.float64()),
        ("items", pa.int64()),
        ("member", pa.bool_()),
        ("day", pa.date32()),
        ("note", pa.large_string()),
    ]
)
table = pa.Table.from_pylist(rows, schema)
pq.write_table(table, HERE / "sample.parquet", compression="zstd", row_group_size=64)
with pa.ipc.new_file(HERE / "sample.arrow", schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as file:
    file.write_table(table, max_chunksize=64)
with pa.ipc.new_stream(HERE / "sample.arrows", schema) as stream:
    stream.write_table(table)
