"""Makes the event log that the benches load: seeded, in the order of arrival, the same bytes for the same arguments.

usage: benches/data.py OUT --events N [--users U] [--days D] [--seed S] [--formats ndjson,csv,parquet]

Writes OUT/events.FORMAT. The shape follows product analytics: 20 event names of very different frequency, users whose
activity has a heavy tail (a few send thousands of events, most send one), attributes that belong to a user (team, plan,
country) or to an event (channel), and an amount on purchases only. Times are uniform over D days from 2026-01-01 UTC.

The log is made a million rows at a time, so that it may be larger than memory. Another generator will do as well:
benches/run.py takes any folder with these files and these columns.
"""

import argparse
import pathlib

import numpy as np
import polars as pl
import pyarrow.parquet as pq

START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
DAY_US = 86_400_000_000
CHUNK = 1_000_000
TEXT_TIME = "%Y-%m-%dT%H:%M:%S%.6fZ"

# Relative frequencies; 20 names.
EVENTS = {
    "page_view": 30, "search": 9, "product_view": 12, "add_to_cart": 5, "checkout": 2.5, "purchase": 1.5,
    "login": 5, "logout": 3, "signup": 0.5, "invite_sent": 1, "session_joined": 2, "ai_suggested": 6,
    "ai_accepted": 3.5, "doc_opened": 6, "doc_edited": 4, "comment_added": 3, "feature_used": 4,
    "error_shown": 1.4, "seat_provisioned": 0.5, "provision_failed": 0.1,
}  # fmt: skip
PLANS = {"free": 70, "pro": 25, "enterprise": 5}
TEAMS, COUNTRIES, CHANNELS = 50, 30, 8


def chosen(rng: np.random.Generator, weights: np.ndarray, size: int) -> np.ndarray:
    """Draws indices in proportion to `weights`."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges, rng.random(size) * edges[-1], side="right").clip(max=len(edges) - 1)


class Users:
    """What belongs to a user, and how often each user acts."""

    def __init__(self, rng: np.random.Generator, count: int):
        self.weight = rng.pareto(1.2, count) + 0.2
        self.team = rng.integers(0, TEAMS, count)
        self.plan = chosen(rng, np.array(list(PLANS.values()), float), count)
        self.country = rng.integers(0, COUNTRIES, count)


def labels(prefix: str, numbers: np.ndarray) -> pl.Series:
    return prefix + pl.Series(numbers).cast(pl.String)


def chunks(events: int, users: int, days: int, seed: int):
    """Yields data frames of at most CHUNK rows; together they are the log."""
    everybody = Users(np.random.default_rng([seed, 0]), users)
    names = np.array(list(EVENTS))
    frequencies = np.array(list(EVENTS.values()), float)
    for first in range(0, events, CHUNK):
        size = min(CHUNK, events - first)
        rng = np.random.default_rng([seed, 1 + first // CHUNK])
        user = chosen(rng, everybody.weight, size)
        event = chosen(rng, frequencies, size)
        # Each chunk has its part of the days, so that the chunks follow each other in time.
        start, end = (int(days * DAY_US * part / events) for part in (first, first + size))
        time = START_US + np.sort(rng.integers(start, max(end, start + 1), size))
        amount = np.where(names[event] == "purchase", np.round(rng.lognormal(3.2, 1.0, size), 2), np.nan)
        yield pl.DataFrame(
            {
                "event_id": np.arange(first, first + size, dtype=np.uint64),
                "event": pl.Series(names[event]),
                "user_id": labels("u", user),
                "time": pl.Series(time).cast(pl.Datetime("us", "UTC")),
                "team": labels("team-", everybody.team[user]),
                "plan": pl.Series(np.array(list(PLANS))[everybody.plan[user]]),
                "country": labels("c", everybody.country[user]),
                "channel": labels("ch", rng.integers(0, CHANNELS, size)),
                "amount": pl.Series(amount).fill_nan(None),
            }
        )


def write(out: pathlib.Path, events: int, users: int, days: int, seed: int, formats: list[str]) -> None:
    """Writes the log in each of `formats`. A file appears under its name when it is whole."""
    out.mkdir(parents=True, exist_ok=True)
    partial = {name: out / f".events.{name}.partial" for name in formats}
    files = {name: open(path, "wb") for name, path in partial.items()}
    parquet = None
    for number, frame in enumerate(chunks(events, users, days, seed)):
        if "parquet" in files:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            parquet = parquet or pq.ParquetWriter(files["parquet"], table.schema, compression="zstd")
            parquet.write_table(table, row_group_size=CHUNK)
        text = frame.with_columns(pl.col("time").dt.strftime(TEXT_TIME))
        if "ndjson" in files:
            text.write_ndjson(files["ndjson"])
        if "csv" in files:
            text.write_csv(files["csv"], include_header=number == 0)
    if parquet:
        parquet.close()
    for name, file in files.items():
        file.close()
        partial[name].rename(out / f"events.{name}")


def repeat(source: pathlib.Path, out: pathlib.Path, times: int) -> None:
    """Writes the Parquet log `source` some times over into `out`, each time of other users and with other event ids."""
    out.mkdir(parents=True, exist_ok=True)
    log = pq.ParquetFile(source)
    partial = out / ".events.parquet.partial"
    with pq.ParquetWriter(partial, log.schema_arrow, compression="zstd") as parquet:
        for turn in range(times):
            for group in range(log.num_row_groups):
                frame = pl.from_arrow(log.read_row_group(group))
                shifted = frame.with_columns(
                    pl.col("event_id") + turn * log.metadata.num_rows, user_id=f"{turn}" + pl.col("user_id")
                )
                table = shifted.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(log.schema_arrow)
                parquet.write_table(table, row_group_size=CHUNK)
    partial.rename(out / "events.parquet")


def one_each(source: pathlib.Path, out: pathlib.Path) -> None:
    """Writes the Parquet log `source` into `out`, each event of a user of its own."""
    out.mkdir(parents=True, exist_ok=True)
    log = pq.ParquetFile(source)
    partial = out / ".events.parquet.partial"
    with pq.ParquetWriter(partial, log.schema_arrow, compression="zstd") as parquet:
        for group in range(log.num_row_groups):
            frame = pl.from_arrow(log.read_row_group(group)).with_columns(user_id="u" + pl.col("event_id").cast(pl.String))
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(log.schema_arrow)
            parquet.write_table(table, row_group_size=CHUNK)
    partial.rename(out / "events.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--users", type=int, help="default: a twentieth of the events")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", default="ndjson,csv,parquet")
    args = parser.parse_args()
    formats = args.formats.split(",")
    if unknown := set(formats) - {"ndjson", "csv", "parquet"}:
        parser.error(f"unknown formats {sorted(unknown)}: use ndjson, csv, parquet")
    write(args.out, args.events, args.users or max(args.events // 20, 1), args.days, args.seed, formats)
    for name in formats:
        print(f"{args.out / f'events.{name}'}  {(args.out / f'events.{name}').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
