"""The types, and that they are those of the core."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import aura

HERE = Path(__file__).parent
PROJECT = HERE.parent


def run(*command: str) -> None:
    # The checkers see the sources, not what is installed.
    env = {**os.environ, "MYPYPATH": str(PROJECT / "python")}
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_strict() -> None:
    run(sys.executable, "-m", "mypy", "--python-executable", sys.executable)


def test_pyright_strict() -> None:
    run(sys.executable, "-m", "pyright", "-p", ".", "--pythonpath", sys.executable)


def test_the_example_runs(rows: list[dict[str, object]]) -> None:
    from typing_example import use

    assert use(rows)


def test_written_files_are_fresh() -> None:
    run(sys.executable, "generate.py", str(aura._aura.__file__), "--check")


def test_the_stub_is_whole() -> None:
    """Every name of the compiled module, and every method of its classes, is in its stub, and the other way round."""
    import ast

    stub = ast.parse((PROJECT / "python" / "aura" / "_aura.pyi").read_text())
    functions = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    values = {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    public = {name for name in vars(aura._aura) if not name.startswith("__")}
    assert public == functions | set(classes) | values
    for name, node in classes.items():
        stated = {item.name for item in node.body if isinstance(item, ast.FunctionDef)} - {"__init__"}
        assert {method for method in vars(getattr(aura._aura, name)) if not method.startswith("__")} == stated


def test_every_name_is_documented() -> None:
    for name in aura.__all__:
        value = getattr(aura, name)
        if isinstance(value, type) or callable(value):
            assert value.__doc__, name
