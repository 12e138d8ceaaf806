"""Questions as values.

Written by ``generate.py`` from the JSON Schemas of the core; do not edit.
"""

from __future__ import annotations

from collections import abc
from typing import TYPE_CHECKING

from ._spec import Length, Moment, Spec, given, many
from ._types import (
    Attribution, Cohort, Comparison, EventFilter, Exclusion, Feedback, Fill, FiscalYearLabel,
    FunnelCount, FunnelSegment, Grain, Month, OrderBy, PeriodTable, RetentionMode, RetentionOutput,
    RetentionWindow, SessionsOutput, Step, StepOrder, StickinessOutput, Top, Weekday,
)

if TYPE_CHECKING:
    from ._insights import Findings, Rules


class Funnel(Spec):
    """How many go through steps, where they stop, and how long it takes.

    **What is counted.** A *chain* is a series of events of one actor that meet the steps from the first one on: each
    event stands for one step, each is later than the one before, the first lies in ``[from, to)``, all lie within
    ``within`` of the first and each within its step's own window of the one before (both ends included, also after
    ``to``), and no excluded event lies between. Each actor counts with one chain, the one that gets furthest; of
    several the one that gets there first; and of these the one that took the shortest way there: it begins last, and
    from its last event backwards each is the latest possible. A chain counts at each step it holds.

    **Ties.** Events of one actor at the same microsecond are taken in the order of the steps they meet: first those
    of the first step, those that meet none last; then those that meet fewer later steps; then by the values of the
    columns of ``by``, smallest first, null last.

    **Shapes.** One row for each combination of ``compare``, ``by`` and ``grain`` that occurs, and each step; ordered
    by these. Without ``by`` and ``grain`` all steps are always there.

    | column | type | |
    |---|---|---|
    | ``segment`` | text | with ``compare``: the name of the segment |
    | the columns of ``by`` | as they are, text as ``Utf8`` | null where the event has no value |
    | ``period`` | timestamp, UTC microseconds | with ``grain``: the start of the period in which the chain began |
    | ``step`` | ``Int32`` | from 1 |
    | ``name`` | text | the name of the step; in any order ``1 of 3`` |
    | ``count`` | ``Int64`` | chains that hold the step |
    | ``from_first`` | ``Float64`` | ``count`` over that of the first step, null over 0 |
    | ``from_first_low``, ``from_first_high`` | ``Float64`` | its 95 % interval after Wilson |
    | ``from_previous`` | ``Float64`` | ``count`` over that of the last step before that is not optional; null at the first |
    | ``median_seconds``, ``p95_seconds`` | ``Float64`` | unless ``times`` is false: from the event before in the chain; null at the first step, and of none |
    | ``total_median_seconds``, ``total_p95_seconds`` | ``Float64`` | unless ``times`` is false: from the first event of the chain |
    | ``histogram`` | list of ``Int64`` | with ``histogram``: chains by the time from the event before |
    | ``difference``, ``difference_low``, ``difference_high`` | ``Float64`` | with ``compare``, at the second segment: ``from_first`` less that of the first segment, and its 95 % interval after Newcombe |

    Percentiles are interpolated linearly between neighbours (type 7 of Hyndman and Fan).

    **Source.** The window is that of ClickHouse's ``windowFunnel``; attribution and exclusions are after PostHog's
    funnels. Differences: an event stands for one step only; a chain is never lost because a later event began
    another; see ``docs/behavior.md``.

    :param steps: The steps, from 2 to 50.
    :param attribution: Which event of a chain gives the values of ``by``.
    :param compare: Two segments that are compared: a chain is of each whose condition its first event meets.
    :param count: What is counted.
    :param exclude: Events that must not lie between steps, at most 14.
    :param grain: The length of the periods for conversion over time; it takes ``within``, which is at most 1,000
        periods long. Actors count once in each period in which they begin a chain, with the chains that begin there.
    :param histogram: Bounds in seconds, rising, at most 1,000: adds counts of chains whose time from the event
        before is below the first bound, from the first to below the second, and so on, and from the last bound on.
    :param order: In which order the steps come.
    :param same: Columns, at most 8, whose values must be the same in all events of a chain. Events where one is
        null are left out.
    :param times: Whether the result has percentiles of the times. All times are kept for them until the end, 8
        bytes for the second step of each chain and 16 for every later one, which count against the memory limit of
        the session.
    :param within: How long after the first event of a chain its last may be, both ends included. Days and longer
        units are steps of the calendar in the time zone; write ``24 hours`` for hours of the clock. By default
        without end.
    :param by: Columns to break the result down by, at most 8.
    :param filter: Which events count: a condition over columns, in the language of metrics. All others are as if
        they were not there.
    :param from_: The first moment at which a chain may begin: a date or time in the time zone, or an instant with
        its offset. Events before it are not looked at.
    :param to: The first moment at which no chain begins any more.
    :param actor: A column that takes the role of the actor: a team, an account. Events where it is null are left
        out.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    """

    __slots__ = ()
    kind = "funnel"

    def __init__(
        self,
        steps: abc.Sequence[Step],
        *,
        attribution: Attribution | None = None,
        compare: abc.Sequence[FunnelSegment] | None = None,
        count: FunnelCount | None = None,
        exclude: abc.Sequence[Exclusion] | None = None,
        grain: Grain | None = None,
        histogram: abc.Sequence[int] | None = None,
        order: StepOrder | None = None,
        same: str | abc.Sequence[str] | None = None,
        times: bool | None = None,
        within: Length | None = None,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        actor: str | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
    ) -> None:
        self._fields = given(
            {
                "steps": steps,
                "attribution": attribution,
                "compare": compare,
                "count": count,
                "exclude": exclude,
                "grain": grain,
                "histogram": histogram,
                "order": order,
                "same": many(same),
                "times": times,
                "within": within,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "actor": actor,
                "time_zone": time_zone,
                "week_start": week_start,
            }
        )


class Sequence(Spec):
    """Whose events fit a pattern, how often, and how long it takes.

    **The pattern** is made of

    - ``(?N)``: an event that meets condition N of ``events``, from 1;
    - ``.``: an event that meets any of them;
    - nothing between two events: they follow one another, of those that meet any condition;
    - ``.*`` between two events: any others may lie between;
    - ``(?t<=S)``, ``(?t<S)``, ``(?t>=S)``, ``(?t>S)``, ``(?t==S)`` between two events: so many seconds pass from one to the other, and any
      others may lie between. Several all hold.

    The first match begins as early as possible, and each of its events is the earliest possible; the next one begins
    after its end. Events of one actor at the same microsecond come in the order of the first condition they meet,
    then of the number whose bits are the conditions, then of the values of ``by``.

    **Shapes.** One row for each combination of ``by`` that occurs, in their order, null last; one row without ``by``.

    | column | type | |
    |---|---|---|
    | the columns of ``by`` | as they are, text as ``Utf8`` | of the actor's first event that meets any condition |
    | ``actors`` | ``Int64`` | actors with an event that meets any condition |
    | ``matched`` | ``Int64`` | actors whose events fit the pattern |
    | ``share`` | ``Float64`` | ``matched`` over ``actors``, null over 0 |
    | ``share_low``, ``share_high`` | ``Float64`` | its 95 % interval after Wilson |
    | ``matches`` | ``Int64`` | matches of all actors |
    | ``median_seconds``, ``p95_seconds`` | ``Float64`` | unless ``times`` is false: from the first to the last event of a match; null of none |

    **Source.** ClickHouse's ``sequenceMatch`` and ``sequenceCount``; the differences are in ``docs/behavior.md``.

    :param pattern: The pattern, of at most 256 events.
    :param events: The conditions that the pattern names by their numbers, from 1 to 64 of them.
    :param times: Whether the result has percentiles of the times. All times are kept for them until the end, 8
        bytes for each match, which count against the memory limit of the session.
    :param by: Columns to break the result down by, at most 8.
    :param filter: Which events count: a condition over columns, in the language of metrics.
    :param from_: The first moment that is looked at: a date or time in the time zone, or an instant with its
        offset.
    :param to: The first moment no longer looked at.
    :param actor: A column that takes the role of the actor: a team, an account. Events where it is null are left
        out.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    """

    __slots__ = ()
    kind = "sequence"

    def __init__(
        self,
        pattern: str,
        events: abc.Sequence[EventFilter],
        *,
        times: bool | None = None,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        actor: str | None = None,
        time_zone: str | None = None,
    ) -> None:
        self._fields = given(
            {
                "pattern": pattern,
                "events": events,
                "times": times,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "actor": actor,
                "time_zone": time_zone,
            }
        )


class Retention(Spec):
    """Who comes back: the share of those who did one thing that later do another.

    Each actor is put into a *cohort*, the period of its start event. From the start on time is cut into *windows*
    that count from 0; the actor is *retained* in those in which it has a returning event. Without any field: of those
    whose first event ever lies in a day, how many have an event on that day and on each day after.

    **Returns.** An event is a return from the moment of the start on; the start event itself is one if it meets
    ``returning``. With ``OnOrBefore`` only later events are.

    **Result.** Which table comes says ``RetentionOutput``. In all of them rows come by the columns of ``by`` (nulls
    last), then by cohort, then by window. Only combinations and cohorts with an actor have rows, so no events give an
    empty table.

    **Complete.** A cell is complete when its last window was over, at ``as_of``, for every actor that can be in the
    cohort. The values of other cells can still grow.

    :param brackets: Bounds of windows that are put together, ascending: ``[0, 1, 7, 14]`` is window 0, windows 1
        to 6, and 7 to 13. Instead of ``horizon``; only for matrix and curve.
    :param cohort: Which start puts an actor into a cohort.
    :param cohort_period: The length of the periods whose actors are a cohort; ``period`` unless given.
    :param horizon: The last window, from 0 to 100,000; as far as the events reach unless given. Only for matrix
        and curve.
    :param inactive: After how many windows without a return that are over an actor counts as gone, from 1; 1
        unless given. Only for survival.
    :param mode: Which windows with a return count in a cell. Only for matrix and curve.
    :param output: Which table comes.
    :param period: The length of a window of return.
    :param returning: Which events are returns; those that start unless given.
    :param start: Which events start; every event unless given.
    :param value: A column of numbers whose values are added up over the returns: the value of a cohort over its
        life. Only for matrix and curve, and not of recurring starts, which would count a return several times.
    :param window: Whether windows are periods of the calendar or a length of time from the start of each actor.
    :param by: Columns that the result is broken down by, at most 8: an actor is in the group of the values in its
        start event.
    :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
    :param from_: The first moment of starts: a date (``2026-03-01``) or time in the zone of the question, or an
        instant with its offset (``2026-03-01T00:00:00Z``). The whole cohort period that holds it is asked for. The
        first event unless given.
    :param to: The first moment after the starts, in the same forms; a cohort period that begins before it is
        asked for as a whole. Right after ``as_of`` unless given. Returns count after it as well.
    :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
        given.
    :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not count.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    :param fiscal_year_start: The month in which years and quarters begin; January unless given.
    :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends unless
        given.
    :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those of
        the calendar.
    """

    __slots__ = ()
    kind = "retention"

    def __init__(
        self,
        *,
        brackets: abc.Sequence[int] | None = None,
        cohort: Cohort | None = None,
        cohort_period: Grain | None = None,
        horizon: int | None = None,
        inactive: int | None = None,
        mode: RetentionMode | None = None,
        output: RetentionOutput | None = None,
        period: Grain = "day",
        returning: EventFilter | None = None,
        start: EventFilter | None = None,
        value: str | None = None,
        window: RetentionWindow | None = None,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        as_of: Moment | None = None,
        actor: str | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
        fiscal_year_start: Month | None = None,
        fiscal_year_label: FiscalYearLabel | None = None,
        periods: PeriodTable | None = None,
    ) -> None:
        self._fields = given(
            {
                "brackets": brackets,
                "cohort": cohort,
                "cohort_period": cohort_period,
                "horizon": horizon,
                "inactive": inactive,
                "mode": mode,
                "output": output,
                "period": period,
                "returning": returning,
                "start": start,
                "value": value,
                "window": window,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "as_of": as_of,
                "actor": actor,
                "time_zone": time_zone,
                "week_start": week_start,
                "fiscal_year_start": fiscal_year_start,
                "fiscal_year_label": fiscal_year_label,
                "periods": periods,
            }
        )


class Sessions(Spec):
    """Sessions: the events of an actor with no gap longer than ``gap`` between neighbours.

    An event begins a session when it is the first of its actor, when it comes more than ``gap`` after the one before,
    more than ``max_length`` after the start of the session, after an event that ends a session, or when it is one
    that starts a session. A gap of exactly ``gap``, and a length of exactly ``max_length``, do not. The *duration* is
    the time from the first to the last event; that of a single event is 0.

    **Ties.** Events of one actor at the same microsecond are in one session. If one of them starts sessions, the
    session begins with all of them; if one of them ends sessions, it ends after all of them. The first and the last
    event, and the values of ``by``, are then those that come first in their order.

    **Range.** A session counts when it starts in the range; what lies before and after is looked at as well, so that
    sessions are whole and have the same numbers whatever the range.

    :param end_on: Events that end the session they are in.
    :param events: Which events belong to sessions; every event unless given. Those of ``start_on`` and ``end_on``
        do in any case.
    :param gap: The longest gap inside of a session; 30 minutes unless given.
    :param limit: The most sessions that are listed, from 1 to 10,000,000; 1,000,000 unless given. More are an
        error.
    :param max_length: How long after its first event a session may go on; without end unless given.
    :param output: Which table comes.
    :param percentiles: Which percentiles of the duration the summary has, each from 0 to 100, at most 20; the
        median and the 95th unless given.
    :param period: The periods of the summary, by the start of sessions; the whole range unless given.
    :param start_on: Events that start a session.
    :param by: Columns that the result is broken down by, at most 8: by the values in the first event of a
        session.
    :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
    :param from_: The first moment: a date (``2026-03-01``) or time in the zone of the question, or an instant
        with its offset (``2026-03-01T00:00:00Z``). With ``period`` the whole period that holds it is asked for. The
        first event unless given.
    :param to: The first moment no longer asked for, in the same forms; with ``period`` a period that begins
        before it is asked for as a whole. Right after the last event unless given.
    :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
        given.
    :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not count.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    :param fiscal_year_start: The month in which years and quarters begin; January unless given.
    :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends unless
        given.
    :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those of
        the calendar.
    """

    __slots__ = ()
    kind = "sessions"

    def __init__(
        self,
        *,
        end_on: EventFilter | None = None,
        events: EventFilter | None = None,
        gap: Length = "30 minutes",
        limit: int | None = None,
        max_length: Length | None = None,
        output: SessionsOutput | None = None,
        percentiles: abc.Sequence[float] | None = None,
        period: Grain | None = None,
        start_on: EventFilter | None = None,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        as_of: Moment | None = None,
        actor: str | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
        fiscal_year_start: Month | None = None,
        fiscal_year_label: FiscalYearLabel | None = None,
        periods: PeriodTable | None = None,
    ) -> None:
        self._fields = given(
            {
                "end_on": end_on,
                "events": events,
                "gap": gap,
                "limit": limit,
                "max_length": max_length,
                "output": output,
                "percentiles": percentiles,
                "period": period,
                "start_on": start_on,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "as_of": as_of,
                "actor": actor,
                "time_zone": time_zone,
                "week_start": week_start,
                "fiscal_year_start": fiscal_year_start,
                "fiscal_year_label": fiscal_year_label,
                "periods": periods,
            }
        )


class Stickiness(Spec):
    """How often actors are active: how many of them on how many days of a month.

    Without any field: of those active in the time of the events, how many on how many days.

    **Result.** Rows come by the columns of ``by`` (nulls last), then by interval, then by number of periods. No
    events give an empty table, and so does an interval in which nobody is active have no rows.

    :param events: Which events are activity; every event unless given.
    :param output: Which table comes.
    :param period: The periods that are counted; days unless given.
    :param within: The intervals in which they are counted, longer than ``period``; the whole range is one unless
        given. A period that lies in two of them (a week in two months) counts in both, each time with the activity in
        that interval.
    :param by: Columns that the result is broken down by, at most 8. Each combination of values is followed on its
        own, as if there were no other events: an actor counts in every one that it has an event of.
    :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
    :param from_: The first moment: a date (``2026-03-01``) or time in the zone of the question, or an instant
        with its offset (``2026-03-01T00:00:00Z``). The whole period that holds it is asked for. The first event
        unless given.
    :param to: The first moment no longer asked for, in the same forms; a period that begins before it is asked
        for as a whole. Right after ``as_of`` unless given; what has not begun then is left out in any case.
    :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
        given.
    :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not count.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    :param fiscal_year_start: The month in which years and quarters begin; January unless given.
    :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends unless
        given.
    :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those of
        the calendar.
    """

    __slots__ = ()
    kind = "stickiness"

    def __init__(
        self,
        *,
        events: EventFilter | None = None,
        output: StickinessOutput | None = None,
        period: Grain = "day",
        within: Grain | None = None,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        as_of: Moment | None = None,
        actor: str | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
        fiscal_year_start: Month | None = None,
        fiscal_year_label: FiscalYearLabel | None = None,
        periods: PeriodTable | None = None,
    ) -> None:
        self._fields = given(
            {
                "events": events,
                "output": output,
                "period": period,
                "within": within,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "as_of": as_of,
                "actor": actor,
                "time_zone": time_zone,
                "week_start": week_start,
                "fiscal_year_start": fiscal_year_start,
                "fiscal_year_label": fiscal_year_label,
                "periods": periods,
            }
        )


class Lifecycle(Spec):
    """How many actors are new, come back, are awake again or have fallen asleep, period by period.

    An actor is *new* in the first period in which it is ever active, *returning* when active in the period and in the
    one before, *resurrected* when active in the period, not in the one before, but earlier, and *dormant* when active
    in the period before and not in the period. New, returning and resurrected together are the active actors. Events
    before the range are looked at; who was active before the first event known appears as new.

    **Result.** A row for each group and period, groups in the order of their values (nulls last): the columns of
    ``by``; ``period`` (timestamp), ``period_label`` (text), ``active``, ``new``, ``returning``, ``resurrected``,
    ``dormant`` (``Int64``), ``complete`` (the period was over at ``as_of``; before, some who are dormant may still
    come). Every group has a row in every period of the range. No events give an empty table.

    :param events: Which events are activity; every event unless given.
    :param period: The length of the periods; days unless given.
    :param by: Columns that the result is broken down by, at most 8. Each combination of values is followed on its
        own, as if there were no other events: an actor counts in every one that it has an event of.
    :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
    :param from_: The first moment: a date (``2026-03-01``) or time in the zone of the question, or an instant
        with its offset (``2026-03-01T00:00:00Z``). The whole period that holds it is asked for. The first event
        unless given.
    :param to: The first moment no longer asked for, in the same forms; a period that begins before it is asked
        for as a whole. Right after ``as_of`` unless given; what has not begun then is left out in any case.
    :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
        given.
    :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not count.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    :param fiscal_year_start: The month in which years and quarters begin; January unless given.
    :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends unless
        given.
    :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those of
        the calendar.
    """

    __slots__ = ()
    kind = "lifecycle"

    def __init__(
        self,
        *,
        events: EventFilter | None = None,
        period: Grain = "day",
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        as_of: Moment | None = None,
        actor: str | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
        fiscal_year_start: Month | None = None,
        fiscal_year_label: FiscalYearLabel | None = None,
        periods: PeriodTable | None = None,
    ) -> None:
        self._fields = given(
            {
                "events": events,
                "period": period,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "as_of": as_of,
                "actor": actor,
                "time_zone": time_zone,
                "week_start": week_start,
                "fiscal_year_start": fiscal_year_start,
                "fiscal_year_label": fiscal_year_label,
                "periods": periods,
            }
        )


class MetricQuery(Spec):
    """A question to a ``Registry``: which metrics, in which periods, cut by what.

    Only ``metrics`` must be given. In JSON, unknown fields are refused.

    :param metrics: Names of metrics, from 1 to 200, each once; their columns come in this order.
    :param compare_to: With which period each one is compared.
    :param fill: What stands in periods without events, in place of what the definitions say.
    :param grain: The length of the periods; by default the longest default grain of the metrics, that of ``Top``
        included. Not shorter than the default grain of any of them.
    :param limit: The most rows that are returned, after ordering.
    :param order: By which columns of the result its rows are ordered; rows that are equal in them, and all
        without it, come by period, then by dimensions.
    :param top: Keeps the values of a dimension with the greatest totals and puts all others together.
    :param totals: Adds to each period a row over all values of the dimensions, computed from the events and not
        from the rows.
    :param by: Dimensions: columns of the events, at most 8, each allowed by every metric.
    :param filter: Which events count: a condition over columns, in the language of metrics.
    :param from_: The first moment asked for: a date (``2026-03-01``) or time in the zone of the query, or an
        instant with its offset (``2026-03-01T00:00:00Z``). By default the first event. The whole period that holds it
        is asked for.
    :param to: The first moment no longer asked for, in the same forms. By default right after the last event. A
        period that begins before it is asked for as a whole.
    :param as_of: The moment as of which periods are called complete: those that end at it or before. By default
        the time of the last event, so that the period in which it lies is incomplete.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    :param fiscal_year_start: The month in which years and quarters begin; January unless given.
    :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends unless
        given.
    :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those of
        the calendar.
    """

    __slots__ = ()
    kind = "metric_query"

    def __init__(
        self,
        metrics: str | abc.Sequence[str],
        *,
        compare_to: Comparison | None = None,
        fill: Fill | None = None,
        grain: Grain | None = None,
        limit: int | None = None,
        order: abc.Sequence[OrderBy] | None = None,
        top: Top | None = None,
        totals: bool | None = None,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        as_of: Moment | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
        fiscal_year_start: Month | None = None,
        fiscal_year_label: FiscalYearLabel | None = None,
        periods: PeriodTable | None = None,
    ) -> None:
        self._fields = given(
            {
                "metrics": many(metrics),
                "compare_to": compare_to,
                "fill": fill,
                "grain": grain,
                "limit": limit,
                "order": order,
                "top": top,
                "totals": totals,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "as_of": as_of,
                "time_zone": time_zone,
                "week_start": week_start,
                "fiscal_year_start": fiscal_year_start,
                "fiscal_year_label": fiscal_year_label,
                "periods": periods,
            }
        )


class Insights(Spec):
    """What changed, whether it matters, why, and what to do: all fields have defaults, and without any of them all
    metrics of the registry are looked at, by all dimensions they allow.

    :param false_discovery_rate: The greatest expected share of false findings, above 0 and at most 0.5; 0.01
        unless given.
    :param feedback: What people said about findings; it changes their order.
    :param find_holidays: Whether working days on which all segments are as on a weekend are taken for holidays,
        with a note. ``true`` unless given.
    :param grain: The length of the periods; unless given, the shortest one from days on that gives at most 400
        periods, and is not shorter than the default grain of most metrics.
    :param holidays: Days (``2026-05-01``) that are not judged.
    :param least: Series with a mean count of a period (or a mean denominator) below this are too small to be
        judged; from 1, 5 unless given.
    :param limit: The most findings; from 1, 20 unless given.
    :param metrics: The metrics; all of the registry unless given.
    :param previous: What the run before found: it says what is new, ongoing and resolved.
    :param rules: What is looked for; :meth:`Rules.builtin` unless given.
    :param values: How many values of a dimension are looked at, those with the most events, from 2 to 100; all
        others together count, and are no news. 12 unless given.
    :param by: The dimensions, at most 16, none where it is an empty list. Unless given, those that the registry
        declares, and where it declares none, the columns of text or booleans that have from 2 to 50 different values.
    :param filter: Which events are looked at: a condition over columns, in the language of metrics.
    :param from_: The first moment: a date or time in the zone of the question, or an instant with its offset. The
        first event unless given; the period that it begins in the middle of is not judged.
    :param to: The first moment no longer looked at. Right after the last event unless given.
    :param as_of: The moment as of which periods are complete: only those are judged. The time of the last event
        unless given.
    :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
        given.
    :param week_start: The day on which weeks begin; Monday unless given.
    """

    __slots__ = ()
    kind = "insights"

    def __init__(
        self,
        *,
        false_discovery_rate: float = 0.01,
        feedback: abc.Sequence[Feedback] | None = None,
        find_holidays: bool = True,
        grain: Grain | None = None,
        holidays: str | abc.Sequence[str] | None = None,
        least: float = 5.0,
        limit: int = 20,
        metrics: str | abc.Sequence[str] | None = None,
        previous: Findings | abc.Mapping[str, object] | None = None,
        rules: Rules | abc.Mapping[str, object] | None = None,
        values: int = 12,
        by: str | abc.Sequence[str] | None = None,
        filter: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        as_of: Moment | None = None,
        time_zone: str | None = None,
        week_start: Weekday | None = None,
    ) -> None:
        self._fields = given(
            {
                "false_discovery_rate": false_discovery_rate,
                "feedback": feedback,
                "find_holidays": find_holidays,
                "grain": grain,
                "holidays": many(holidays),
                "least": least,
                "limit": limit,
                "metrics": many(metrics),
                "previous": previous,
                "rules": rules,
                "values": values,
                "by": many(by),
                "filter": filter,
                "from_": from_,
                "to": to,
                "as_of": as_of,
                "time_zone": time_zone,
                "week_start": week_start,
            }
        )
