"""The C interface through ctypes: what a program in C does, with as little of its own as possible."""

from __future__ import annotations

import ctypes
import json
from ctypes import POINTER, byref, c_bool, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import pyarrow as pa

TYPES = {
    "text": c_char_p,
    "handle": c_void_p,
    "out": c_void_p,
    "struct": c_void_p,
    "bytes": c_char_p,
    "size": c_size_t,
    "bool": c_bool,
    "i64": c_int64,
    "u64": c_uint64,
    "u32": c_uint32,
}
# The arguments of each function that can fail, without the last one, which is the place for the error.
FALLIBLE = {
    "aura_check_abi": "u32",
    "aura_schemas": "out",
    "aura_events_from_files": "text text text handle out",
    "aura_events_from_bytes": "text bytes size text text handle out",
    "aura_events_from_ipc": "bytes size text text out",
    "aura_events_from_stream": "struct text text out",
    "aura_events_from_array": "struct struct text text out",
    "aura_events_schema": "handle struct",
    "aura_sql": "handle text handle out",
    "aura_run": "handle text handle out",
    "aura_run_all": "handle text handle out size",
    "aura_metrics": "handle handle text handle out",
    "aura_explain_metrics": "handle handle text handle out",
    "aura_insights": "handle handle text handle out",
    "aura_report": "handle handle text handle out",
    "aura_table_schema": "handle struct",
    "aura_table_stream": "handle struct",
    "aura_table_notes": "handle out",
    "aura_table_ipc": "handle out",
    "aura_table_export": "handle text out",
    "aura_table_csv": "handle text out",
    "aura_table_text": "handle u64 out",
    "aura_registry_parse": "text text out",
    "aura_registry_load": "text text out",
    "aura_registry_builtin": "text out",
    "aura_registry_extend": "handle text text out",
    "aura_registry_merge": "handle handle out",
    "aura_registry_names": "handle out",
    "aura_registry_yaml": "handle out",
    "aura_registry_json": "handle out",
    "aura_registry_reference": "handle text out",
    "aura_registry_compare": "handle handle out",
    "aura_registry_sql": "handle text text text out",
    "aura_contract_parse": "text out",
    "aura_contract_load": "text out",
    "aura_contract_infer": "text handle out",
    "aura_contract_name": "handle out",
    "aura_contract_yaml": "handle out",
    "aura_contract_json": "handle out",
    "aura_contract_compare": "handle handle out",
    "aura_report_html": "text text out",
    "aura_report_markdown": "text text out",
    "aura_chart_svg": "text text out",
    "aura_chart_vega_lite": "text text out",
    "aura_rules_json": "text out",
    "aura_source_path": "text out",
    "aura_source_bytes": "text bytes size out",
    "aura_source_stream": "text struct out",
    "aura_source_git": "text text out",
    "aura_source_reader": "text handle handle handle out",
    "aura_store_open": "text bool text out",
    "aura_store_open_memory": "text out",
    "aura_store_ingest": "handle handle text handle handle handle handle out",
    "aura_store_append": "handle struct text handle handle out",
    "aura_store_events": "handle handle out",
    "aura_store_snapshot": "handle text handle out",
    "aura_store_quarantine": "handle handle out",
    "aura_store_settings": "handle out",
    "aura_store_snapshots": "handle handle out",
    "aura_store_stats": "handle handle out",
    "aura_store_flush": "handle handle out",
    "aura_store_compact": "handle handle out",
    "aura_store_expire": "handle i64 handle out",
    "aura_store_expire_snapshots": "handle i64 handle out",
    "aura_store_erase": "handle text handle out",
}
# Result and arguments of the others.
PLAIN = {
    "aura_version": (c_char_p, ""),
    "aura_abi_version": (c_uint32, ""),
    "aura_error_status": (c_int32, "handle"),
    "aura_error_code": (c_char_p, "handle"),
    "aura_error_message": (c_char_p, "handle"),
    "aura_error_cause_count": (c_size_t, "handle"),
    "aura_error_cause": (c_char_p, "handle size"),
    "aura_bytes_data": (c_void_p, "handle"),
    "aura_bytes_length": (c_size_t, "handle"),
    "aura_cancel_new": (c_void_p, ""),
    "aura_cancel_now": (None, "handle"),
    "aura_cancel_is_cancelled": (c_bool, "handle"),
    "aura_table_row_count": (c_uint64, "handle"),
    "aura_table_column_count": (c_size_t, "handle"),
    "aura_registry_version": (c_uint32, "handle"),
    "aura_contract_version": (c_uint32, "handle"),
    "aura_store_close": (None, "handle"),
    "aura_store_is_closed": (c_bool, "handle"),
    **{
        f"aura_{kind}_free": (None, "handle")
        for kind in ["error", "bytes", "cancel", "events", "table", "registry", "contract", "source", "store"]
    },
}


class ScanStats(ctypes.Structure):
    """`AuraScanStats`."""

    _fields_ = [("files_total", c_uint64), ("files_read", c_uint64), ("bytes_read", c_uint64)]


class IngestState(ctypes.Structure):
    """`AuraIngestState`."""

    _fields_ = [("bytes_read", c_uint64), ("bytes_total", c_uint64), ("rows_read", c_uint64), ("rejected", c_uint64)]


PROGRESS = ctypes.CFUNCTYPE(c_int32, c_void_p, POINTER(IngestState))
READ = ctypes.CFUNCTYPE(c_int64, c_void_p, c_void_p, c_size_t)
DONE = ctypes.CFUNCTYPE(None, c_void_p)


class AuraError(Exception):
    """An error of the library."""

    def __init__(self, status: int, code: str, message: str, causes: list[str]) -> None:
        super().__init__(message)
        self.status, self.code, self.causes = status, code, causes


class ArrowStream(ctypes.Structure):
    """Room for an `ArrowArrayStream`, which pyarrow fills or reads."""

    _fields_ = [("pointers", c_void_p * 5)]


class ArrowSchema(ctypes.Structure):
    """Room for an `ArrowSchema`."""

    _fields_ = [("words", c_void_p * 9)]


class ArrowArray(ctypes.Structure):
    """Room for an `ArrowArray`."""

    _fields_ = [("words", c_void_p * 10)]


class Library:
    """The loaded library; a method for each function, by its name without `aura_`."""

    def __init__(self, path: Path) -> None:
        self.c = ctypes.CDLL(str(path))
        for name, arguments in FALLIBLE.items():
            function = getattr(self.c, name)
            function.restype = c_int32
            function.argtypes = [*(TYPES[kind] for kind in arguments.split()), c_void_p]
        for name, (result, arguments) in PLAIN.items():
            function = getattr(self.c, name)
            function.restype = result
            function.argtypes = [TYPES[kind] for kind in arguments.split()]
        self.c.aura_table_scan.restype = ScanStats
        self.c.aura_table_scan.argtypes = [c_void_p]

    def call(self, name: str, *arguments: Any) -> None:
        """Calls a function that can fail."""
        error = c_void_p(1)
        given = [a.encode() if isinstance(a, str) else a for a in arguments]
        status = getattr(self.c, f"aura_{name}")(*given, byref(error))
        if status == 0:
            assert error.value is None
            return
        assert error.value
        c = self.c
        causes = [c.aura_error_cause(error, at).decode() for at in range(c.aura_error_cause_count(error))]
        assert c.aura_error_cause(error, len(causes)) is None
        assert c.aura_error_status(error) == status
        code, message = c.aura_error_code(error).decode(), c.aura_error_message(error).decode()
        c.aura_error_free(error)
        raise AuraError(status, code, message, causes)

    def give(self, kind: str, name: str, *arguments: Any, after: tuple[Any, ...] = ()) -> "Handle":
        """Calls a function that gives a handle."""
        out = c_void_p(1)
        try:
            self.call(name, *arguments, byref(out), *after)
        except AuraError:
            assert out.value is None, "a call that failed leaves NULL"
            raise
        assert out.value
        return Handle(self, kind, out.value)

    def bytes(self, name: str, *arguments: Any) -> bytes:
        """Calls a function that gives a text or bytes."""
        with self.give("bytes", name, *arguments) as handle:
            length = self.c.aura_bytes_length(handle)
            found = ctypes.string_at(self.c.aura_bytes_data(handle), length + 1)
            assert found[-1] == 0
            return found[:-1]

    def json(self, name: str, *arguments: Any) -> Any:
        """Calls a function that gives JSON."""
        return json.loads(self.bytes(name, *arguments))

    def count(self, name: str, *arguments: Any) -> int:
        """Calls a function that gives a number."""
        number = c_uint64()
        self.call(name, *arguments, byref(number))
        return number.value

    def events(self, data: Any, roles: str | None = None, engine: str | None = None) -> "Handle":
        """Events of a table of pyarrow."""
        stream = export(data)
        return self.give("events", "events_from_stream", byref(stream), roles, engine)

    def table(self, table: "Handle") -> pa.Table:
        """A result as a table of pyarrow."""
        stream = ArrowStream()
        self.call("table_stream", table, byref(stream))
        with pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)) as reader:
            return reader.read_all()

    def sql(self, events: "Handle", query: str) -> pa.Table:
        """The answer to a query."""
        with self.give("table", "sql", events, query, None) as table:
            return self.table(table)

    def run(self, events: "Handle", spec: Any) -> pa.Table:
        """The answer of an analysis."""
        with self.give("table", "run", events, spec if isinstance(spec, str) else json.dumps(spec), None) as table:
            return self.table(table)


def export(data: Any) -> ArrowStream:
    """A stream of a table, a batch, or a reader."""
    stream = ArrowStream()
    reader = data if isinstance(data, pa.RecordBatchReader) else data.to_reader() if isinstance(data, pa.Table) else None
    if reader is None:
        reader = pa.RecordBatchReader.from_batches(data.schema, [data])
    reader._export_to_c(ctypes.addressof(stream))
    return stream


class Handle:
    """A handle, freed once."""

    def __init__(self, library: Library, kind: str, pointer: int) -> None:
        self.library, self.kind, self.pointer = library, kind, pointer

    @property
    def _as_parameter_(self) -> c_void_p:
        return c_void_p(self.pointer)

    def free(self) -> None:
        """Frees it now."""
        if self.pointer:
            getattr(self.library.c, f"aura_{self.kind}_free")(c_void_p(self.pointer))
            self.pointer = 0

    __del__ = free

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *_: object) -> None:
        self.free()
