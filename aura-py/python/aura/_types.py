"""Types of the parts of specs and options.

Written by ``generate.py`` from the JSON Schemas of the core; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Required

from ._spec import Length

class StepObject(TypedDict, total=False):
    """A step with field names."""

    event: str | None
    """The name of the events."""
    events: Sequence[str] | None
    """The names of the events, of which any will do."""
    name: str | None
    """What the step is called in the result."""
    optional: bool
    """Whether the next step may follow without this one."""
    where: str | None
    """A condition over columns that the events meet."""
    within: Length | None
    """How long after the step before it the step may be."""

Step = str | Sequence[str] | StepObject
"""One step of a funnel: which events, and how it is reached."""

class AttributionStep(TypedDict, total=False):
    """The event of this step, from 1. Chains without it are left out."""

    step: Required[int]

Attribution = Literal["first", "last", "all_steps"] | AttributionStep
"""Which event of a chain gives the values of the columns of ``by``."""

class FunnelSegment(TypedDict, total=False):
    """A part of the chains of a ``Funnel``."""

    name: Required[str]
    """What it is called in the result."""
    where: Required[str]
    """The condition over columns that the first event of the chain meets."""

class FunnelCountSessionsSessions(TypedDict, total=False):
    """See the spec."""

    gap: Required[Length]
    """Hours or shorter units."""

class FunnelCountSessions(TypedDict, total=False):
    """Sessions, each once with the chains that lie in it: a pause longer than ``gap`` begins a new one. All events count
    that pass ``filter``, from ``from`` on."""

    sessions: Required[FunnelCountSessionsSessions]

FunnelCount = Literal["actors", "totals"] | FunnelCountSessions
"""What a ``Funnel`` counts."""

class ExclusionObject(TypedDict, total=False):
    """An exclusion with field names."""

    after: int | None
    """The step, from 1, after which they matter."""
    before: int | None
    """The step before which they matter."""
    event: str | None
    """The name of the events."""
    events: Sequence[str] | None
    """The names of the events, of which any will do."""
    where: str | None
    """A condition over columns that the events meet."""

Exclusion = str | Sequence[str] | ExclusionObject
"""Events that end an attempt between two steps of a funnel."""

Grain = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]
"""The length of the periods into which a metric is cut. Ordered from short to long."""

StepOrder = Literal["ordered", "strict", "any"]
"""In which order the steps of a ``Funnel`` come."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
"""The day on which weeks begin."""

class EventFilterObject(TypedDict, total=False):
    """The form with field names."""

    event: str | None
    """The name of the events."""
    events: Sequence[str] | None
    """The names of the events, of which any will do."""
    where: str | None
    """A condition over columns that the events meet."""

EventFilter = str | Sequence[str] | EventFilterObject
"""Which events: a name, a list of names, or names and a condition over columns."""

Cohort = Literal["first_ever", "first_in_range", "recurring"]
"""Which start event puts an actor into a cohort."""

RetentionMode = Literal["on", "on_or_after", "on_or_before", "streak"]
"""In which windows an actor must return to be retained in cell *k*."""

RetentionOutput = Literal["matrix", "curve", "summary", "streaks", "survival"]
"""Which table comes. All have the columns of ``by`` first."""

RetentionWindow = Literal["calendar", "rolling"]
"""What windows of return are."""

Month = Literal["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
"""The month in which fiscal years begin."""

FiscalYearLabel = Literal["end_year", "start_year"]
"""Which calendar year names a fiscal year that lies in two."""

class PeriodRow(TypedDict, total=False):
    """One period of a ``PeriodTable``."""

    end: Required[str]
    """The day or moment after the period, which is the start of the next."""
    grain: Required[Grain]
    """Week, month, quarter or year."""
    label: Required[str]
    """What results call the period, such as ``2026-P03``. Each label occurs once in a grain."""
    start: Required[str]
    """First local day (``2026-02-01``) or moment (``2026-02-01T06:00``)."""

PeriodTable = Sequence[PeriodRow]
"""Periods of one's own for the grains week, month, quarter and year.

The rows of a grain stand in the order of time, and each begins where the one before it ends. Rows of several grains
may be mixed. Rows count from 1, without the header."""

SessionsOutput = Literal["summary", "table"]
"""Which table comes."""

StickinessOutput = Literal["distribution", "ratio"]
"""Which table comes. Both have the columns of ``by`` first, then, with ``within``, ``interval`` (timestamp) and
``interval_label`` (text)."""

class ComparisonPeriods(TypedDict, total=False):
    """The one so many periods before it, from 1."""

    periods: Required[int]

ComparisonFrom = TypedDict("ComparisonFrom", {"from": "str"})

Comparison = Literal["previous_period", "previous_year"] | ComparisonPeriods | ComparisonFrom
"""With which period each period of the result is compared."""

Fill = Literal["zero", "null", "previous"]
"""What stands in a period without any event."""

class OrderBy(TypedDict, total=False):
    """A column to order by."""

    column: Required[str]
    """The name of a column of the result."""
    descending: bool
    """Greatest first. Nulls come last either way."""

class Top(TypedDict, total=False):
    """Which values of a dimension are kept."""

    dimension: str | None
    """Of which dimension; by default the first one of the query."""
    metric: str | None
    """The metric that is compared; by default the first one of the query. Its values of all periods asked for are added
    up, nulls left out; of equal sums the value that sorts first is kept."""
    n: Required[int]
    """How many, from 1 to 10,000."""
    other: str
    """What all other values together are called."""

Verdict = Literal["useful", "not_useful", "snoozed"]
"""What was said about a finding."""

class Feedback(TypedDict, total=False):
    """What somebody said about a finding."""

    id: Required[str]
    """The id of the finding."""
    metric: str | None
    """The metric of the finding: with it, findings of the same metric rank a little higher or lower as well."""
    until: str | None
    """Until when it is snoozed (RFC 3339 or a date, UTC); for ever unless given. Only for snoozing."""
    verdict: Required[Verdict]
    """What was said."""

class LocalText(TypedDict, total=False):
    """Text for people in the languages of AURA."""

    en: Required[str]
    """English."""
    ru: str | None
    """Russian; where it is missing the English text is shown."""

Change = Literal["up", "down", "none"]
"""Which way a value went."""

Effect = Literal["amount", "rate", "mix"]
"""How a segment changes the whole."""

class Part(TypedDict, total=False):
    """A value of a dimension."""

    dimension: Required[str]
    """The name of the dimension."""
    value: str | None
    """Its value as text; ``None`` is that of events without one."""

class Driver(TypedDict, total=False):
    """A segment that explains a change."""

    contribution: Required[float]
    """Its part of ``absolute``, in the unit of the metric."""
    effect: Required[Effect]
    """How it works: by its own value, or by how much of the whole it is."""
    segment: Required[Sequence[Part]]
    """The segment: one or two pairs of dimension and value."""
    share: Required[float]
    """That over the whole change: 0.8 is 80 %; above 1 where other segments went the other way."""

class Named(TypedDict, total=False):
    """A number with its name."""

    name: Required[str]
    """What it is, in snake case."""
    value: Required[float]
    """The number; always finite."""

class Series(TypedDict, total=False):
    """Values over time; all lists that are not empty have as many entries as ``periods``."""

    expected: Sequence[float | None]
    """What was expected; empty where nothing was."""
    lower: Sequence[float | None]
    """The lower end of what is usual."""
    marks: Sequence[int]
    """The places (from 0) of the periods that the finding is about, ascending."""
    periods: Required[Sequence[str]]
    """The labels of the periods, in order."""
    upper: Sequence[float | None]
    """The upper end of what is usual."""
    values: Required[Sequence[float | None]]
    """The values; ``None`` where there is none."""

class Evidence(TypedDict, total=False):
    """The numbers behind a finding."""

    numbers: Required[Sequence[Named]]
    """Numbers by name, in the order in which they are read, such as ``expected``, ``observed``, ``p_value``."""
    series: Required[Series]
    """The series for a chart."""
    spec: Required[Any]
    """The ``MetricQuery`` whose answer has these values."""

ValueStyle = Literal["number", "percent", "duration", "currency"]
"""How a value is shown."""

FindingKind = Literal["shift", "trend", "anomaly", "missing", "drift", "threshold", "goal", "burn_rate", "milestone", "comparison"]
"""What kind of fact a finding is."""

class Related(TypedDict, total=False):
    """A finding that is shown by another one."""

    id: Required[str]
    """Its id."""
    metric: Required[str]
    """Its metric."""
    segment: Sequence[Part]
    """Its segment."""

Severity = Literal["low", "medium", "high"]
"""How much a finding matters."""

class Size(TypedDict, total=False):
    """How large a finding is."""

    absolute: Required[float]
    """The value in the window less the value expected (or before), per period, in the unit of the metric."""
    actors: float | None
    """Different actors with an event in the segment in the window, where that is known."""
    relative: float | None
    """That over the value expected, as a fraction: 0.25 is 25 %. ``None`` where that is 0."""

Status = Literal["new", "ongoing", "resolved"]
"""Whether the previous run knew a finding."""

Window = TypedDict("Window", {"first": "str", "from": "str", "grain": "Grain", "last": "str", "periods": "int", "to": "str"})
"""A stretch of whole periods."""

class Finding(TypedDict, total=False):
    """One thing that is worth knowing."""

    action: Required[LocalText]
    """What to do next, one sentence."""
    confidence: Required[float]
    """How sure it is, from 0 to 1: 1 less the q-value, the expected share of false findings among those at least as
    sure."""
    direction: Required[Change]
    """Which way the value went."""
    drivers: Sequence[Driver]
    """The segments that explain it, the largest contribution first."""
    evidence: Required[Evidence]
    """The numbers behind it."""
    format: ValueStyle
    """How values of the metric are shown."""
    good: bool | None
    """Whether that is good, where the metric says which way is good."""
    id: Required[str]
    """Sixteen hexadecimal digits that are the same in every run that finds the same fact: a hash of rule, metric,
    segment, direction and the period in which it began."""
    kind: Required[FindingKind]
    """What kind of fact it is."""
    merged: Sequence[Related]
    """Other findings that tell the same story and are shown by this one."""
    metric: Required[str]
    """The name of the metric."""
    rule: Required[str]
    """The name of the rule that found it."""
    score: Required[float]
    """The order of findings; greater is more important. Feedback and snoozing are part of it."""
    segment: Sequence[Part]
    """The segment: pairs of dimension and value in the order of the dimensions; empty for everything."""
    sentence: Required[LocalText]
    """The fact in one sentence."""
    severity: Required[Severity]
    """How much it matters."""
    size: Required[Size]
    """How large it is."""
    status: Required[Status]
    """Whether the previous run knew it."""
    title: Required[LocalText]
    """The title of the metric for people."""
    unit: str | None
    """The unit of the metric as text (``events``, ``actors``, ``USD``, ``share``), where it is known."""
    window: Required[Window]
    """When it happened."""

Language = Literal["en", "ru"]
"""The language that a report is written in: its fixed words, the titles of metrics, numbers and dates."""

class Palette(TypedDict, total=False):
    """The colours for one ground, each as ``#rrggbb``.

    Text is readable (WCAG 2.2, AA) when ``ink`` and ``soft`` have a contrast of at least 4.5 to ``ground`` and
    ``panel``, and ``series`` one of at least 3 to ``ground``; the default palettes do."""

    bad: Required[str]
    """What did not, and what stands out in charts."""
    good: Required[str]
    """What went well."""
    ground: Required[str]
    """Behind everything."""
    ink: Required[str]
    """Text."""
    link: Required[str]
    """Links."""
    panel: Required[str]
    """Behind what is set apart."""
    rule: Required[str]
    """Lines that divide."""
    series: Required[Sequence[str]]
    """The lines and parts of charts, eight of them."""
    soft: Required[str]
    """Text that matters less."""

class Theme(TypedDict, total=False):
    """How reports look: colours for light and dark surroundings, a font, and CSS of one's own."""

    css: str
    """CSS that comes after that of AURA; at most 64 KiB."""
    dark: Palette
    """The colours on a dark ground."""
    font: str
    """The names of fonts as in CSS; letters, digits, spaces, commas, hyphens and quotation marks."""
    light: Palette
    """The colours on a light ground, and of print."""

class RenderOptions(TypedDict, total=False):
    """How reports are rendered: templates, a theme, and how large they may get. The default is AURA's own.

    **Templates** are in the language of Jinja2, as ``minijinja`` reads it, and see one value: ``title``, ``language``
    (``en``, ``ru``), ``words`` (fixed words by name), ``summary`` (texts), ``style`` (CSS of the theme), and
    ``sections``. A section has ``id``, ``title`` and ``blocks``; a block has ``kind`` and the fields that
    ``docs/report.md`` lists. What they print is escaped for HTML or Markdown, but drawings, which are SVG already. A
    name that is not there is an error. They read nothing else: no files, no other templates."""

    html_template: str | None
    """The template of HTML; AURA's own unless given."""
    markdown_template: str | None
    """The template of Markdown; AURA's own unless given."""
    max_bytes: int
    """The most bytes of HTML, 500,000 unless given. Where a report has more, its tables are cut further, first to 24
    rows and then to 6."""
    max_rows: int
    """The most rows of a table; the others are cut and it is said how many there are. 60 unless given."""
    theme: Theme
    """Colours and fonts of HTML."""

ExportFormat = Literal["csv", "json", "ndjson", "parquet", "arrow_ipc", "xlsx"]
"""A format that tables are written in."""

class CsvOptions(TypedDict, total=False):
    """How CSV is written."""

    delimiter: str
    """What stands between fields: ``,`` unless given; ``;``, ``|`` or a tab."""
    guard_formulas: bool
    """Whether text that a spreadsheet would run as a formula has an apostrophe before it; true unless given.

    It concerns names of columns and columns of text, not those of numbers, truth values and moments: a field whose
    first character, after spaces and controls, is ``=``, ``+``, ``-``, ``@`` or the full-width form of one, and a
    field that begins with a tab or an end of line."""

TimeUnit = Literal["auto", "seconds", "milliseconds", "microseconds", "nanoseconds"]
"""How an integer or a decimal number in the time column is to be read."""

class Roles(TypedDict, total=False):
    """Maps the columns of a source to the three roles, and says how to read its times.

    A role that is left out is looked for under the usual names, in this order; where none of them is there as it
    stands, upper and lower case, spaces and punctuation do not matter (``USER_ID``, ``User ID``):

    * actor: ``actor``, ``actor_id``, ``user_id``, ``userId``, ``distinct_id``, ``uid``, ``user``;
    * event: ``event``, ``event_name``, ``event_type``, ``eventName``, ``name``, ``type``;
    * time: ``time``, ``timestamp``, ``ts``, ``occurred_at``, ``event_time``, ``created_at``, ``datetime``;
    * event id: ``event_id``, ``eventId``, ``insert_id``, ``$insert_id``, ``message_id``, ``messageId``, ``uuid``."""

    actor: str | None
    """Column that says who."""
    event: str | None
    """Column that says what."""
    event_id: str | None
    """Column with an id that is unique per event; the same id counts once."""
    event_name: str | None
    """The event name of every row, for sources that have no such column."""
    time: str | None
    """Column that says when."""
    time_unit: TimeUnit
    """Unit of times given as numbers."""
    time_zone: str | None
    """IANA zone (for example ``Europe/Berlin``) of times that carry none."""

class EngineSettings(TypedDict, total=False):
    """Settings of the query engine."""

    memory_limit: int
    """Bytes that the operators of one query may hold before they spill or fail with ``ResourceExhausted`` (default 1
    GiB)."""
    threads: int
    """Threads of one query, at most 1,024; 0 (default) means one per core."""

PartitionGrain = Literal["day", "month", "year", "none"]
"""How finely stored events are divided by the calendar (UTC).

A question over a span of time reads only the partitions that the span touches; expiry drops whole ones. Finer
partitions mean more and smaller files."""

class StoreSettings(TypedDict, total=False):
    """Settings of a ``Store``."""

    background: bool
    """Whether threads of this process flush, compact and tidy up by themselves (default true)."""
    compact_files: int
    """Loose files of a partition that make a background compaction start (default 8)."""
    delete_grace_s: int
    """Seconds that a file stays on disk after the last snapshot that needs it, for readers that are still at work
    (default 600)."""
    engine: EngineSettings
    """The query engine."""
    flush_after_s: int
    """Seconds after which staged events are flushed even if they are few (default 30)."""
    flush_bytes: int
    """Staged bytes (compressed) that make a background flush start (default 32 MiB)."""
    history_s: int
    """Seconds that old snapshots stay readable (default 7 days; in memory 0). Looked at about once a minute."""
    id_memory_bytes: int
    """Bytes of memory for the index of event ids; beyond it the index goes to disk (default 192 MiB; without effect in
    memory)."""
    partition: PartitionGrain | None
    """How finely events are divided by the calendar. Fixed when the store is made: ``None`` (default) is ``month`` for a
    new store, and as it is for another; a grain that differs from the store's is an error."""
    target_rows_per_file: int
    """Rows of a compacted file (default 2,000,000)."""
    threads: int
    """Threads of an ingest or a compaction, at most 1,024; 0 (default) means one per core."""

class Limits(TypedDict, total=False):
    """Limits of the readers. The defaults suit a host with 512 MiB to spare. All but ``max_original_bytes`` and
    ``max_rejects_returned`` are at least 1; with a 0 an ingest or append is refused as ``InvalidSpec``."""

    block_bytes: int
    """Target size of the pieces that are parsed in parallel (default 8 MiB)."""
    max_columns: int
    """Most columns of a source (default 2,000). More is an error."""
    max_compression_ratio: int
    """Largest ratio of expanded to compressed bytes, looked at after the first 64 MiB (default 1,000). More is an error:
    no honest log compresses so well. It is also the most rows that a batch of Arrow IPC has a byte, beyond the first
    32,768 rows: nulls and runs take no room."""
    max_decompressed_bytes: int
    """Most bytes that one compressed source may expand to (default 1 TiB). More is an error."""
    max_held_bytes: int
    """Most bytes of a source that are held in memory at once (default 256 MiB): all of a Parquet or Arrow IPC source
    that is a stream or compressed, since those formats need random access, and each batch of Arrow IPC, which has no
    smaller part. More is an error."""
    max_json_depth: int
    """Deepest nesting of a JSON value (default 128). A deeper row is quarantined."""
    max_original_bytes: int
    """Most bytes of the original row kept in a reject (default 64 KiB)."""
    max_rejects_returned: int
    """Most rejects kept in memory and returned with the report (default 1,000). All of them are in the store's
    quarantine."""
    max_row_bytes: int
    """Longest row of a text source in bytes (default 16 MiB). A longer row is quarantined with its first
    ``max_original_bytes`` bytes; the rows after it are read."""
    sample_rows: int
    """Rows looked at to find the columns and types of a source without contract (default 10,000)."""

Format = Literal["csv", "ndjson", "json_array", "parquet", "arrow_ipc"]
"""The format of a source."""

Preset = Literal["segment", "cloud_events", "posthog", "mixpanel"]
"""A well-known event format.

The event's own properties keep their names (CloudEvents: ``data_<key>``), other fields of the envelope get a fixed
prefix, and values keep their exact text. ``docs/presets.md`` has a table of every field, with sources."""

class SqlSource(TypedDict, total=False):
    """Where another engine keeps the events. The column of times is of the type that holds instants (``TIMESTAMPTZ``, in
    Databricks and BigQuery ``TIMESTAMP``); properties have the names that metrics use."""

    actor: str
    """The column that says who."""
    event: str
    """The column that says what."""
    event_id: str
    """The column of the ids of events."""
    table: Required[Sequence[str]]
    """The parts of the name of the table, such as schema and table."""
    time: str
    """The column that says when."""

SqlDialect = Literal["duckdb", "postgresql", "snowflake", "databricks", "bigquery"]
"""A dialect of SQL."""

PseudonymKey = str
"""A secret with which actors are replaced by pseudonyms. The same key gives the same pseudonyms, so that events of
several repositories and of later reads fit together; whoever has no key cannot try addresses out."""

class GitOptions(TypedDict, total=False):
    """What to read of a repository."""

    max_blob_bytes: int
    """A file larger than this counts as binary: it is a changed file without lines (default 32 MiB; git's
    ``core.bigFileThreshold`` is 512 MiB). Bounds memory: a comparison needs about eight times this much."""
    pseudonymize: PseudonymKey | None
    """Replaces actors by ``dev_`` and 12 hexadecimal digits of a keyed hash. Default: the address is the actor."""
    repo: str | None
    """The value of the column ``repo``. Default: the name of the directory, without ``.git``."""
    revision: str | None
    """The commit whose history is read: a branch, a tag, a commit id or any revision that names one commit
    (gitrevisions(7), for example ``main~10``). Default: ``HEAD``."""
    since_us: int | None
    """Only commits whose committer time is at or after this one (UTC microseconds). Like git's own
    ``--since-as-filter``, this looks at the committer and not at the author: a commit that was written long ago and
    arrived now is new."""
    threads: int
    """Threads that compare trees (default 2, from 1 to 64). The result does not depend on it."""
    until_us: int | None
    """Only commits whose committer time is before this one (UTC microseconds)."""
