"""Compiling and running programs against the installed library."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from conftest import BUILD, CRATE

C = CRATE / "tests" / "c"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def build(out: Path, sources: list[str], flags: list[str] | None = None, static: bool = False) -> Path:
    """Compiles a program of `tests/c`."""
    cpp = any(source.endswith(".cpp") for source in sources)
    objects = []
    for source in sources:
        compiler = ["g++", "-std=c++17"] if source.endswith(".cpp") else ["gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L"]
        objects.append(str(out.with_name(f"{out.name}-{source}.o")))
        command = [*compiler, *WARNINGS, "-g", *(flags or []), "-I", str(BUILD / "include"), "-c", str(C / source)]
        subprocess.run([*command, "-o", objects[-1]], check=True)
    if static:
        libraries = [str(BUILD / "lib" / "libaura.a"), "-lpthread", "-ldl", "-lm"]
    else:
        libraries = ["-L", str(BUILD / "lib"), f"-Wl,-rpath,{BUILD / 'lib'}", "-laura", "-lpthread"]
    subprocess.run(["g++" if cpp else "gcc", *objects, *(flags or []), *libraries, "-o", str(out)], check=True)
    return out


def run(command: list[str], timeout: float = 900, **environment: str) -> str:
    """Runs a program, and returns what it printed."""
    env = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return done.stdout + done.stderr
