/**
 * Types of specs and options.
 *
 * Written by `generate.mjs` from the JSON Schemas of the core; do not edit.
 */

import type { Length, Moment } from "./json.js";

/**
 * Any analysis of behaviour.
 *
 * In JSON it is an object with the name of the analysis as its only key: `{"funnel": {"steps": ["signup",
 * "order"]}}`.
 */
export type Analysis = {
  funnel: Funnel;
} | {
  sequence: Sequence;
} | {
  retention: Retention;
} | {
  sessions: Sessions;
} | {
  stickiness: Stickiness;
} | {
  lifecycle: Lifecycle;
};

/**
 * Which event of a chain gives the values of the columns of `by`.
 *
 * - "first": The first event of the chain that has one; of each column its own.
 * - "last": The last event of the chain that has one; of each column its own.
 * - "all_steps": All of them: only events with the same values (null is one) make a chain, and each actor counts once for each combination of values.
 */
export type Attribution = "first" | "last" | {
  step: number;
} | "all_steps";

/** Two windows that end with the last complete period: the budget is spent too fast when both exceed the factor. */
export interface BurnWindow {
  /** How many times as fast as the objective allows; above 0. */
  factor: number;
  /** Periods of the long window, from 1. */
  long: number;
  /** Periods of the short window, from 1, at most `long`. */
  short: number;
}

/**
 * Which start event puts an actor into a cohort.
 *
 * - "first_ever": The first one of the actor in all events. Actors whose first one lies before the range are in no cohort.
 * - "first_in_range": The first one in the range.
 * - "recurring": The first one in each cohort period: an actor is in as many cohorts as it has periods with a start.
 */
export type Cohort = "first_ever" | "first_in_range" | "recurring";

/**
 * With which period each period of the result is compared.
 *
 * - "previous_period": The one before it.
 * - "previous_year": The same one a year before, see `same_period_previous_year`.
 */
export type Comparison = "previous_period" | {
  /** Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar. */
  periods: number;
} | "previous_year" | {
  from: Moment;
};

/** How CSV is written. */
export interface CsvOptions {
  /** What stands between fields: `,` unless given; `;`, `|` or a tab. */
  delimiter?: string | undefined;
  /**
   * Whether text that a spreadsheet would run as a formula has an apostrophe before it; true unless given.
   *
   * It concerns names of columns and columns of text, not those of numbers, truth values and moments: a field whose
   * first character, after spaces and controls, is `=`, `+`, `-`, `@` or the full-width form of one, and a field that
   * begins with a tab or an end of line.
   */
  guardFormulas?: boolean | undefined;
}

/**
 * Which way a value went.
 *
 * - "up": It is greater than it was or should be.
 * - "down": It is less.
 * - "none": Neither, as when a mix changes.
 */
export type Direction = "up" | "down" | "none";

/** A segment that explains a change. */
export interface Driver {
  /** Its part of `absolute`, in the unit of the metric. */
  contribution: number;
  /** How it works: by its own value, or by how much of the whole it is. */
  effect: Effect;
  /** The segment: one or two pairs of dimension and value. */
  segment: readonly FindingPart[];
  /** That over the whole change: 0.8 is 80 %; above 1 where other segments went the other way. */
  share: number;
}

/**
 * How a segment changes the whole.
 *
 * - "amount": The count or sum of the segment changed.
 * - "rate": The ratio within the segment changed.
 * - "mix": The segment became a larger or smaller part of the whole.
 */
export type Effect = "amount" | "rate" | "mix";

/** Settings of the query engine. */
export interface EngineSettings {
  /**
   * Bytes that the operators of one query may hold before they spill or fail with `ResourceExhausted` (default 1
   * GiB).
   */
  memoryLimit?: number | undefined;
  /** Threads of one query, at most 1,024; 0 (default) means one per core. */
  threads?: number | undefined;
}

/** Which events: a name, a list of names, or names and a condition over columns. */
export type EventFilter = string | readonly string[] | {
  /** The name of the events. */
  event?: string | undefined;
  /** The names of the events, of which any will do. */
  events?: readonly string[] | undefined;
  /** A condition over columns that the events meet. */
  where?: string | undefined;
};

/** The numbers behind a finding. */
export interface Evidence {
  /** Numbers by name, in the order in which they are read, such as `expected`, `observed`, `p_value`. */
  numbers: readonly NamedValue[];
  /** The series for a chart. */
  series: FindingSeries;
  /** The `MetricQuery` whose answer has these values. */
  spec: unknown;
}

/** Events that end an attempt between two steps of a funnel. */
export type Exclusion = string | readonly string[] | {
  /** The step, from 1, after which they matter. */
  after?: number | undefined;
  /** The step before which they matter. */
  before?: number | undefined;
  /** The name of the events. */
  event?: string | undefined;
  /** The names of the events, of which any will do. */
  events?: readonly string[] | undefined;
  /** A condition over columns that the events meet. */
  where?: string | undefined;
};

/**
 * A format that tables are written in.
 *
 * - "csv": Comma-separated values with a head, as `CsvOptions` by default: formulas are guarded.
 * - "json": One JSON array of objects. Moments are RFC 3339; nulls are there; what JSON has no number for (NaN, infinity) is null.
 * - "ndjson": An object of JSON on each line.
 * - "parquet": Parquet, compressed with zstd.
 * - "arrow_ipc": The file format of Arrow IPC, which is also called Feather 2.
 * - "xlsx": A workbook of Excel with one sheet. Needs the feature `xlsx`.
 */
export type ExportFormat = "csv" | "json" | "ndjson" | "parquet" | "arrow_ipc" | "xlsx";

/** What somebody said about a finding. */
export interface Feedback {
  /** The id of the finding. */
  id: string;
  /** What was said. */
  verdict: Verdict;
  /** The metric of the finding: with it, findings of the same metric rank a little higher or lower as well. */
  metric?: string | undefined;
  /** Until when it is snoozed (RFC 3339 or a date, UTC); for ever unless given. Only for snoozing. */
  until?: string | undefined;
}

/**
 * What stands in a period without any event.
 *
 * - "zero": 0: nothing happened, and that is a count.
 * - "null": Null: there is no value.
 * - "previous": The value of the period before; null where there is none.
 */
export type Fill = "zero" | "null" | "previous";

/** One thing that is worth knowing. */
export interface Finding {
  /** What to do next, one sentence. */
  action: LocalText;
  /**
   * How sure it is, from 0 to 1: 1 less the q-value, the expected share of false findings among those at least as
   * sure.
   */
  confidence: number;
  /** Which way the value went. */
  direction: Direction;
  /** The numbers behind it. */
  evidence: Evidence;
  /**
   * Sixteen hexadecimal digits that are the same in every run that finds the same fact: a hash of rule, metric,
   * segment, direction and the period in which it began.
   */
  id: string;
  /** What kind of fact it is. */
  kind: FindingKind;
  /** The name of the metric. */
  metric: string;
  /** The name of the rule that found it. */
  rule: string;
  /** The order of findings; greater is more important. Feedback and snoozing are part of it. */
  score: number;
  /** The fact in one sentence. */
  sentence: LocalText;
  /** How much it matters. */
  severity: Severity;
  /** How large it is. */
  size: FindingSize;
  /** Whether the previous run knew it. */
  status: FindingStatus;
  /** The title of the metric for people. */
  title: LocalText;
  /** When it happened. */
  window: FindingWindow;
  /** The segments that explain it, the largest contribution first. */
  drivers?: readonly Driver[] | undefined;
  /** How values of the metric are shown. */
  format?: MetricFormat | undefined;
  /** Whether that is good, where the metric says which way is good. */
  good?: boolean | undefined;
  /** Other findings that tell the same story and are shown by this one. */
  merged?: readonly RelatedFinding[] | undefined;
  /** The segment: pairs of dimension and value in the order of the dimensions; empty for everything. */
  segment?: readonly FindingPart[] | undefined;
  /** The unit of the metric as text (`events`, `actors`, `USD`, `share`), where it is known. */
  unit?: string | undefined;
}

/**
 * What kind of fact a finding is.
 *
 * - "shift": The level moved from one period to the next, and stayed.
 * - "trend": The value moves steadily.
 * - "anomaly": A few periods lie far off what was expected.
 * - "missing": Events stopped coming.
 * - "drift": The mix of the values of a dimension changed.
 * - "threshold": The value is beyond a bound.
 * - "goal": A target will be missed, or was reached.
 * - "burn_rate": The budget of errors of a service level is spent too fast.
 * - "milestone": A round number was passed for the first time.
 * - "comparison": A segment differs from all others together.
 */
export type FindingKind = "shift" | "trend" | "anomaly" | "missing" | "drift" | "threshold" | "goal" | "burn_rate" | "milestone" | "comparison";

/** A value of a dimension. */
export interface FindingPart {
  /** The name of the dimension. */
  dimension: string;
  /** Its value as text; `None` is that of events without one. */
  value?: string | undefined;
}

/** Values over time; all lists that are not empty have as many entries as `periods`. */
export interface FindingSeries {
  /** The labels of the periods, in order. */
  periods: string | readonly string[];
  /** The values; `None` where there is none. */
  values: readonly (number | null)[];
  /** What was expected; empty where nothing was. */
  expected?: readonly (number | null)[] | undefined;
  /** The lower end of what is usual. */
  lower?: readonly (number | null)[] | undefined;
  /** The places (from 0) of the periods that the finding is about, ascending. */
  marks?: readonly number[] | undefined;
  /** The upper end of what is usual. */
  upper?: readonly (number | null)[] | undefined;
}

/** How large a finding is. */
export interface FindingSize {
  /** The value in the window less the value expected (or before), per period, in the unit of the metric. */
  absolute: number;
  /** Different actors with an event in the segment in the window, where that is known. */
  actors?: number | undefined;
  /** That over the value expected, as a fraction: 0.25 is 25 %. `None` where that is 0. */
  relative?: number | undefined;
}

/**
 * Whether the previous run knew a finding.
 *
 * - "new": It did not.
 * - "ongoing": It did.
 * - "resolved": It did, and this run no longer finds it.
 */
export type FindingStatus = "new" | "ongoing" | "resolved";

/** A stretch of whole periods. */
export interface FindingWindow {
  /** The label of the first period. */
  first: string;
  /** The first moment (RFC 3339, UTC). */
  from: string;
  /** The length of the periods. */
  grain: Grain;
  /** The label of the last period. */
  last: string;
  /** How many periods it has, from 1. */
  periods: number;
  /** The first moment after it (RFC 3339, UTC). */
  to: string;
}

/** The answer of `insights`: findings with the most important first. */
export interface Findings {
  /**
   * The findings by falling `score`; those that the previous run had and this one no longer has come last, with
   * `Resolved`.
   */
  findings: readonly Finding[];
  /**
   * What a careful analyst would add: which series were too short or too small to judge, and why there is nothing
   * where there is nothing.
   */
  notes: readonly LocalText[];
  /** How many series (metric, segment, grain) were looked at. */
  series: number;
  /** How many tests were made in all; the findings are corrected for this number. */
  tests: number;
  /** The moment until which events were known (RFC 3339, UTC); `None` without events. */
  asOf?: string | undefined;
}

/**
 * Which calendar year names a fiscal year that lies in two.
 *
 * - "end_year": The year in which it ends: July 2026 begins `FY2027`. Usual in the United States.
 * - "start_year": The year in which it begins: April 2026 begins `FY2026`. Usual in Japan.
 */
export type FiscalYearLabel = "end_year" | "start_year";

/**
 * The format of a source.
 *
 * - "csv": Delimited text with a header row (RFC 4180; comma, semicolon, tab or vertical bar).
 * - "ndjson": One JSON object a line.
 * - "json_array": One JSON array of objects.
 * - "parquet": Apache Parquet.
 * - "arrow_ipc": Apache Arrow IPC, as a file or as a stream.
 */
export type Format = "csv" | "ndjson" | "json_array" | "parquet" | "arrow_ipc";

/**
 * How many go through steps, where they stop, and how long it takes.
 *
 * **What is counted.** A *chain* is a series of events of one actor that meet the steps from the first one on: each
 * event stands for one step, each is later than the one before, the first lies in `[from, to)`, all lie within
 * `within` of the first and each within its step's own window of the one before (both ends included, also after
 * `to`), and no excluded event lies between. Each actor counts with one chain, the one that gets furthest; of several
 * the one that gets there first; and of these the one that took the shortest way there: it begins last, and from its
 * last event backwards each is the latest possible. A chain counts at each step it holds.
 *
 * **Ties.** Events of one actor at the same microsecond are taken in the order of the steps they meet: first those of
 * the first step, those that meet none last; then those that meet fewer later steps; then by the values of the
 * columns of `by`, smallest first, null last.
 *
 * **Shapes.** One row for each combination of `compare`, `by` and `grain` that occurs, and each step; ordered by
 * these. Without `by` and `grain` all steps are always there.
 *
 * | column | type | |
 * |---|---|---|
 * | `segment` | text | with `compare`: the name of the segment |
 * | the columns of `by` | as they are, text as `Utf8` | null where the event has no value |
 * | `period` | timestamp, UTC microseconds | with `grain`: the start of the period in which the chain began |
 * | `step` | `Int32` | from 1 |
 * | `name` | text | the name of the step; in any order `1 of 3` |
 * | `count` | `Int64` | chains that hold the step |
 * | `from_first` | `Float64` | `count` over that of the first step, null over 0 |
 * | `from_first_low`, `from_first_high` | `Float64` | its 95 % interval after Wilson |
 * | `from_previous` | `Float64` | `count` over that of the last step before that is not optional; null at the first |
 * | `median_seconds`, `p95_seconds` | `Float64` | unless `times` is false: from the event before in the chain; null at the first step, and of none |
 * | `total_median_seconds`, `total_p95_seconds` | `Float64` | unless `times` is false: from the first event of the chain |
 * | `histogram` | list of `Int64` | with `histogram`: chains by the time from the event before |
 * | `difference`, `difference_low`, `difference_high` | `Float64` | with `compare`, at the second segment: `from_first` less that of the first segment, and its 95 % interval after Newcombe |
 *
 * Percentiles are interpolated linearly between neighbours (type 7 of Hyndman and Fan).
 *
 * **Source.** The window is that of ClickHouse's `windowFunnel`; attribution and exclusions are after PostHog's
 * funnels. Differences: an event stands for one step only; a chain is never lost because a later event began another;
 * see `docs/behavior.md`.
 */
export interface Funnel {
  /** The steps, from 2 to 50. */
  steps: readonly Step[];
  /** A column that takes the role of the actor: a team, an account. Events where it is null are left out. */
  actor?: string | undefined;
  /** Which event of a chain gives the values of `by`. */
  attribution?: Attribution | undefined;
  /** Columns to break the result down by, at most 8. */
  by?: string | readonly string[] | undefined;
  /** Two segments that are compared: a chain is of each whose condition its first event meets. */
  compare?: readonly FunnelSegment[] | undefined;
  /** What is counted. */
  count?: FunnelCount | undefined;
  /** Events that must not lie between steps, at most 14. */
  exclude?: readonly Exclusion[] | undefined;
  /**
   * Which events count: a condition over columns, in the language of metrics. All others are as if they were not
   * there.
   */
  filter?: string | undefined;
  /**
   * The first moment at which a chain may begin: a date or time in the time zone, or an instant with its offset.
   * Events before it are not looked at.
   */
  from?: Moment | undefined;
  /**
   * The length of the periods for conversion over time; it takes `within`, which is at most 1,000 periods long.
   * Actors count once in each period in which they begin a chain, with the chains that begin there.
   */
  grain?: Grain | undefined;
  /**
   * Bounds in seconds, rising, at most 1,000: adds counts of chains whose time from the event before is below the
   * first bound, from the first to below the second, and so on, and from the last bound on.
   */
  histogram?: readonly number[] | undefined;
  /** In which order the steps come. */
  order?: StepOrder | undefined;
  /**
   * Columns, at most 8, whose values must be the same in all events of a chain. Events where one is null are left
   * out.
   */
  same?: string | readonly string[] | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * Whether the result has percentiles of the times. All times are kept for them until the end, 8 bytes for the
   * second step of each chain and 16 for every later one, which count against the memory limit of the session.
   */
  times?: boolean | undefined;
  /** The first moment at which no chain begins any more. */
  to?: Moment | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
  /**
   * How long after the first event of a chain its last may be, both ends included. Days and longer units are steps of
   * the calendar in the time zone; write `24 hours` for hours of the clock. By default without end.
   */
  within?: Length | undefined;
}

/**
 * What a `Funnel` counts.
 *
 * - "actors": Actors, each once.
 * - "totals": Attempts, one after the other. An attempt begins with the first event that meets the first step (in any order: any step) after the end of the attempt before; its chains all begin with this event. It ends with its last step; or right before the event by which it is lost, with which another may begin (an excluded event, in strict order any that does not go on); or when `within` is over.
 */
export type FunnelCount = "actors" | {
  sessions: {
    /** Hours or shorter units. */
    gap: Length;
  };
} | "totals";

/** A part of the chains of a `Funnel`. */
export interface FunnelSegment {
  /** What it is called in the result. */
  name: string;
  /** The condition over columns that the first event of the chain meets. */
  where: string;
}

/** What to read of a repository. */
export interface GitOptions {
  /**
   * A file larger than this counts as binary: it is a changed file without lines (default 32 MiB; git's
   * `core.bigFileThreshold` is 512 MiB). Bounds memory: a comparison needs about eight times this much.
   */
  maxBlobBytes?: number | undefined;
  /** Replaces actors by `dev_` and 12 hexadecimal digits of a keyed hash. Default: the address is the actor. */
  pseudonymize?: PseudonymKey | undefined;
  /** The value of the column `repo`. Default: the name of the directory, without `.git`. */
  repo?: string | undefined;
  /**
   * The commit whose history is read: a branch, a tag, a commit id or any revision that names one commit
   * (gitrevisions(7), for example `main~10`). Default: `HEAD`.
   */
  revision?: string | undefined;
  /**
   * Only commits whose committer time is at or after this one (UTC microseconds). Like git's own `--since-as-filter`,
   * this looks at the committer and not at the author: a commit that was written long ago and arrived now is new.
   */
  sinceUs?: number | undefined;
  /** Threads that compare trees (default 2, from 1 to 64). The result does not depend on it. */
  threads?: number | undefined;
  /** Only commits whose committer time is before this one (UTC microseconds). */
  untilUs?: number | undefined;
}

/**
 * The length of the periods into which a metric is cut. Ordered from short to long.
 *
 * - "minute": A minute of the local clock.
 * - "hour": An hour of the local clock.
 * - "day": A calendar day: 24 hours, and 23 or 25 where the clocks change.
 * - "week": Seven days from the first day of the week.
 * - "month": A calendar month.
 * - "quarter": Three months, counted from the first month of the fiscal year.
 * - "year": Twelve months, from the first month of the fiscal year.
 */
export type Grain = "minute" | "hour" | "day" | "week" | "month" | "quarter" | "year";

/**
 * What changed, whether it matters, why, and what to do: all fields have defaults, and without any of them all
 * metrics of the registry are looked at, by all dimensions they allow.
 */
export interface Insights {
  /** The moment as of which periods are complete: only those are judged. The time of the last event unless given. */
  asOf?: Moment | undefined;
  /**
   * The dimensions, at most 16, none where it is an empty list. Unless given, those that the registry declares, and
   * where it declares none, the columns of text or booleans that have from 2 to 50 different values.
   */
  by?: string | readonly string[] | undefined;
  /** The greatest expected share of false findings, above 0 and at most 0.5; 0.01 unless given. */
  falseDiscoveryRate?: number | undefined;
  /** What people said about findings; it changes their order. */
  feedback?: readonly Feedback[] | undefined;
  /** Which events are looked at: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /**
   * Whether working days on which all segments are as on a weekend are taken for holidays, with a note. `true` unless
   * given.
   */
  findHolidays?: boolean | undefined;
  /**
   * The first moment, in the forms of `from`. The first event unless given; the period that it begins in the middle
   * of is not judged.
   */
  from?: Moment | undefined;
  /**
   * The length of the periods; unless given, the shortest one from days on that gives at most 400 periods, and is not
   * shorter than the default grain of most metrics.
   */
  grain?: Grain | undefined;
  /** Days (`2026-05-01`) that are not judged. */
  holidays?: string | readonly string[] | undefined;
  /**
   * Series with a mean count of a period (or a mean denominator) below this are too small to be judged; from 1, 5
   * unless given.
   */
  least?: number | undefined;
  /** The most findings; from 1, 20 unless given. */
  limit?: number | undefined;
  /** The metrics; all of the registry unless given. */
  metrics?: string | readonly string[] | undefined;
  /** What the run before found: it says what is new, ongoing and resolved. */
  previous?: Findings | undefined;
  /** The rules; `builtin` unless given. */
  rules?: Rules | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /** The first moment no longer looked at. Right after the last event unless given. */
  to?: Moment | undefined;
  /**
   * How many values of a dimension are looked at, those with the most events, from 2 to 100; all others together
   * count, and are no news. 12 unless given.
   */
  values?: number | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
}

/**
 * The language that a report is written in: its fixed words, the titles of metrics, numbers and dates.
 *
 * - "en": English: `1,234.5`, `12.5%`, `1 Mar 2026`.
 * - "ru": Russian: `1 234,5`, `12,5 %`, `1 мар. 2026`.
 */
export type Language = "en" | "ru";

/**
 * How many actors are new, come back, are awake again or have fallen asleep, period by period.
 *
 * An actor is *new* in the first period in which it is ever active, *returning* when active in the period and in the
 * one before, *resurrected* when active in the period, not in the one before, but earlier, and *dormant* when active
 * in the period before and not in the period. New, returning and resurrected together are the active actors. Events
 * before the range are looked at; who was active before the first event known appears as new.
 *
 * **Result.** A row for each group and period, groups in the order of their values (nulls last): the columns of `by`;
 * `period` (timestamp), `period_label` (text), `active`, `new`, `returning`, `resurrected`, `dormant` (`Int64`),
 * `complete` (the period was over at `as_of`; before, some who are dormant may still come). Every group has a row in
 * every period of the range. No events give an empty table.
 */
export interface Lifecycle {
  /** The column that is the actor instead: a team, an account. Rows in which it is null do not count. */
  actor?: string | undefined;
  /** The moment until which events are known; later ones are not looked at. The last event unless given. */
  asOf?: Moment | undefined;
  /**
   * Columns that the result is broken down by, at most 8. Each combination of values is followed on its own, as if
   * there were no other events: an actor counts in every one that it has an event of.
   */
  by?: string | readonly string[] | undefined;
  /** Which events are activity; every event unless given. */
  events?: EventFilter | undefined;
  /** Which events are looked at at all: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /** Which calendar year a fiscal year is called after; the one in which it ends unless given. */
  fiscalYearLabel?: FiscalYearLabel | undefined;
  /** The month in which years and quarters begin; January unless given. */
  fiscalYearStart?: Month | undefined;
  /**
   * The first moment: a date (`2026-03-01`) or time in the zone of the question, or an instant with its offset
   * (`2026-03-01T00:00:00Z`). The whole period that holds it is asked for. The first event unless given.
   */
  from?: Moment | undefined;
  /** The length of the periods; days unless given. */
  period?: Grain | undefined;
  /** Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar. */
  periods?: PeriodTable | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * The first moment no longer asked for, in the same forms; a period that begins before it is asked for as a whole.
   * Right after `as_of` unless given; what has not begun then is left out in any case.
   */
  to?: Moment | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
}

/**
 * Limits of the readers. The defaults suit a host with 512 MiB to spare. All but `max_original_bytes` and
 * `max_rejects_returned` are at least 1; with a 0 an ingest or append is refused as `InvalidSpec`.
 */
export interface Limits {
  /** Target size of the pieces that are parsed in parallel (default 8 MiB). */
  blockBytes?: number | undefined;
  /** Most columns of a source (default 2,000). More is an error. */
  maxColumns?: number | undefined;
  /**
   * Largest ratio of expanded to compressed bytes, looked at after the first 64 MiB (default 1,000). More is an
   * error: no honest log compresses so well. It is also the most rows that a batch of Arrow IPC has a byte, beyond
   * the first 32,768 rows: nulls and runs take no room.
   */
  maxCompressionRatio?: number | undefined;
  /** Most bytes that one compressed source may expand to (default 1 TiB). More is an error. */
  maxDecompressedBytes?: number | undefined;
  /**
   * Most bytes of a source that are held in memory at once (default 256 MiB): all of a Parquet or Arrow IPC source
   * that is a stream or compressed, since those formats need random access, and each batch of Arrow IPC, which has no
   * smaller part. More is an error.
   */
  maxHeldBytes?: number | undefined;
  /** Deepest nesting of a JSON value (default 128). A deeper row is quarantined. */
  maxJsonDepth?: number | undefined;
  /** Most bytes of the original row kept in a reject (default 64 KiB). */
  maxOriginalBytes?: number | undefined;
  /**
   * Most rejects kept in memory and returned with the report (default 1,000). All of them are in the store's
   * quarantine.
   */
  maxRejectsReturned?: number | undefined;
  /**
   * Longest row of a text source in bytes (default 16 MiB). A longer row is quarantined with its first
   * `max_original_bytes` bytes; the rows after it are read.
   */
  maxRowBytes?: number | undefined;
  /** Rows looked at to find the columns and types of a source without contract (default 10,000). */
  sampleRows?: number | undefined;
}

/** Text for people in the languages of AURA. */
export interface LocalText {
  /** English. */
  en: string;
  /** Russian; where it is missing the English text is shown. */
  ru?: string | undefined;
}

/**
 * How a value is shown.
 *
 * - "number": A number: `1,234.5`.
 * - "percent": A share as a percentage: 0.125 is `12.5 %`.
 * - "duration": A length of time in words: `2 h 5 min`.
 * - "currency": An amount of money in the currency that is the unit, an ISO 4217 code.
 */
export type MetricFormat = "number" | "percent" | "duration" | "currency";

/**
 * A question to a `Registry`: which metrics, in which periods, cut by what.
 *
 * Only `metrics` must be given. In JSON, unknown fields are refused.
 */
export interface MetricQuery {
  /** Names of metrics, from 1 to 200, each once; their columns come in this order. */
  metrics: string | readonly string[];
  /**
   * The moment as of which periods are called complete: those that end at it or before. By default the time of the
   * last event, so that the period in which it lies is incomplete.
   */
  asOf?: Moment | undefined;
  /** Dimensions: columns of the events, at most 8, each allowed by every metric. */
  by?: string | readonly string[] | undefined;
  /** With which period each one is compared. */
  compareTo?: Comparison | undefined;
  /** What stands in periods without events, in place of what the definitions say. */
  fill?: Fill | undefined;
  /** Which events count: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /** Which calendar year a fiscal year is called after; the one in which it ends unless given. */
  fiscalYearLabel?: FiscalYearLabel | undefined;
  /** The month in which years and quarters begin; January unless given. */
  fiscalYearStart?: Month | undefined;
  /**
   * The first moment asked for: a date (`2026-03-01`) or time in the zone of the query, or an instant with its offset
   * (`2026-03-01T00:00:00Z`). By default the first event. The whole period that holds it is asked for.
   */
  from?: Moment | undefined;
  /**
   * The length of the periods; by default the longest default grain of the metrics, that of `Top` included. Not
   * shorter than the default grain of any of them.
   */
  grain?: Grain | undefined;
  /** The most rows that are returned, after ordering. */
  limit?: number | undefined;
  /**
   * By which columns of the result its rows are ordered; rows that are equal in them, and all without it, come by
   * period, then by dimensions.
   */
  order?: readonly OrderBy[] | undefined;
  /** Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar. */
  periods?: PeriodTable | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * The first moment no longer asked for, in the same forms. By default right after the last event. A period that
   * begins before it is asked for as a whole.
   */
  to?: Moment | undefined;
  /** Keeps the values of a dimension with the greatest totals and puts all others together. */
  top?: Top | undefined;
  /** Adds to each period a row over all values of the dimensions, computed from the events and not from the rows. */
  totals?: boolean | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
}

/**
 * The month in which fiscal years begin.
 *
 * - "january": The fiscal year is the calendar year.
 * - "february": February.
 * - "march": March.
 * - "april": April.
 * - "may": May.
 * - "june": June.
 * - "july": July.
 * - "august": August.
 * - "september": September.
 * - "october": October.
 * - "november": November.
 * - "december": December.
 */
export type Month = "january" | "february" | "march" | "april" | "may" | "june" | "july" | "august" | "september" | "october" | "november" | "december";

/** A number with its name. */
export interface NamedValue {
  /** What it is, in snake case. */
  name: string;
  /** The number; always finite. */
  value: number;
}

/** A column to order by. */
export interface OrderBy {
  /** The name of a column of the result. */
  column: string;
  /** Greatest first. Nulls come last either way. */
  descending?: boolean | undefined;
}

/**
 * The colours for one ground, each as `#rrggbb`.
 *
 * Text is readable (WCAG 2.2, AA) when `ink` and `soft` have a contrast of at least 4.5 to `ground` and `panel`, and
 * `series` one of at least 3 to `ground`; the default palettes do.
 */
export interface Palette {
  /** What did not, and what stands out in charts. */
  bad: string;
  /** What went well. */
  good: string;
  /** Behind everything. */
  ground: string;
  /** Text. */
  ink: string;
  /** Links. */
  link: string;
  /** Behind what is set apart. */
  panel: string;
  /** Lines that divide. */
  rule: string;
  /** The lines and parts of charts, eight of them. */
  series: string | readonly string[];
  /** Text that matters less. */
  soft: string;
}

/**
 * How finely stored events are divided by the calendar (UTC).
 *
 * A question over a span of time reads only the partitions that the span touches; expiry drops whole ones. Finer
 * partitions mean more and smaller files.
 *
 * - "day": One partition a day: for millions of events a day.
 * - "month": One partition a month.
 * - "year": One partition a year: for small stores.
 * - "none": No division.
 */
export type PartitionGrain = "day" | "month" | "year" | "none";

/** One period of a `PeriodTable`. */
export interface PeriodRow {
  /** The day or moment after the period, which is the start of the next. */
  end: string;
  /** Week, month, quarter or year. */
  grain: Grain;
  /** What results call the period, such as `2026-P03`. Each label occurs once in a grain. */
  label: string;
  /** First local day (`2026-02-01`) or moment (`2026-02-01T06:00`). */
  start: string;
}

/**
 * Periods of one's own for the grains week, month, quarter and year.
 *
 * The rows of a grain stand in the order of time, and each begins where the one before it ends. Rows of several
 * grains may be mixed. Rows count from 1, without the header.
 */
export type PeriodTable = readonly PeriodRow[];

/**
 * A well-known event format.
 *
 * The event's own properties keep their names (CloudEvents: `data_<key>`), other fields of the envelope get a fixed
 * prefix, and values keep their exact text. `docs/presets.md` has a table of every field, with sources.
 *
 * - "segment": Segment Spec messages: `track`, `page`, `screen`, `identify`, `group` and `alias` calls, one a row. Actor: `userId`, else `anonymousId`. Event: `event` of a `track` call, else `Page Viewed`, `Screen Viewed`, `User Identified`, `Group Joined`, `User Aliased`. Time: `timestamp`, else `originalTimestamp`, `sentAt`, `receivedAt`. Event id: `messageId`. Prefixes: `traits_`, `context_`, `segment_`.
 * - "cloud_events": CloudEvents 1.0 in the JSON format: one event a row, or a JSON array (the batch format). Actor: `subject`. Event: `type`. Time: `time`. Event id: `<source>|<id>`. Prefix: `data_`; attributes have none.
 * - "posthog": PostHog event exports: JSON lines, CSV or Parquet. Actor: `distinct_id`. Event: `event`. Time: `timestamp`, UTC where it has no zone. Event id: `uuid`, else `id`. Prefixes: `person_properties_`, `posthog_`.
 * - "mixpanel": Mixpanel raw event exports: JSON lines. Actor: `distinct_id`. Event: `event`. Time: `time`, in the zone of the project where `time_zone` states it. Event id: `$insert_id`. Prefix: `mixpanel_`.
 */
export type Preset = "segment" | "cloud_events" | "posthog" | "mixpanel";

/**
 * A secret with which actors are replaced by pseudonyms. The same key gives the same pseudonyms, so that events of
 * several repositories and of later reads fit together; whoever has no key cannot try addresses out.
 */
export type PseudonymKey = string;

/** A finding that is shown by another one. */
export interface RelatedFinding {
  /** Its id. */
  id: string;
  /** Its metric. */
  metric: string;
  /** Its segment. */
  segment?: readonly FindingPart[] | undefined;
}

/**
 * How reports are rendered: templates, a theme, and how large they may get. The default is AURA's own.
 *
 * **Templates** are in the language of Jinja2, as `minijinja` reads it, and see one value: `title`, `language` (`en`,
 * `ru`), `words` (fixed words by name), `summary` (texts), `style` (CSS of the theme), and `sections`. A section has
 * `id`, `title` and `blocks`; a block has `kind` and the fields that `docs/report.md` lists. What they print is
 * escaped for HTML or Markdown, but drawings, which are SVG already. A name that is not there is an error. They read
 * nothing else: no files, no other templates.
 */
export interface RenderOptions {
  /** The template of HTML; AURA's own unless given. */
  htmlTemplate?: string | undefined;
  /** The template of Markdown; AURA's own unless given. */
  markdownTemplate?: string | undefined;
  /**
   * The most bytes of HTML, 500,000 unless given. Where a report has more, its tables are cut further, first to 24
   * rows and then to 6.
   */
  maxBytes?: number | undefined;
  /** The most rows of a table; the others are cut and it is said how many there are. 60 unless given. */
  maxRows?: number | undefined;
  /** Colours and fonts of HTML. */
  theme?: Theme | undefined;
}

/**
 * What a report shall hold. Without sections it holds what fits the events: what changed, how many there are, the
 * metrics of the registry whose columns they have, and who comes back.
 */
export interface ReportSpec {
  /** The language. */
  language?: Language | undefined;
  /** The sections, at most 100. */
  sections?: readonly SectionSpec[] | undefined;
  /** The title; "Report" in the language unless given. */
  title?: string | undefined;
}

/**
 * Who comes back: the share of those who did one thing that later do another.
 *
 * Each actor is put into a *cohort*, the period of its start event. From the start on time is cut into *windows* that
 * count from 0; the actor is *retained* in those in which it has a returning event. Without any field: of those whose
 * first event ever lies in a day, how many have an event on that day and on each day after.
 *
 * **Returns.** An event is a return from the moment of the start on; the start event itself is one if it meets
 * `returning`. With `OnOrBefore` only later events are.
 *
 * **Result.** Which table comes says `RetentionOutput`. In all of them rows come by the columns of `by` (nulls last),
 * then by cohort, then by window. Only combinations and cohorts with an actor have rows, so no events give an empty
 * table.
 *
 * **Complete.** A cell is complete when its last window was over, at `as_of`, for every actor that can be in the
 * cohort. The values of other cells can still grow.
 */
export interface Retention {
  /** The column that is the actor instead: a team, an account. Rows in which it is null do not count. */
  actor?: string | undefined;
  /** The moment until which events are known; later ones are not looked at. The last event unless given. */
  asOf?: Moment | undefined;
  /**
   * Bounds of windows that are put together, ascending: `[0, 1, 7, 14]` is window 0, windows 1 to 6, and 7 to 13.
   * Instead of `horizon`; only for matrix and curve.
   */
  brackets?: readonly number[] | undefined;
  /** Columns that the result is broken down by, at most 8: an actor is in the group of the values in its start event. */
  by?: string | readonly string[] | undefined;
  /** Which start puts an actor into a cohort. */
  cohort?: Cohort | undefined;
  /** The length of the periods whose actors are a cohort; `period` unless given. */
  cohortPeriod?: Grain | undefined;
  /** Which events are looked at at all: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /** Which calendar year a fiscal year is called after; the one in which it ends unless given. */
  fiscalYearLabel?: FiscalYearLabel | undefined;
  /** The month in which years and quarters begin; January unless given. */
  fiscalYearStart?: Month | undefined;
  /**
   * The first moment of starts: a date (`2026-03-01`) or time in the zone of the question, or an instant with its
   * offset (`2026-03-01T00:00:00Z`). The whole cohort period that holds it is asked for. The first event unless
   * given.
   */
  from?: Moment | undefined;
  /** The last window, from 0 to 100,000; as far as the events reach unless given. Only for matrix and curve. */
  horizon?: number | undefined;
  /**
   * After how many windows without a return that are over an actor counts as gone, from 1; 1 unless given. Only for
   * survival.
   */
  inactive?: number | undefined;
  /** Which windows with a return count in a cell. Only for matrix and curve. */
  mode?: RetentionMode | undefined;
  /** Which table comes. */
  output?: RetentionOutput | undefined;
  /** The length of a window of return. */
  period?: Grain | undefined;
  /** Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar. */
  periods?: PeriodTable | undefined;
  /** Which events are returns; those that start unless given. */
  returning?: EventFilter | undefined;
  /** Which events start; every event unless given. */
  start?: EventFilter | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * The first moment after the starts, in the same forms; a cohort period that begins before it is asked for as a
   * whole. Right after `as_of` unless given. Returns count after it as well.
   */
  to?: Moment | undefined;
  /**
   * A column of numbers whose values are added up over the returns: the value of a cohort over its life. Only for
   * matrix and curve, and not of recurring starts, which would count a return several times.
   */
  value?: string | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
  /** Whether windows are periods of the calendar or a length of time from the start of each actor. */
  window?: RetentionWindow | undefined;
}

/**
 * In which windows an actor must return to be retained in cell *k*.
 *
 * - "on": In one of the windows of the cell (n-day, or bounded, retention).
 * - "on_or_after": In one of the windows of the cell or later (unbounded retention).
 * - "on_or_before": In one of the windows of the cell or earlier; only events later than the start are returns.
 * - "streak": In the cell and in every one before. The start counts as a return in window 0.
 */
export type RetentionMode = "on" | "on_or_after" | "on_or_before" | "streak";

/**
 * Which table comes. All have the columns of `by` first.
 *
 * - "matrix": A row for each cohort and cell that has begun: `cohort` (timestamp), `cohort_label` (text), `offset` (`Int32`, the first window of the cell), `offset_last` (only with brackets), `actors` (of the cohort), `retained`, `share` (of the cohort), `value` (of the cell), `value_total` (up to its end), `value_per_actor` (that over the actors; these three only with a value), `complete`.
 * - "curve": A row for each cell, over all cohorts: `offset`, `offset_last` (only with brackets), `actors` (for whom the last window of the cell was over), `retained` (of these), `share` (null without actors), and with a value `value_actors` (of the cohorts whose cell is complete), `value_total`, `value_per_actor` (of these).
 * - "summary": One row: `cohorts` (with an actor), `actors` (an actor counts once in each of its cohorts), `returned` (in window 1 or later), `share`, `first_return_median` (the median of the first window from 1 on with a return, of the returned; null without), `active_windows_mean` (windows from 1 on with a return, of all), `streak_mean`, `streak_longest` (see streaks).
 * - "streaks": A row for each length of a run of neighbouring windows with returns, from 0 to the longest: `length`, `longest` (actors whose longest run it is), `longest_share`, `current` (actors whose run goes on at `as_of`: its last window is that of `as_of` or the one before; length 0 are those whose run has ended), `current_share`. The start counts as a return in window 0.
 * - "survival": The estimate of Kaplan and Meier of the share that is still there in window *k*, of all cohorts together: `offset`, `at_risk`, `left`, `censored`, `survival`, `low`, `high` (95 %). See `inactive`.
 */
export type RetentionOutput = "matrix" | "curve" | "summary" | "streaks" | "survival";

/**
 * What windows of return are.
 *
 * - "calendar": Periods of the calendar: window *k* is the *k*-th period after the one of the start.
 * - "rolling": Multiples of 60 seconds, 1 hour, 24 hours or 7 × 24 hours from the start event on, half-open: window *k* begins *k* of them after it. The period is a minute, an hour, a day or a week.
 */
export type RetentionWindow = "calendar" | "rolling";

/**
 * Maps the columns of a source to the three roles, and says how to read its times.
 *
 * A role that is left out is looked for under the usual names, in this order; where none of them is there as it
 * stands, upper and lower case, spaces and punctuation do not matter (`USER_ID`, `User ID`):
 *
 * * actor: `actor`, `actor_id`, `user_id`, `userId`, `distinct_id`, `uid`, `user`;
 * * event: `event`, `event_name`, `event_type`, `eventName`, `name`, `type`;
 * * time: `time`, `timestamp`, `ts`, `occurred_at`, `event_time`, `created_at`, `datetime`;
 * * event id: `event_id`, `eventId`, `insert_id`, `$insert_id`, `message_id`, `messageId`, `uuid`.
 */
export interface Roles {
  /** Column that says who. */
  actor?: string | undefined;
  /** Column that says what. */
  event?: string | undefined;
  /** Column with an id that is unique per event; the same id counts once. */
  eventId?: string | undefined;
  /** The event name of every row, for sources that have no such column. */
  eventName?: string | undefined;
  /** Column that says when. */
  time?: string | undefined;
  /** Unit of times given as numbers. */
  timeUnit?: TimeUnit | undefined;
  /** IANA zone (for example `Europe/Berlin`) of times that carry none. */
  timeZone?: string | undefined;
}

/** A rule of one kind. */
export type Rule = {
  kind: "shift";
  /** Its name, unique among the rules. */
  name: string;
  /** The dimensions by which it looks; all of the run unless given, none where it is an empty list. */
  by?: readonly string[] | undefined;
  /** The metrics that it looks at; all of the run unless given. */
  metrics?: readonly string[] | undefined;
  /**
   * The least relative change that is news, from 0: 0.1 is 10 %. Of shares it is taken against the smaller one of the
   * share and its counterpart. 0.1 unless given, and 0.2 of anomalies and missing data.
   */
  minChange?: number | undefined;
} | {
  kind: "trend";
  /** Its name, unique among the rules. */
  name: string;
  /** The dimensions by which it looks; all of the run unless given, none where it is an empty list. */
  by?: readonly string[] | undefined;
  /** The metrics that it looks at; all of the run unless given. */
  metrics?: readonly string[] | undefined;
  /**
   * The least relative change that is news, from 0: 0.1 is 10 %. Of shares it is taken against the smaller one of the
   * share and its counterpart. 0.1 unless given, and 0.2 of anomalies and missing data.
   */
  minChange?: number | undefined;
} | {
  kind: "anomaly";
  /** Its name, unique among the rules. */
  name: string;
  /** The dimensions by which it looks; all of the run unless given, none where it is an empty list. */
  by?: readonly string[] | undefined;
  /** The metrics that it looks at; all of the run unless given. */
  metrics?: readonly string[] | undefined;
  /**
   * The least relative change that is news, from 0: 0.1 is 10 %. Of shares it is taken against the smaller one of the
   * share and its counterpart. 0.1 unless given, and 0.2 of anomalies and missing data.
   */
  minChange?: number | undefined;
} | {
  kind: "missing";
  /** Its name, unique among the rules. */
  name: string;
  /** The dimensions by which it looks; all of the run unless given, none where it is an empty list. */
  by?: readonly string[] | undefined;
  /** The metrics that it looks at; all of the run unless given. */
  metrics?: readonly string[] | undefined;
  /**
   * The least relative change that is news, from 0: 0.1 is 10 %. Of shares it is taken against the smaller one of the
   * share and its counterpart. 0.1 unless given, and 0.2 of anomalies and missing data.
   */
  minChange?: number | undefined;
} | {
  kind: "threshold";
  /** The metric. */
  metric: string;
  /** Its name, unique among the rules. */
  name: string;
  /** Values above it are news. Exactly one of `above` and `below` is given. */
  above?: number | undefined;
  /** Values below it are news. */
  below?: number | undefined;
  /**
   * Dimensions whose values are looked at besides the whole; none unless given. Of shares and means, segments whose
   * mean denominator is less than `least` are not.
   */
  by?: readonly string[] | undefined;
  /** In how many periods in a row, the last complete one among them; from 1, and 1 unless given. */
  periods?: number | undefined;
} | {
  kind: "milestone";
  /**
   * The metric, a count; it is news when the greatest value so far passes 1, 2 or 5 times a power of ten, from 100
   * on, within the last seven periods.
   */
  metric: string;
  /** Its name, unique among the rules. */
  name: string;
  /** Dimensions whose values are looked at besides the whole; none unless given. */
  by?: readonly string[] | undefined;
} | {
  /** The last day (`2026-12-31`), or a moment in the period, at which it is judged. */
  date: string;
  kind: "goal";
  /** The metric. */
  metric: string;
  /** Its name, unique among the rules. */
  name: string;
  /** The target, in the unit of the metric, where more is wanted. Exactly one of `at_least` and `at_most` is given. */
  atLeast?: number | undefined;
  /** The target where less is wanted. */
  atMost?: number | undefined;
  /** Dimensions whose values have the same goal besides the whole; none unless given. */
  by?: readonly string[] | undefined;
  /** It is at risk when the forecast gives it a smaller chance than this, above 0 and below 1; 0.5 unless given. */
  risk?: number | undefined;
} | {
  kind: "burn_rate";
  /** The metric: a share, of good or of bad events. */
  metric: string;
  /** Its name, unique among the rules. */
  name: string;
  /** The share of good events that is promised, above 0 and below 1, such as 0.99. */
  objective: number;
  /** Whether the metric is the share of bad events; unless given, it is when its direction is `down`. */
  bad?: boolean | undefined;
  /** Dimensions whose values have the same objective besides the whole; none unless given. */
  by?: readonly string[] | undefined;
  /**
   * The pairs of windows. Unless given, of hours 14.4 times in 1, 6 times in 6 (with the last 1) and 1 time in 72
   * (with the last 6); of days 3 times in 1 and 1 time in 3 (with the last 1); else 1 time in 1.
   */
  windows?: readonly BurnWindow[] | undefined;
} | {
  kind: "comparison";
  /** Its name, unique among the rules. */
  name: string;
  /** The dimensions; all of the run unless given. */
  by?: readonly string[] | undefined;
  /** The metrics, which have denominators; all such of the run unless given. */
  metrics?: readonly string[] | undefined;
  /** The least relative difference that is news, from 0, as in `min_change`; 0.1 unless given. */
  minChange?: number | undefined;
  /** Over how many of the last complete periods, from 8; unless given 72 of hours, 28 of days, 12 of others. */
  periods?: number | undefined;
} | {
  kind: "drift";
  /** Its name, unique among the rules. */
  name: string;
  /** The dimensions; all of the run unless given. */
  by?: readonly string[] | undefined;
  /** The metrics: counts whose segments add up. Unless given, the one with the greatest values. */
  metrics?: readonly string[] | undefined;
  /** The least population stability index that is news, from 0; 0.1 unless given. */
  minPsi?: number | undefined;
  /**
   * The last complete periods: two seasons (of hours a day, of days a week, of others one period) or more, and cut to
   * whole ones. Unless given 48 of hours, 14 of days, 4 of others.
   */
  periods?: number | undefined;
  /**
   * The periods before them that they are compared with, in the same way. Unless given 192 of hours, 56 of days, 16
   * of others, or as many as there are.
   */
  reference?: number | undefined;
};

/** The rules of a run. */
export interface Rules {
  /** The rules; their names are unique. */
  rules: readonly Rule[];
  /** A whole number from 1. */
  version: number;
}

/** What a section shall hold. */
export interface SectionSpec {
  /** What is shown. */
  show: Show;
  /** The heading; says what is shown unless given. */
  title?: string | undefined;
}

/**
 * Whose events fit a pattern, how often, and how long it takes.
 *
 * **The pattern** is made of
 *
 * - `(?N)`: an event that meets condition N of `events`, from 1;
 * - `.`: an event that meets any of them;
 * - nothing between two events: they follow one another, of those that meet any condition;
 * - `.*` between two events: any others may lie between;
 * - `(?t<=S)`, `(?t<S)`, `(?t>=S)`, `(?t>S)`, `(?t==S)` between two events: so many seconds pass from one to the other, and any
 *   others may lie between. Several all hold.
 *
 * The first match begins as early as possible, and each of its events is the earliest possible; the next one begins
 * after its end. Events of one actor at the same microsecond come in the order of the first condition they meet, then
 * of the number whose bits are the conditions, then of the values of `by`.
 *
 * **Shapes.** One row for each combination of `by` that occurs, in their order, null last; one row without `by`.
 *
 * | column | type | |
 * |---|---|---|
 * | the columns of `by` | as they are, text as `Utf8` | of the actor's first event that meets any condition |
 * | `actors` | `Int64` | actors with an event that meets any condition |
 * | `matched` | `Int64` | actors whose events fit the pattern |
 * | `share` | `Float64` | `matched` over `actors`, null over 0 |
 * | `share_low`, `share_high` | `Float64` | its 95 % interval after Wilson |
 * | `matches` | `Int64` | matches of all actors |
 * | `median_seconds`, `p95_seconds` | `Float64` | unless `times` is false: from the first to the last event of a match; null of none |
 *
 * **Source.** ClickHouse's `sequenceMatch` and `sequenceCount`; the differences are in `docs/behavior.md`.
 */
export interface Sequence {
  /** The conditions that the pattern names by their numbers, from 1 to 64 of them. */
  events: readonly EventFilter[];
  /** The pattern, of at most 256 events. */
  pattern: string;
  /** A column that takes the role of the actor: a team, an account. Events where it is null are left out. */
  actor?: string | undefined;
  /** Columns to break the result down by, at most 8. */
  by?: string | readonly string[] | undefined;
  /** Which events count: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /** The first moment that is looked at: a date or time in the time zone, or an instant with its offset. */
  from?: Moment | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * Whether the result has percentiles of the times. All times are kept for them until the end, 8 bytes for each
   * match, which count against the memory limit of the session.
   */
  times?: boolean | undefined;
  /** The first moment no longer looked at. */
  to?: Moment | undefined;
}

/**
 * Sessions: the events of an actor with no gap longer than `gap` between neighbours.
 *
 * An event begins a session when it is the first of its actor, when it comes more than `gap` after the one before,
 * more than `max_length` after the start of the session, after an event that ends a session, or when it is one that
 * starts a session. A gap of exactly `gap`, and a length of exactly `max_length`, do not. The *duration* is the time
 * from the first to the last event; that of a single event is 0.
 *
 * **Ties.** Events of one actor at the same microsecond are in one session. If one of them starts sessions, the
 * session begins with all of them; if one of them ends sessions, it ends after all of them. The first and the last
 * event, and the values of `by`, are then those that come first in their order.
 *
 * **Range.** A session counts when it starts in the range; what lies before and after is looked at as well, so that
 * sessions are whole and have the same numbers whatever the range.
 */
export interface Sessions {
  /** The column that is the actor instead: a team, an account. Rows in which it is null do not count. */
  actor?: string | undefined;
  /** The moment until which events are known; later ones are not looked at. The last event unless given. */
  asOf?: Moment | undefined;
  /** Columns that the result is broken down by, at most 8: by the values in the first event of a session. */
  by?: string | readonly string[] | undefined;
  /** Events that end the session they are in. */
  endOn?: EventFilter | undefined;
  /** Which events belong to sessions; every event unless given. Those of `start_on` and `end_on` do in any case. */
  events?: EventFilter | undefined;
  /** Which events are looked at at all: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /** Which calendar year a fiscal year is called after; the one in which it ends unless given. */
  fiscalYearLabel?: FiscalYearLabel | undefined;
  /** The month in which years and quarters begin; January unless given. */
  fiscalYearStart?: Month | undefined;
  /**
   * The first moment: a date (`2026-03-01`) or time in the zone of the question, or an instant with its offset
   * (`2026-03-01T00:00:00Z`). With `period` the whole period that holds it is asked for. The first event unless
   * given.
   */
  from?: Moment | undefined;
  /** The longest gap inside of a session; 30 minutes unless given. */
  gap?: Length | undefined;
  /** The most sessions that are listed, from 1 to 10,000,000; 1,000,000 unless given. More are an error. */
  limit?: number | undefined;
  /** How long after its first event a session may go on; without end unless given. */
  maxLength?: Length | undefined;
  /** Which table comes. */
  output?: SessionsOutput | undefined;
  /**
   * Which percentiles of the duration the summary has, each from 0 to 100, at most 20; the median and the 95th unless
   * given.
   */
  percentiles?: readonly number[] | undefined;
  /** The periods of the summary, by the start of sessions; the whole range unless given. */
  period?: Grain | undefined;
  /** Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar. */
  periods?: PeriodTable | undefined;
  /** Events that start a session. */
  startOn?: EventFilter | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * The first moment no longer asked for, in the same forms; with `period` a period that begins before it is asked
   * for as a whole. Right after the last event unless given.
   */
  to?: Moment | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
}

/**
 * Which table comes.
 *
 * - "summary": A row for each group and period, groups in the order of their values (nulls last): the columns of `by`; `period` (timestamp) and `period_label` (text) with `period`; `sessions`, `actors` (with a session), `events`, `single_event` (sessions of one event), `sessions_per_actor`, `events_per_session`, `single_event_share`, `duration_mean` and `duration_median`, `duration_p95` or what `percentiles` says, in seconds, exact, between two durations interpolated linearly; `complete` with a period: it was over at `as_of`. Means and shares of no session are null. Every group with a session has a row in every period; without `by` there is one group.
 * - "table": A row for each session, by actor (as text, in the order of its bytes) and number: `actor`, `session` (`Int64`, from 1 among all sessions of the actor), the columns of `by`, `start`, `end` (of its first and last event), `duration` (seconds), `events`, `first_event`, `last_event`.
 */
export type SessionsOutput = "summary" | "table";

/**
 * How much a finding matters.
 *
 * - "low": Worth knowing.
 * - "medium": Worth a look.
 * - "high": Worth acting on.
 */
export type Severity = "low" | "medium" | "high";

/** What can be shown. */
export type Show = {
  metrics: MetricQuery;
} | {
  analysis: Analysis;
} | {
  findings: Insights;
};

/**
 * A dialect of SQL.
 *
 * - "duckdb": DuckDB, from 1.0.
 * - "postgresql": PostgreSQL, from 12.
 * - "snowflake": Snowflake.
 * - "databricks": Databricks SQL, with the session in UTC.
 * - "bigquery": GoogleSQL of BigQuery.
 */
export type SqlDialect = "duckdb" | "postgresql" | "snowflake" | "databricks" | "bigquery";

/**
 * Where another engine keeps the events. The column of times is of the type that holds instants (`TIMESTAMPTZ`, in
 * Databricks and BigQuery `TIMESTAMP`); properties have the names that metrics use.
 */
export interface SqlSource {
  /** The parts of the name of the table, such as schema and table. */
  table: string | readonly string[];
  /** The column that says who. */
  actor?: string | undefined;
  /** The column that says what. */
  event?: string | undefined;
  /** The column of the ids of events. */
  eventId?: string | undefined;
  /** The column that says when. */
  time?: string | undefined;
}

/** One step of a funnel: which events, and how it is reached. */
export type Step = string | readonly string[] | {
  /** The name of the events. */
  event?: string | undefined;
  /** The names of the events, of which any will do. */
  events?: readonly string[] | undefined;
  /** What the step is called in the result. */
  name?: string | undefined;
  /** Whether the next step may follow without this one. */
  optional?: boolean | undefined;
  /** A condition over columns that the events meet. */
  where?: string | undefined;
  /** How long after the step before it the step may be. */
  within?: Length | undefined;
};

/**
 * In which order the steps of a `Funnel` come.
 *
 * - "ordered": In their order, with any other events between.
 * - "strict": In their order, with no other event of the actor (of those that pass `filter`) between.
 * - "any": In any order. Row k of the result tells how many met at least k of the steps; an event counts for every step it meets.
 */
export type StepOrder = "ordered" | "strict" | "any";

/**
 * How often actors are active: how many of them on how many days of a month.
 *
 * Without any field: of those active in the time of the events, how many on how many days.
 *
 * **Result.** Rows come by the columns of `by` (nulls last), then by interval, then by number of periods. No events
 * give an empty table, and so does an interval in which nobody is active have no rows.
 */
export interface Stickiness {
  /** The column that is the actor instead: a team, an account. Rows in which it is null do not count. */
  actor?: string | undefined;
  /** The moment until which events are known; later ones are not looked at. The last event unless given. */
  asOf?: Moment | undefined;
  /**
   * Columns that the result is broken down by, at most 8. Each combination of values is followed on its own, as if
   * there were no other events: an actor counts in every one that it has an event of.
   */
  by?: string | readonly string[] | undefined;
  /** Which events are activity; every event unless given. */
  events?: EventFilter | undefined;
  /** Which events are looked at at all: a condition over columns, in the language of metrics. */
  filter?: string | undefined;
  /** Which calendar year a fiscal year is called after; the one in which it ends unless given. */
  fiscalYearLabel?: FiscalYearLabel | undefined;
  /** The month in which years and quarters begin; January unless given. */
  fiscalYearStart?: Month | undefined;
  /**
   * The first moment: a date (`2026-03-01`) or time in the zone of the question, or an instant with its offset
   * (`2026-03-01T00:00:00Z`). The whole period that holds it is asked for. The first event unless given.
   */
  from?: Moment | undefined;
  /** Which table comes. */
  output?: StickinessOutput | undefined;
  /** The periods that are counted; days unless given. */
  period?: Grain | undefined;
  /** Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar. */
  periods?: PeriodTable | undefined;
  /** The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given. */
  timeZone?: string | undefined;
  /**
   * The first moment no longer asked for, in the same forms; a period that begins before it is asked for as a whole.
   * Right after `as_of` unless given; what has not begun then is left out in any case.
   */
  to?: Moment | undefined;
  /** The day on which weeks begin; Monday unless given. */
  weekStart?: Weekday | undefined;
  /**
   * The intervals in which they are counted, longer than `period`; the whole range is one unless given. A period that
   * lies in two of them (a week in two months) counts in both, each time with the activity in that interval.
   */
  within?: Grain | undefined;
}

/**
 * Which table comes. Both have the columns of `by` first, then, with `within`, `interval` (timestamp) and
 * `interval_label` (text).
 *
 * - "distribution": A row for each number of periods from 1 to that of the interval: `active_periods`, `actors` (active in exactly so many), `share` (of the actors active in the interval), `at_least` (active in so many or more), `at_least_share`, `complete` (the interval was over at `as_of`).
 * - "ratio": A row for each interval: `periods` (those of it that have begun), `actors` (active in the interval), `active_mean` (the mean number of actors active in a period), `stickiness` (that over `actors`: DAU/MAU), `complete`.
 */
export type StickinessOutput = "distribution" | "ratio";

/** Settings of a `Store`. */
export interface StoreSettings {
  /** Whether threads of this process flush, compact and tidy up by themselves (default true). */
  background?: boolean | undefined;
  /** Loose files of a partition that make a background compaction start (default 8). */
  compactFiles?: number | undefined;
  /**
   * Seconds that a file stays on disk after the last snapshot that needs it, for readers that are still at work
   * (default 600).
   */
  deleteGraceS?: number | undefined;
  /** The query engine. */
  engine?: EngineSettings | undefined;
  /** Seconds after which staged events are flushed even if they are few (default 30). */
  flushAfterS?: number | undefined;
  /** Staged bytes (compressed) that make a background flush start (default 32 MiB). */
  flushBytes?: number | undefined;
  /** Seconds that old snapshots stay readable (default 7 days; in memory 0). Looked at about once a minute. */
  historyS?: number | undefined;
  /**
   * Bytes of memory for the index of event ids; beyond it the index goes to disk (default 192 MiB; without effect in
   * memory).
   */
  idMemoryBytes?: number | undefined;
  /**
   * How finely events are divided by the calendar. Fixed when the store is made: `None` (default) is `month` for a
   * new store, and as it is for another; a grain that differs from the store's is an error.
   */
  partition?: PartitionGrain | undefined;
  /** Rows of a compacted file (default 2,000,000). */
  targetRowsPerFile?: number | undefined;
  /** Threads of an ingest or a compaction, at most 1,024; 0 (default) means one per core. */
  threads?: number | undefined;
}

/** How reports look: colours for light and dark surroundings, a font, and CSS of one's own. */
export interface Theme {
  /** CSS that comes after that of AURA; at most 64 KiB. */
  css?: string | undefined;
  /** The colours on a dark ground. */
  dark?: Palette | undefined;
  /** The names of fonts as in CSS; letters, digits, spaces, commas, hyphens and quotation marks. */
  font?: string | undefined;
  /** The colours on a light ground, and of print. */
  light?: Palette | undefined;
}

/**
 * How an integer or a decimal number in the time column is to be read.
 *
 * - "auto": By size: below 10¹¹ seconds, below 10¹⁴ milliseconds, below 10¹⁷ microseconds, else nanoseconds (of the absolute value). Right for any date from 1973 to 5138.
 * - "seconds": Seconds since 1970.
 * - "milliseconds": Milliseconds since 1970.
 * - "microseconds": Microseconds since 1970.
 * - "nanoseconds": Nanoseconds since 1970.
 */
export type TimeUnit = "auto" | "seconds" | "milliseconds" | "microseconds" | "nanoseconds";

/** Which values of a dimension are kept. */
export interface Top {
  /** How many, from 1 to 10,000. */
  n: number;
  /** Of which dimension; by default the first one of the query. */
  dimension?: string | undefined;
  /**
   * The metric that is compared; by default the first one of the query. Its values of all periods asked for are added
   * up, nulls left out; of equal sums the value that sorts first is kept.
   */
  metric?: string | undefined;
  /** What all other values together are called. */
  other?: string | undefined;
}

/**
 * What was said about a finding.
 *
 * - "useful": It was worth knowing: it and its metric rank higher.
 * - "not_useful": It was not: it and its metric rank lower.
 * - "snoozed": Not now: it comes last until it is over.
 */
export type Verdict = "useful" | "not_useful" | "snoozed";

/**
 * The day on which weeks begin.
 *
 * - "monday": The first day of the ISO 8601 week.
 * - "tuesday": Tuesday.
 * - "wednesday": Wednesday.
 * - "thursday": Thursday.
 * - "friday": Friday.
 * - "saturday": Saturday.
 * - "sunday": Sunday.
 */
export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
