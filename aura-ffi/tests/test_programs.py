"""Programs in C and C++: plain, under valgrind, with AddressSanitizer, from many threads, over and over."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import BUILD, ROOT, shop
from programs import build, run

# Any misuse of memory, and what nothing points to any more. What valgrind calls "possibly lost" is what lives until the end of
# the process (tables of names, threads for queries) and is pointed to from within, not at its beginning, as Rust does;
# AddressSanitizer, which follows such pointers, reports every leak.
VALGRIND = [
    "valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
    "--show-leak-kinds=definite,indirect", "--num-callers=30",
]  # fmt: skip
PROGRAMS = {"life": ["life.c", "events.c"], "raii": ["raii.cpp", "events.c"]}


@pytest.mark.parametrize("name", PROGRAMS)
def test_plain(name: str, tmp_path: Path) -> None:
    program = build(tmp_path / name, PROGRAMS[name])
    assert "everything passed" in run([str(program), str(tmp_path / "a.aura")])


def test_static(tmp_path: Path) -> None:
    program = build(tmp_path / "life", PROGRAMS["life"], static=True)
    assert "everything passed" in run([str(program), str(tmp_path / "a.aura")])
    assert "libaura" not in run(["ldd", str(program)])


@pytest.mark.parametrize("name", PROGRAMS)
def test_valgrind(name: str, tmp_path: Path) -> None:
    program = build(tmp_path / name, PROGRAMS[name])
    assert "everything passed" in run([*VALGRIND, str(program), str(tmp_path / "a.aura")])


def test_valgrind_finds_a_leak(tmp_path: Path) -> None:
    """A check that cannot fail is none."""
    source = '#include <aura.h>\nint main(void) { aura_cancel_new(); return 0; }\n'
    (tmp_path / "leak.c").write_text(source)
    program = tmp_path / "leak"
    flags = ["-I", str(BUILD / "include"), "-L", str(BUILD / "lib"), f"-Wl,-rpath,{BUILD / 'lib'}", "-laura"]
    run(["gcc", str(tmp_path / "leak.c"), *flags, "-o", str(program)])
    with pytest.raises(AssertionError, match="definitely lost"):
        run([*VALGRIND, str(program)])


@pytest.mark.parametrize("name", PROGRAMS)
def test_address_sanitizer(name: str, tmp_path: Path) -> None:
    """With the check for leaks, which sees what the library allocates as well."""
    program = build(tmp_path / name, PROGRAMS[name], ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"])
    options = "detect_leaks=1:detect_stack_use_after_return=1"
    assert "everything passed" in run([str(program), str(tmp_path / "a.aura")], ASAN_OPTIONS=options)


def test_threads(tmp_path: Path) -> None:
    program = build(tmp_path / "threads", ["threads.c", "events.c"])
    assert "everything passed" in run([str(program), "50"])


def test_10_000_cycles_grow_nothing(tmp_path: Path) -> None:
    program = build(tmp_path / "cycles", ["cycles.c", "events.c"])
    print(run([str(program), "10000", str(tmp_path / "a.aura")]))


def test_overhead_is_measured(tmp_path: Path) -> None:
    """The bar is that of a release (`make bench-ffi`); what is built for tests is not optimised."""
    program = build(tmp_path / "overhead", ["overhead.c", "events.c"], ["-O2"])
    print(run([str(program), "2000"]))


def test_examples(tmp_path: Path) -> None:
    shop(tmp_path / "events.ndjson")
    for name, compiler in {"funnel.c": ["gcc", "-std=c11"], "funnel.cpp": ["g++", "-std=c++17"]}.items():
        program = tmp_path / name.replace(".", "_")
        flags = ["-Wall", "-Wextra", "-Werror", "-I", str(BUILD / "include"), "-L", str(BUILD / "lib")]
        source = str(ROOT / "examples" / "c" / name)
        run([*compiler, source, *flags, f"-Wl,-rpath,{BUILD / 'lib'}", "-laura", "-o", str(program)])
        said = run(["sh", "-c", f"cd {tmp_path} && {program} events.ndjson"])
        assert "add_to_cart" in said
    assert "<h1>" in (tmp_path / "report.html").read_text()
