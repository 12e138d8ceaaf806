"""The header: that it is fresh, says what it must, and is C and C++."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from aura_c import FALLIBLE, PLAIN
from conftest import BUILD, CRATE

HEADER = CRATE / "include" / "aura.h"
# Every function with the comment before it.
FUNCTION = re.compile(r"/\*\*\n((?: \*[^\n]*\n)+?) \*/\n[^\n;{}/]*?\b(aura_\w+)\(", re.S)


def functions() -> dict[str, str]:
    return {name: comment for comment, name in FUNCTION.findall(HEADER.read_text())}


def test_it_is_fresh() -> None:
    """`make ffi` wrote it anew from the sources; `make ffi-header` commits a change."""
    assert (BUILD / "aura.h").read_text() == HEADER.read_text()


def test_ownership_is_written_on_every_function() -> None:
    documented = functions()
    declared = set(re.findall(r"\b(aura_\w+)\(", re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)))
    assert declared == set(documented)
    assert [name for name, comment in documented.items() if "Ownership:" not in comment] == []


def test_every_function_is_tested_and_exported() -> None:
    known = {*FALLIBLE, *PLAIN, "aura_table_scan"}
    assert set(functions()) == known
    symbols = subprocess.check_output(["nm", "-D", "--defined-only", str(BUILD / "lib" / "libaura.so")], text=True)
    exported = set(re.findall(r" T (aura_\w+)", symbols))
    assert exported == known | {"aura_test_panic"}


def test_numbers_never_change() -> None:
    expected = [
        "OK", "INVALID_SPEC", "INVALID_DATA", "NOT_FOUND", "CONFLICT", "DENIED", "UNAVAILABLE", "RESOURCE_EXHAUSTED",
        "CANCELLED", "INTERNAL",
    ]  # fmt: skip
    found = re.findall(r"AURA_STATUS_(\w+) = (\d+)", HEADER.read_text())
    assert found == [(name, str(number)) for number, name in enumerate(expected)]


@pytest.mark.parametrize("command", [["gcc", "-std=c99"], ["gcc", "-std=c11"], ["g++", "-std=c++17"], ["g++", "-std=c++20"]], ids=" ".join)
def test_it_is_c_and_cpp(command: list[str], tmp_path: Path) -> None:
    """It is read twice, and after another library's copy of Arrow's structs."""
    cpp = command[0] == "g++"
    source = tmp_path / ("all.cpp" if cpp else "all.c")
    more = "#include <aura.hpp>\n" if cpp else ""
    source.write_text(f"#include <aura.h>\n#include <aura.h>\n{more}int unused(void);\nint unused(void) {{ return AURA_ABI_VERSION - 1; }}\n")
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(HEADER.parent), "-c", str(source), "-o", str(tmp_path / "o")]
    subprocess.run([*command, *flags], check=True)
