"""AURA: embeddable analytics. Events in, answers out, in process.

>>> import aura
>>> ev = aura.events("events.parquet", actor="user_id", event="event", time="time")
>>> ev.funnel(["product_view", "add_to_cart", "purchase"], within="7d", by="plan")
>>> ev.insights()
>>> ev.report("report.html")
>>> db = aura.open("my.aura")
>>> db.ingest("events.ndjson")
>>> db.events().retention(period="week")

Every question is a spec, every result an Arrow table with notes. Calls release the GIL, answer Ctrl-C, and have twins with
``_async`` for event loops. Errors are :class:`AuraError`, one class for each kind.
"""

from ._aura import VERSION as __version__
from ._errors import (
    AuraError,
    CancelledError,
    ConflictError,
    DeniedError,
    InternalError,
    InvalidDataError,
    InvalidSpecError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from ._events import AnySpec, Events, Row, events
from ._insights import Findings, Rules
from ._progress import Progress
from ._registry import Change, Contract, Registry
from ._report import Chart, Report
from ._spec import ArrowBatch, ArrowTable, Length, Moment, Spec
from ._specs import Funnel, Insights, Lifecycle, MetricQuery, Retention, Sequence, Sessions, Stickiness
from ._store import (
    CompactReport,
    EraseReport,
    ExpireReport,
    IngestReport,
    Reject,
    Snapshot,
    Store,
    StoreStats,
    open,
    open_memory,
)
from ._table import Scan, Table

__all__ = [
    "AnySpec",
    "ArrowBatch",
    "ArrowTable",
    "AuraError",
    "CancelledError",
    "Change",
    "Chart",
    "CompactReport",
    "ConflictError",
    "Contract",
    "DeniedError",
    "EraseReport",
    "Events",
    "ExpireReport",
    "Findings",
    "Funnel",
    "IngestReport",
    "Insights",
    "InternalError",
    "InvalidDataError",
    "InvalidSpecError",
    "Length",
    "Lifecycle",
    "MetricQuery",
    "Moment",
    "NotFoundError",
    "Progress",
    "Registry",
    "Reject",
    "Report",
    "ResourceExhaustedError",
    "Retention",
    "Row",
    "Rules",
    "Scan",
    "Sequence",
    "Sessions",
    "Snapshot",
    "Spec",
    "Stickiness",
    "Store",
    "StoreStats",
    "Table",
    "UnavailableError",
    "__version__",
    "events",
    "open",
    "open_memory",
]
