"""The durable store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from os import PathLike, fspath
from types import TracebackType
from typing import Any, NamedTuple

from . import _aura
from ._events import Events, Row, are_rows, events, is_table, roles_of, rows_json
from ._progress import Progress, reporter
from ._registry import Contract
from ._spec import ArrowBatch, ArrowTable, given, to_json
from ._table import Table
from ._types import Format, GitOptions, Limits, Preset, StoreSettings, TimeUnit
from ._wait import in_thread

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Source = str | PathLike[str] | bytes | ArrowTable | ArrowBatch | Sequence[Row] | Any
"""What is ingested: a path or glob, the content of a file, an object with ``read``, a table, or a list of dicts."""


class Reject(NamedTuple):
    """A row that was not accepted."""

    source: str
    """The file, or the name given to a stream or table."""
    row: int
    """Number of the line or row, from 1."""
    field: str | None
    """The column or key at fault, if it is one."""
    reason: str
    """Why, as a code."""
    message: str
    """Why, in words."""
    original: bytes
    """The row as it was read, perhaps cut."""
    original_len: int
    """Length of the row before it was cut, in bytes."""


class IngestReport(NamedTuple):
    """The counts of an ingest or an append: ``read == accepted + rejected + dropped + duplicate``, always."""

    read: int
    """Rows read."""
    accepted: int
    """Rows that are now in the store and were not before."""
    rejected: int
    """Rows in quarantine."""
    dropped: int
    """Rows left out because a contract says ``drop``."""
    duplicate: int
    """Rows whose event id the store already had, or had earlier in the same input."""
    rejected_by_reason: dict[str, int]
    """Rejected rows by reason code."""
    rejects: list[Reject]
    """The first rejects; all are in the quarantine."""
    columns_added: list[str]
    """Columns that this input added to the store."""
    bytes: int
    """Bytes read from the sources."""
    snapshot: int | None
    """Snapshot that holds the rows; ``None`` while they are staged, or when nothing was stored."""
    notes: list[str]
    """What a careful reader should know."""


class CompactReport(NamedTuple):
    """What a compaction did."""

    partitions: int
    """Partitions that were rewritten."""
    files_before: int
    """Files that were replaced."""
    files_after: int
    """Files that replace them."""
    bytes_before: int
    """Bytes of the replaced files."""
    bytes_after: int
    """Bytes of the new files."""


class ExpireReport(NamedTuple):
    """What an expiry did."""

    files: int
    """Files that were dropped."""
    events: int
    """Events in them."""
    rejects: int
    """Rejected rows that were dropped."""


class EraseReport(NamedTuple):
    """What an erasure did."""

    events: int
    """Events that were erased, counted in files of all snapshots."""
    files: int
    """Files that were rewritten or removed."""
    rejects: int
    """Rejected rows that mentioned the actor and were erased too."""


class Snapshot(NamedTuple):
    """A state of the store that can be read."""

    id: int
    """Its number, growing by one with each change."""
    time: datetime
    """When it was made."""


class StoreStats(NamedTuple):
    """Figures of a store, as of one moment."""

    events: int
    """Events, staged ones included."""
    staged_events: int
    """Events that are durable in the database and not yet in a file."""
    staged_bytes: int
    """Bytes of the staged batches (compressed)."""
    files: int
    """Parquet files of the newest snapshot."""
    bytes: int
    """Bytes of these files."""
    loose_files: int
    """Files of the newest snapshot that compaction has not sorted yet."""
    partitions: int
    """Calendar partitions that have files."""
    bytes_on_disk: int
    """Bytes of all files on disk, those that only old snapshots need included."""
    database_bytes: int
    """Bytes of the database and its log."""
    quarantined: int
    """Rejected rows kept."""
    snapshot: int
    """Number of the newest snapshot."""
    snapshots: int
    """Snapshots that can be read."""
    time_min: datetime | None
    """Smallest time of the events in files."""
    time_max: datetime | None
    """Largest time of the events in files."""
    files_read: int
    """Files that questions of this process have read."""
    bytes_read: int
    """Bytes that questions of this process have read from files."""
    id_index_bytes: int
    """Bytes of memory of the index of event ids; 0 before the first write."""


def _moment(us: int | None) -> datetime | None:
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def _micros(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no zone; give one, for example datetime.timezone.utc")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _ingest_report(text: str) -> IngestReport:
    fields: dict[str, Any] = json.loads(text)
    for reject in fields["rejects"]:
        reject["original"] = bytes(reject["original"])
    fields["rejects"] = [Reject(**reject) for reject in fields["rejects"]]
    return IngestReport(**fields)


def _source(source: Source, name: str | None) -> _aura.Source:
    if isinstance(source, (str, PathLike)):
        return _aura.Source.path(fspath(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _aura.Source.bytes(name or "bytes", bytes(source))
    if is_table(source):
        return _aura.Source.arrow(name or type(source).__name__, source)
    if are_rows(source):
        return _aura.Source.bytes(name or "rows", rows_json(source))
    if callable(getattr(source, "read", None)):
        return _aura.Source.reader(name or str(getattr(source, "name", "stream")), source)
    raise TypeError(
        f"a source of the type `{type(source).__name__}`: expected a path, bytes, an object with read(), a table, "
        "or a list of dicts"
    )


class Store:
    """The durable home of events: one directory. Made by :func:`aura.open` and :func:`aura.open_memory`.

    An object can be used from several threads at once. It closes when it is no longer used, with :meth:`close`, or at the end
    of a ``with`` statement.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _aura.Store) -> None:
        self._inner = inner

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the store; events that were taken from it stay usable. May be called more than once."""
        self._inner.close()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._inner.is_closed()

    @property
    def settings(self) -> StoreSettings:
        """The settings that the store was opened with."""
        settings: StoreSettings = json.loads(self._inner.settings())
        return settings

    def ingest(
        self,
        source: Source,
        *,
        actor: str | None = None,
        event: str | None = None,
        time: str | None = None,
        event_name: str | None = None,
        event_id: str | None = None,
        time_zone: str | None = None,
        time_unit: TimeUnit | None = None,
        format: Format | None = None,
        preset: Preset | None = None,
        contract: Contract | None = None,
        limits: Limits | None = None,
        name: str | None = None,
        progress: bool | Callable[[Progress], object] = False,
    ) -> IngestReport:
        """Reads a source into the store. All of it becomes visible in one commit at the end, or nothing does; rows that cannot
        be accepted go to the quarantine. A source sent twice counts once.

        ``source`` is a path or a glob, the content of a file as bytes, an object with ``read``, an Arrow table of any library,
        or a list of dicts. For the roles see :func:`aura.events`.

        :param format: the format, where it shall not be recognised by content
        :param preset: the producer's format, for events of Segment, CloudEvents, PostHog or Mixpanel
        :param contract: what every row is checked against
        :param limits: limits against bad input
        :param name: what the source is called in rejects and messages, where it is no file
        :param progress: a function that is called with :class:`~aura.Progress` now and then, on this thread; or ``True`` for a
            bar of ``tqdm``. What it raises cancels the ingest, and nothing of it is kept.

        Raises :class:`~aura.NotFoundError` when no file matches, :class:`~aura.InvalidSpecError` when a role has no column,
        :class:`~aura.InvalidDataError` when the source is in no known format or damaged,
        :class:`~aura.ResourceExhaustedError` on a full disk or beyond a limit.
        """
        roles = roles_of(actor, event, time, event_name, event_id, time_zone, time_unit)
        options = _options(roles, format, preset, limits)
        inner = contract._inner if contract else None
        text = self._inner.ingest(_source(source, name), options, inner, reporter(progress))
        return _ingest_report(text)

    async def ingest_async(
        self,
        source: Source,
        *,
        actor: str | None = None,
        event: str | None = None,
        time: str | None = None,
        event_name: str | None = None,
        event_id: str | None = None,
        time_zone: str | None = None,
        time_unit: TimeUnit | None = None,
        format: Format | None = None,
        preset: Preset | None = None,
        contract: Contract | None = None,
        limits: Limits | None = None,
        name: str | None = None,
        progress: bool | Callable[[Progress], object] = False,
    ) -> IngestReport:
        """Ingests as :meth:`ingest` does, without holding up the event loop. Cancelling the task cancels the ingest, and nothing
        of it is kept. ``progress`` is called on another thread."""
        roles = roles_of(actor, event, time, event_name, event_id, time_zone, time_unit)
        options = _options(roles, format, preset, limits)
        inner = contract._inner if contract else None
        taken = _source(source, name)
        call = self._inner.ingest
        return _ingest_report(await in_thread(lambda cancel: call(taken, options, inner, reporter(progress), cancel)))

    def ingest_git(
        self,
        path: str | PathLike[str],
        *,
        options: GitOptions | None = None,
        progress: bool | Callable[[Progress], object] = False,
    ) -> IngestReport:
        """Reads the history of a git repository as ``commit`` and ``merge`` events; see :meth:`ingest`."""
        source = _aura.Source.git(fspath(path), to_json(options or {}))
        return _ingest_report(self._inner.ingest(source, "{}", None, reporter(progress)))

    def append(
        self,
        rows: ArrowTable | ArrowBatch | Table | Sequence[Row],
        *,
        actor: str | None = None,
        event: str | None = None,
        time: str | None = None,
        event_name: str | None = None,
        event_id: str | None = None,
        time_zone: str | None = None,
        time_unit: TimeUnit | None = None,
        contract: Contract | None = None,
        limits: Limits | None = None,
    ) -> IngestReport:
        """Appends a table or a list of dicts as one batch, which is on the disk when this returns. The same batch, or a row with
        the same event id, counts once however often it is sent. For the roles see :func:`aura.events`.

        Raises :class:`~aura.InvalidSpecError` when a role has no column, :class:`~aura.InvalidDataError` for columns of unfit
        types, :class:`~aura.ResourceExhaustedError` on a full disk or beyond a limit. Nothing was stored then.
        """
        roles = roles_of(actor, event, time, event_name, event_id, time_zone, time_unit)
        inner = contract._inner if contract else None
        if isinstance(rows, Table):
            return _ingest_report(self._inner.append(rows._inner, _options(roles, None, None, limits), inner))
        if is_table(rows):
            return _ingest_report(self._inner.append(rows, _options(roles, None, None, limits), inner))
        # One thread keeps the order of the rows, by which those without an id are known.
        read = events(
            rows,
            actor=actor,
            event=event,
            time=time,
            event_name=event_name,
            event_id=event_id,
            time_zone=time_zone,
            time_unit=time_unit,
            threads=1,
        ).sql("SELECT * FROM events")
        return _ingest_report(self._inner.append(read._inner, _options({}, None, None, limits), inner))

    def events(self) -> Events:
        """The events as they are now; later writes do not change the result."""
        return Events(self._inner.events())

    async def events_async(self) -> Events:
        """Returns :meth:`events` without holding up the event loop."""
        return Events(await in_thread(self._inner.events))

    def snapshot(self, *, id: int | None = None, time: datetime | None = None) -> Events:
        """The events of a snapshot of the past: the one with a number, or the newest that is not younger than a moment. Staged
        events are in none until they are flushed.

        Raises :class:`~aura.NotFoundError` when there is no such snapshot any more.
        """
        if (id is None) == (time is None):
            raise TypeError("give either the number of the snapshot or a time")
        at = {"version": id} if time is None else {"time": _micros(time)}
        return Events(self._inner.snapshot(to_json(at)))

    def snapshots(self) -> list[Snapshot]:
        """The snapshots that can be read, oldest first."""
        found = json.loads(self._inner.snapshots())
        return [Snapshot(s["id"], _EPOCH + timedelta(microseconds=s["time_us"])) for s in found]

    def quarantine(self) -> Table:
        """The rejected rows, in the order in which they came: ``source``, ``row``, ``field``, ``reason``, ``message``,
        ``original``, ``original_len``, ``rejected_at``."""
        return Table(self._inner.quarantine())

    def stats(self) -> StoreStats:
        """Figures of the store."""
        fields = json.loads(self._inner.stats())
        fields["time_min"], fields["time_max"] = _moment(fields.pop("time_min_us")), _moment(fields.pop("time_max_us"))
        return StoreStats(**fields)

    def flush(self) -> int:
        """Writes staged batches as files, and returns the rows that moved. Nothing is lost without this."""
        return self._inner.flush()

    async def flush_async(self) -> int:
        """Flushes as :meth:`flush` does, without holding up the event loop."""
        return await in_thread(self._inner.flush)

    def compact(self) -> CompactReport:
        """Flushes, then rewrites every partition that has loose files as files sorted by actor and time. Rows stay the same."""
        return CompactReport(**json.loads(self._inner.compact()))

    async def compact_async(self) -> CompactReport:
        """Compacts as :meth:`compact` does, without holding up the event loop."""
        return CompactReport(**json.loads(await in_thread(self._inner.compact)))

    def expire(self, older_than: datetime) -> ExpireReport:
        """Drops the events of all partitions that lie wholly before a moment, and the rows that were rejected before it.

        Raises ``ValueError`` for a moment without zone.
        """
        return ExpireReport(**json.loads(self._inner.expire(_micros(older_than))))

    def expire_snapshots(self, older_than: datetime) -> int:
        """Forgets snapshots older than a moment (never the newest), deletes the files that only they needed, and returns how
        many went.

        Raises ``ValueError`` for a moment without zone.
        """
        return self._inner.expire_snapshots(_micros(older_than))

    def erase(self, actor: str) -> EraseReport:
        """Erases the events of an actor in all snapshots, and the rejected rows that mention the actor."""
        return EraseReport(**json.loads(self._inner.erase(actor)))

    async def erase_async(self, actor: str) -> EraseReport:
        """Erases as :meth:`erase` does, without holding up the event loop."""
        return EraseReport(**json.loads(await in_thread(lambda cancel: self._inner.erase(actor, cancel))))


def _options(
    roles: Mapping[str, Any], format: Format | None, preset: Preset | None, limits: Mapping[str, Any] | None
) -> str:
    return to_json(given({"roles": roles, "format": format, "preset": preset, "limits": limits}))


def open(path: str | PathLike[str], *, create: bool = True, settings: StoreSettings | None = None) -> Store:
    """Opens the store in a directory, and makes it if there is none (unless ``create`` is false).

    Raises :class:`~aura.ConflictError` when a newer AURA wrote it, :class:`~aura.InvalidDataError` when the directory holds
    something else or is damaged, :class:`~aura.NotFoundError` without ``create`` when there is none,
    :class:`~aura.InvalidSpecError` for settings out of range.
    """
    return Store(_aura.Store(fspath(path), create, to_json(settings or {})))


def open_memory(*, settings: StoreSettings | None = None) -> Store:
    """Makes a store in memory, which is gone when it is closed."""
    return Store(_aura.Store(None, True, to_json(settings or {})))
