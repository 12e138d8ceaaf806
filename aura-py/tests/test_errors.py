"""Exceptions: one class for each kind of error."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

import aura

CODES = {
    aura.InvalidSpecError: "INVALID_SPEC",
    aura.InvalidDataError: "INVALID_DATA",
    aura.NotFoundError: "NOT_FOUND",
    aura.ConflictError: "CONFLICT",
    aura.DeniedError: "DENIED",
    aura.UnavailableError: "UNAVAILABLE",
    aura.ResourceExhaustedError: "RESOURCE_EXHAUSTED",
    aura.CancelledError: "CANCELLED",
    aura.InternalError: "INTERNAL",
}


def test_a_class_for_each_kind(root: object) -> None:
    with open(f"{root}/aura-core/src/error.rs") as file:
        text = file.read()
    assert len(CODES) == int(text.split("pub const ALL: [ErrorKind; ")[1].split("]")[0])
    for kind, code in CODES.items():
        assert kind.code == code
        assert f'"{code}"' in text
        assert issubclass(kind, aura.AuraError)
        assert kind.__doc__
        again = pickle.loads(pickle.dumps(kind("why")))
        assert (type(again), str(again)) == (kind, "why")
    assert aura.AuraError.__subclasses__() == list(CODES)


def test_kinds_that_arise(events: aura.Events, tmp_path: object) -> None:
    with pytest.raises(aura.InvalidSpecError, match="nosuch"):
        events.sql("SELECT nosuch FROM events")
    with pytest.raises(aura.InvalidSpecError, match="unknown field `stepz`") as raised:
        events.run({"funnel": {"stepz": []}})
    assert "line" not in str(raised.value)
    with pytest.raises(aura.InvalidSpecError, match="line 1 column"):
        events.run("{")
    with pytest.raises(aura.NotFoundError):
        aura.open(f"{tmp_path}/none.aura", create=False)
    with pytest.raises(aura.InvalidDataError):
        aura.events(b"\x00\x01")
    names = [str(i) for i in range(20_000)]
    table = pa.table({"actor": names, "event": names, "time": range(20_000)})
    small = aura.events(table, memory_limit=100_000)
    with pytest.raises(aura.ResourceExhaustedError):
        small.sql("SELECT array_agg(actor ORDER BY time) AS a FROM events GROUP BY length(event)")
    store = aura.open(f"{tmp_path}/a.aura")
    store.close()
    store.close()
    assert store.closed
    with pytest.raises(aura.ConflictError, match="closed"):
        store.stats()


def test_causes(tmp_path: object) -> None:
    with pytest.raises(aura.AuraError) as raised:
        aura.Registry.load(f"{tmp_path}/none.yaml")
    assert raised.value.causes and "os error 2" in raised.value.causes[0]
