"""The vectors of the core in C, and in Python and Ruby by UniFFI."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
from aura_c import AuraError, Handle, Library
from conftest import BUILD, CRATE, ipc, read_ipc
from vectors import AREAS, CASES, CONFORMANCE, DATA, FOUND, Case, check

# As many as every language runs; a new vector changes it here too.
EXPECTED = {"metric": 99, "behavior": 97, "funnel": 86, "unreadable": 11, "functions": 196}


def test_all_vectors_are_found() -> None:
    assert FOUND == EXPECTED
    assert sorted(path.name for path in CONFORMANCE.iterdir()) == sorted([*AREAS, "detect"])


@pytest.fixture(scope="module")
def kept() -> dict[str, Handle]:
    """Events and registries that were made."""
    return {}


def ask_c(c: Library, kept: dict[str, Handle], case: Case) -> pa.Table | tuple[str, str]:
    try:
        if case.data not in kept:
            kept[case.data] = c.events(DATA[case.data], case.roles)
        events = kept[case.data]
        if case.kind == "metrics":
            registry = c.give("registry", "registry_parse", case.registry, None)
            answer = c.give("table", "metrics", events, registry, case.ask, None)
        else:
            answer = c.give("table", case.kind, events, case.ask, None)
        return c.table(answer)
    except AuraError as error:
        return error.code, str(error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c(case: Case, c: Library, kept: dict[str, Handle]) -> None:
    check(case, ask_c(c, kept, case))


def ask_uniffi(case: Case) -> pa.Table | tuple[str, str]:
    import aura_ffi

    try:
        events = aura_ffi.Events.from_ipc(ipc(DATA[case.data]), case.roles)
        if case.kind == "metrics":
            answer = events.metrics(aura_ffi.Registry.parse(case.registry or ""), case.ask)
        else:
            answer = getattr(events, case.kind)(case.ask)
        return read_ipc(answer.to_ipc())
    except aura_ffi.AuraError as error:
        return code(type(error).__name__), str(error.args[0] if error.args else error)


def code(name: str) -> str:
    """`InvalidSpec` as `INVALID_SPEC`."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).lstrip("_").upper()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_uniffi_python(case: Case) -> None:
    check(case, ask_uniffi(case))


def test_uniffi_ruby(tmp_path: Path) -> None:
    """Ruby reads and writes Arrow IPC bytes; what is in them is looked at here."""
    for name, table in DATA.items():
        (tmp_path / f"{name}.arrow").write_bytes(ipc(table))
    asked = [
        {"kind": case.kind, "data": case.data, "ask": case.ask, "registry": case.registry, "roles": case.roles}
        for case in CASES
    ]
    (tmp_path / "cases.json").write_text(json.dumps(asked))
    script = CRATE / "tests" / "ruby" / "conformance.rb"
    command = ["ruby", "-I", str(BUILD / "uniffi"), str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"{sum(EXPECTED.values())} vectors" in done.stdout
    for at, case in enumerate(CASES):
        failed = tmp_path / f"{at}.error.json"
        if failed.exists():
            error = json.loads(failed.read_text())
            check(case, (code(error["class"]), error["message"]))
        else:
            check(case, read_ipc((tmp_path / f"{at}.arrow").read_bytes()))
