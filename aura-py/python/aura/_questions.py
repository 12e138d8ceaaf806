"""Questions as methods of events.

Written by ``generate.py`` from the JSON Schemas of the core; do not edit.
"""

from __future__ import annotations

from collections import abc
from typing import TYPE_CHECKING

from ._spec import Length, Moment, Spec
from ._specs import Funnel, Insights, Lifecycle, MetricQuery, Retention, Sequence, Sessions, Stickiness
from ._table import Table
from ._types import (
    Attribution, Cohort, Comparison, EventFilter, Exclusion, Feedback, Fill, FiscalYearLabel,
    FunnelCount, FunnelSegment, Grain, Month, OrderBy, PeriodTable, RetentionMode, RetentionOutput,
    RetentionWindow, SessionsOutput, Step, StepOrder, StickinessOutput, Top, Weekday,
)

if TYPE_CHECKING:
    from ._insights import Findings, Rules
    from ._registry import Registry


class Questions:
    """One method for each question, and one that does not hold up the event loop."""

    __slots__ = ()

    def run(self, spec: Spec) -> Table:
        """Answers an analysis."""
        raise NotImplementedError

    async def run_async(self, spec: Spec) -> Table:
        """Answers an analysis without holding up the event loop."""
        raise NotImplementedError

    def ask(self, query: MetricQuery, registry: Registry | None = None) -> Table:
        """Answers a question about metrics."""
        raise NotImplementedError

    async def ask_async(self, query: MetricQuery, registry: Registry | None = None) -> Table:
        """Answers a question about metrics without holding up the event loop."""
        raise NotImplementedError

    def find(self, question: Insights, registry: Registry | None = None) -> Findings:
        """Finds what changed."""
        raise NotImplementedError

    async def find_async(self, question: Insights, registry: Registry | None = None) -> Findings:
        """Finds what changed without holding up the event loop."""
        raise NotImplementedError

    def funnel(
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
    ) -> Table:
        """How many go through steps, where they stop, and how long it takes.

        The spec :class:`~aura.Funnel` says what the table holds.

        :param steps: The steps, from 2 to 50.
        :param attribution: Which event of a chain gives the values of ``by``.
        :param compare: Two segments that are compared: a chain is of each whose condition its first event meets.
        :param count: What is counted.
        :param exclude: Events that must not lie between steps, at most 14.
        :param grain: The length of the periods for conversion over time; it takes ``within``, which is at most
            1,000 periods long. Actors count once in each period in which they begin a chain, with the chains that
            begin there.
        :param histogram: Bounds in seconds, rising, at most 1,000: adds counts of chains whose time from the
            event before is below the first bound, from the first to below the second, and so on, and from the last
            bound on.
        :param order: In which order the steps come.
        :param same: Columns, at most 8, whose values must be the same in all events of a chain. Events where one
            is null are left out.
        :param times: Whether the result has percentiles of the times. All times are kept for them until the end,
            8 bytes for the second step of each chain and 16 for every later one, which count against the memory limit
            of the session.
        :param within: How long after the first event of a chain its last may be, both ends included. Days and
            longer units are steps of the calendar in the time zone; write ``24 hours`` for hours of the clock. By
            default without end.
        :param by: Columns to break the result down by, at most 8.
        :param filter: Which events count: a condition over columns, in the language of metrics. All others are as
            if they were not there.
        :param from_: The first moment at which a chain may begin: a date or time in the time zone, or an instant
            with its offset. Events before it are not looked at.
        :param to: The first moment at which no chain begins any more.
        :param actor: A column that takes the role of the actor: a team, an account. Events where it is null are
            left out.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Funnel(
            steps, attribution=attribution, compare=compare, count=count, exclude=exclude, grain=grain,
            histogram=histogram, order=order, same=same, times=times, within=within, by=by, filter=filter,
            from_=from_, to=to, actor=actor, time_zone=time_zone, week_start=week_start
        )
        return self.run(spec)

    async def funnel_async(
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
    ) -> Table:
        """Answers :meth:`funnel` without holding up the event loop; cancelling the task stops the work."""
        spec = Funnel(
            steps, attribution=attribution, compare=compare, count=count, exclude=exclude, grain=grain,
            histogram=histogram, order=order, same=same, times=times, within=within, by=by, filter=filter,
            from_=from_, to=to, actor=actor, time_zone=time_zone, week_start=week_start
        )
        return await self.run_async(spec)

    def sequence(
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
    ) -> Table:
        """Whose events fit a pattern, how often, and how long it takes.

        The spec :class:`~aura.Sequence` says what the table holds.

        :param pattern: The pattern, of at most 256 events.
        :param events: The conditions that the pattern names by their numbers, from 1 to 64 of them.
        :param times: Whether the result has percentiles of the times. All times are kept for them until the end,
            8 bytes for each match, which count against the memory limit of the session.
        :param by: Columns to break the result down by, at most 8.
        :param filter: Which events count: a condition over columns, in the language of metrics.
        :param from_: The first moment that is looked at: a date or time in the time zone, or an instant with its
            offset.
        :param to: The first moment no longer looked at.
        :param actor: A column that takes the role of the actor: a team, an account. Events where it is null are
            left out.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Sequence(
            pattern, events, times=times, by=by, filter=filter, from_=from_, to=to, actor=actor, time_zone=time_zone
        )
        return self.run(spec)

    async def sequence_async(
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
    ) -> Table:
        """Answers :meth:`sequence` without holding up the event loop; cancelling the task stops the work."""
        spec = Sequence(
            pattern, events, times=times, by=by, filter=filter, from_=from_, to=to, actor=actor, time_zone=time_zone
        )
        return await self.run_async(spec)

    def retention(
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
    ) -> Table:
        """Who comes back: the share of those who did one thing that later do another.

        The spec :class:`~aura.Retention` says what the table holds.

        :param brackets: Bounds of windows that are put together, ascending: ``[0, 1, 7, 14]`` is window 0,
            windows 1 to 6, and 7 to 13. Instead of ``horizon``; only for matrix and curve.
        :param cohort: Which start puts an actor into a cohort.
        :param cohort_period: The length of the periods whose actors are a cohort; ``period`` unless given.
        :param horizon: The last window, from 0 to 100,000; as far as the events reach unless given. Only for
            matrix and curve.
        :param inactive: After how many windows without a return that are over an actor counts as gone, from 1; 1
            unless given. Only for survival.
        :param mode: Which windows with a return count in a cell. Only for matrix and curve.
        :param output: Which table comes.
        :param period: The length of a window of return.
        :param returning: Which events are returns; those that start unless given.
        :param start: Which events start; every event unless given.
        :param value: A column of numbers whose values are added up over the returns: the value of a cohort over
            its life. Only for matrix and curve, and not of recurring starts, which would count a return several
            times.
        :param window: Whether windows are periods of the calendar or a length of time from the start of each
            actor.
        :param by: Columns that the result is broken down by, at most 8: an actor is in the group of the values in
            its start event.
        :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
        :param from_: The first moment of starts: a date (``2026-03-01``) or time in the zone of the question, or
            an instant with its offset (``2026-03-01T00:00:00Z``). The whole cohort period that holds it is asked for.
            The first event unless given.
        :param to: The first moment after the starts, in the same forms; a cohort period that begins before it is
            asked for as a whole. Right after ``as_of`` unless given. Returns count after it as well.
        :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
            given.
        :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not
            count.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.
        :param fiscal_year_start: The month in which years and quarters begin; January unless given.
        :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends
            unless given.
        :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those
            of the calendar.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Retention(
            brackets=brackets, cohort=cohort, cohort_period=cohort_period, horizon=horizon, inactive=inactive,
            mode=mode, output=output, period=period, returning=returning, start=start, value=value, window=window,
            by=by, filter=filter, from_=from_, to=to, as_of=as_of, actor=actor, time_zone=time_zone,
            week_start=week_start, fiscal_year_start=fiscal_year_start, fiscal_year_label=fiscal_year_label,
            periods=periods
        )
        return self.run(spec)

    async def retention_async(
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
    ) -> Table:
        """Answers :meth:`retention` without holding up the event loop; cancelling the task stops the work."""
        spec = Retention(
            brackets=brackets, cohort=cohort, cohort_period=cohort_period, horizon=horizon, inactive=inactive,
            mode=mode, output=output, period=period, returning=returning, start=start, value=value, window=window,
            by=by, filter=filter, from_=from_, to=to, as_of=as_of, actor=actor, time_zone=time_zone,
            week_start=week_start, fiscal_year_start=fiscal_year_start, fiscal_year_label=fiscal_year_label,
            periods=periods
        )
        return await self.run_async(spec)

    def sessions(
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
    ) -> Table:
        """Sessions: the events of an actor with no gap longer than ``gap`` between neighbours.

        The spec :class:`~aura.Sessions` says what the table holds.

        :param end_on: Events that end the session they are in.
        :param events: Which events belong to sessions; every event unless given. Those of ``start_on`` and
            ``end_on`` do in any case.
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
            with its offset (``2026-03-01T00:00:00Z``). With ``period`` the whole period that holds it is asked for.
            The first event unless given.
        :param to: The first moment no longer asked for, in the same forms; with ``period`` a period that begins
            before it is asked for as a whole. Right after the last event unless given.
        :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
            given.
        :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not
            count.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.
        :param fiscal_year_start: The month in which years and quarters begin; January unless given.
        :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends
            unless given.
        :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those
            of the calendar.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Sessions(
            end_on=end_on, events=events, gap=gap, limit=limit, max_length=max_length, output=output,
            percentiles=percentiles, period=period, start_on=start_on, by=by, filter=filter, from_=from_, to=to,
            as_of=as_of, actor=actor, time_zone=time_zone, week_start=week_start, fiscal_year_start=fiscal_year_start,
            fiscal_year_label=fiscal_year_label, periods=periods
        )
        return self.run(spec)

    async def sessions_async(
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
    ) -> Table:
        """Answers :meth:`sessions` without holding up the event loop; cancelling the task stops the work."""
        spec = Sessions(
            end_on=end_on, events=events, gap=gap, limit=limit, max_length=max_length, output=output,
            percentiles=percentiles, period=period, start_on=start_on, by=by, filter=filter, from_=from_, to=to,
            as_of=as_of, actor=actor, time_zone=time_zone, week_start=week_start, fiscal_year_start=fiscal_year_start,
            fiscal_year_label=fiscal_year_label, periods=periods
        )
        return await self.run_async(spec)

    def stickiness(
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
    ) -> Table:
        """How often actors are active: how many of them on how many days of a month.

        The spec :class:`~aura.Stickiness` says what the table holds.

        :param events: Which events are activity; every event unless given.
        :param output: Which table comes.
        :param period: The periods that are counted; days unless given.
        :param within: The intervals in which they are counted, longer than ``period``; the whole range is one
            unless given. A period that lies in two of them (a week in two months) counts in both, each time with the
            activity in that interval.
        :param by: Columns that the result is broken down by, at most 8. Each combination of values is followed on
            its own, as if there were no other events: an actor counts in every one that it has an event of.
        :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
        :param from_: The first moment: a date (``2026-03-01``) or time in the zone of the question, or an instant
            with its offset (``2026-03-01T00:00:00Z``). The whole period that holds it is asked for. The first event
            unless given.
        :param to: The first moment no longer asked for, in the same forms; a period that begins before it is
            asked for as a whole. Right after ``as_of`` unless given; what has not begun then is left out in any case.
        :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
            given.
        :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not
            count.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.
        :param fiscal_year_start: The month in which years and quarters begin; January unless given.
        :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends
            unless given.
        :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those
            of the calendar.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Stickiness(
            events=events, output=output, period=period, within=within, by=by, filter=filter, from_=from_, to=to,
            as_of=as_of, actor=actor, time_zone=time_zone, week_start=week_start, fiscal_year_start=fiscal_year_start,
            fiscal_year_label=fiscal_year_label, periods=periods
        )
        return self.run(spec)

    async def stickiness_async(
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
    ) -> Table:
        """Answers :meth:`stickiness` without holding up the event loop; cancelling the task stops the work."""
        spec = Stickiness(
            events=events, output=output, period=period, within=within, by=by, filter=filter, from_=from_, to=to,
            as_of=as_of, actor=actor, time_zone=time_zone, week_start=week_start, fiscal_year_start=fiscal_year_start,
            fiscal_year_label=fiscal_year_label, periods=periods
        )
        return await self.run_async(spec)

    def lifecycle(
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
    ) -> Table:
        """How many actors are new, come back, are awake again or have fallen asleep, period by period.

        The spec :class:`~aura.Lifecycle` says what the table holds.

        :param events: Which events are activity; every event unless given.
        :param period: The length of the periods; days unless given.
        :param by: Columns that the result is broken down by, at most 8. Each combination of values is followed on
            its own, as if there were no other events: an actor counts in every one that it has an event of.
        :param filter: Which events are looked at at all: a condition over columns, in the language of metrics.
        :param from_: The first moment: a date (``2026-03-01``) or time in the zone of the question, or an instant
            with its offset (``2026-03-01T00:00:00Z``). The whole period that holds it is asked for. The first event
            unless given.
        :param to: The first moment no longer asked for, in the same forms; a period that begins before it is
            asked for as a whole. Right after ``as_of`` unless given; what has not begun then is left out in any case.
        :param as_of: The moment until which events are known; later ones are not looked at. The last event unless
            given.
        :param actor: The column that is the actor instead: a team, an account. Rows in which it is null do not
            count.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.
        :param fiscal_year_start: The month in which years and quarters begin; January unless given.
        :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends
            unless given.
        :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those
            of the calendar.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Lifecycle(
            events=events, period=period, by=by, filter=filter, from_=from_, to=to, as_of=as_of, actor=actor,
            time_zone=time_zone, week_start=week_start, fiscal_year_start=fiscal_year_start,
            fiscal_year_label=fiscal_year_label, periods=periods
        )
        return self.run(spec)

    async def lifecycle_async(
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
    ) -> Table:
        """Answers :meth:`lifecycle` without holding up the event loop; cancelling the task stops the work."""
        spec = Lifecycle(
            events=events, period=period, by=by, filter=filter, from_=from_, to=to, as_of=as_of, actor=actor,
            time_zone=time_zone, week_start=week_start, fiscal_year_start=fiscal_year_start,
            fiscal_year_label=fiscal_year_label, periods=periods
        )
        return await self.run_async(spec)

    def metrics(
        self,
        metrics: str | abc.Sequence[str],
        *,
        registry: Registry | None = None,
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
    ) -> Table:
        """A question to a ``Registry``: which metrics, in which periods, cut by what.

        The spec :class:`~aura.MetricQuery` says what the table holds.

        :param registry: the definitions; the built-in metrics unless given
        :param metrics: Names of metrics, from 1 to 200, each once; their columns come in this order.
        :param compare_to: With which period each one is compared.
        :param fill: What stands in periods without events, in place of what the definitions say.
        :param grain: The length of the periods; by default the longest default grain of the metrics, that of
            ``Top`` included. Not shorter than the default grain of any of them.
        :param limit: The most rows that are returned, after ordering.
        :param order: By which columns of the result its rows are ordered; rows that are equal in them, and all
            without it, come by period, then by dimensions.
        :param top: Keeps the values of a dimension with the greatest totals and puts all others together.
        :param totals: Adds to each period a row over all values of the dimensions, computed from the events and
            not from the rows.
        :param by: Dimensions: columns of the events, at most 8, each allowed by every metric.
        :param filter: Which events count: a condition over columns, in the language of metrics.
        :param from_: The first moment asked for: a date (``2026-03-01``) or time in the zone of the query, or an
            instant with its offset (``2026-03-01T00:00:00Z``). By default the first event. The whole period that
            holds it is asked for.
        :param to: The first moment no longer asked for, in the same forms. By default right after the last event.
            A period that begins before it is asked for as a whole.
        :param as_of: The moment as of which periods are called complete: those that end at it or before. By
            default the time of the last event, so that the period in which it lies is incomplete.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.
        :param fiscal_year_start: The month in which years and quarters begin; January unless given.
        :param fiscal_year_label: Which calendar year a fiscal year is called after; the one in which it ends
            unless given.
        :param periods: Periods of one's own, each with grain, label, start and end, that take the place of those
            of the calendar.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = MetricQuery(
            metrics, compare_to=compare_to, fill=fill, grain=grain, limit=limit, order=order, top=top, totals=totals,
            by=by, filter=filter, from_=from_, to=to, as_of=as_of, time_zone=time_zone, week_start=week_start,
            fiscal_year_start=fiscal_year_start, fiscal_year_label=fiscal_year_label, periods=periods
        )
        return self.ask(spec, registry)

    async def metrics_async(
        self,
        metrics: str | abc.Sequence[str],
        *,
        registry: Registry | None = None,
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
    ) -> Table:
        """Answers :meth:`metrics` without holding up the event loop; cancelling the task stops the work."""
        spec = MetricQuery(
            metrics, compare_to=compare_to, fill=fill, grain=grain, limit=limit, order=order, top=top, totals=totals,
            by=by, filter=filter, from_=from_, to=to, as_of=as_of, time_zone=time_zone, week_start=week_start,
            fiscal_year_start=fiscal_year_start, fiscal_year_label=fiscal_year_label, periods=periods
        )
        return await self.ask_async(spec, registry)

    def insights(
        self,
        *,
        registry: Registry | None = None,
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
    ) -> Findings:
        """What changed, whether it matters, why, and what to do: all fields have defaults, and without any of them all
        metrics of the registry are looked at, by all dimensions they allow.

        See also :class:`~aura.Insights`.

        :param registry: the definitions; the built-in metrics unless given
        :param false_discovery_rate: The greatest expected share of false findings, above 0 and at most 0.5; 0.01
            unless given.
        :param feedback: What people said about findings; it changes their order.
        :param find_holidays: Whether working days on which all segments are as on a weekend are taken for
            holidays, with a note. ``true`` unless given.
        :param grain: The length of the periods; unless given, the shortest one from days on that gives at most
            400 periods, and is not shorter than the default grain of most metrics.
        :param holidays: Days (``2026-05-01``) that are not judged.
        :param least: Series with a mean count of a period (or a mean denominator) below this are too small to be
            judged; from 1, 5 unless given.
        :param limit: The most findings; from 1, 20 unless given.
        :param metrics: The metrics; all of the registry unless given.
        :param previous: What the run before found: it says what is new, ongoing and resolved.
        :param rules: What is looked for; :meth:`Rules.builtin` unless given.
        :param values: How many values of a dimension are looked at, those with the most events, from 2 to 100;
            all others together count, and are no news. 12 unless given.
        :param by: The dimensions, at most 16, none where it is an empty list. Unless given, those that the
            registry declares, and where it declares none, the columns of text or booleans that have from 2 to 50
            different values.
        :param filter: Which events are looked at: a condition over columns, in the language of metrics.
        :param from_: The first moment: a date or time in the zone of the question, or an instant with its offset.
            The first event unless given; the period that it begins in the middle of is not judged.
        :param to: The first moment no longer looked at. Right after the last event unless given.
        :param as_of: The moment as of which periods are complete: only those are judged. The time of the last
            event unless given.
        :param time_zone: The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless
            given.
        :param week_start: The day on which weeks begin; Monday unless given.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        spec = Insights(
            false_discovery_rate=false_discovery_rate, feedback=feedback, find_holidays=find_holidays, grain=grain,
            holidays=holidays, least=least, limit=limit, metrics=metrics, previous=previous, rules=rules,
            values=values, by=by, filter=filter, from_=from_, to=to, as_of=as_of, time_zone=time_zone,
            week_start=week_start
        )
        return self.find(spec, registry)

    async def insights_async(
        self,
        *,
        registry: Registry | None = None,
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
    ) -> Findings:
        """Answers :meth:`insights` without holding up the event loop; cancelling the task stops the work."""
        spec = Insights(
            false_discovery_rate=false_discovery_rate, feedback=feedback, find_holidays=find_holidays, grain=grain,
            holidays=holidays, least=least, limit=limit, metrics=metrics, previous=previous, rules=rules,
            values=values, by=by, filter=filter, from_=from_, to=to, as_of=as_of, time_zone=time_zone,
            week_start=week_start
        )
        return await self.find_async(spec, registry)
