"""Installation as a new user does it: from a folder of one's own, with what is installed and nothing of the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD, ROOT, shop
from programs import run

PAGES = {"README.md": {"c": 1}, "docs/c.md": {"c": 1, "cpp": 1}, "docs/uniffi.md": {"python": 1, "ruby": 1}}


def examples(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), flags=re.S | re.M)


@pytest.mark.parametrize("page", PAGES)
def test_counts(page: str) -> None:
    assert {language: len(examples(page, language)) for language in PAGES[page]} == PAGES[page]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh folder with the installed library moved elsewhere, and a file of events."""
    shutil.copytree(BUILD / "include", tmp_path / "prefix" / "include")
    (tmp_path / "prefix" / "lib").mkdir()
    for name in ["pkgconfig", "cmake"]:
        shutil.copytree(BUILD / "lib" / name, tmp_path / "prefix" / "lib" / name)
    for path in BUILD.glob("lib/libaura*"):
        # Large files are linked; links stay links.
        if path.is_symlink():
            (tmp_path / "prefix" / "lib" / path.name).symlink_to(path.readlink())
        else:
            (tmp_path / "prefix" / "lib" / path.name).hardlink_to(path)
    (tmp_path / "work").mkdir()
    shop(tmp_path / "work" / "events.ndjson")
    return tmp_path


@pytest.mark.parametrize(
    ("page", "language"), [(page, language) for page in PAGES for language in PAGES[page] if language in ("c", "cpp")]
)
def test_pkg_config(page: str, language: str, folder: Path) -> None:
    work, prefix = folder / "work", folder / "prefix"
    source = work / f"main.{language}"
    source.write_text(examples(page, language)[0])
    compiler = "gcc" if language == "c" else "g++ -std=c++17"
    command = f"cd {work} && {compiler} -Wall -Wextra -Werror {source.name} $(pkg-config --cflags --libs aura) -o main && ./main"
    said = run(["sh", "-c", command], PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"), LD_LIBRARY_PATH=str(prefix / "lib"))
    assert "add_to_cart" in said
    version = run(["pkg-config", "--modversion", "aura"], PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"))
    assert version.strip() == re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def test_pkg_config_static(folder: Path) -> None:
    work, prefix = folder / "work", folder / "prefix"
    (work / "main.c").write_text(examples("README.md", "c")[0])
    for shared in prefix.glob("lib/libaura.so*"):
        shared.unlink()
    command = f"cd {work} && gcc main.c $(pkg-config --static --cflags --libs aura) -o main && ./main"
    assert "add_to_cart" in run(["sh", "-c", command], PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"))


def test_cmake(folder: Path) -> None:
    cmake = Path(sys.executable).with_name("cmake")
    shutil.copytree(ROOT / "examples" / "c", folder / "work" / "c")
    source, build = folder / "work" / "c", folder / "work" / "build"
    run([str(cmake), "-S", str(source), "-B", str(build), f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}"])
    run([str(cmake), "--build", str(build)])
    for name in ["funnel_c", "funnel_cpp"]:
        said = run(["sh", "-c", f"cd {folder / 'work'} && {build / name} events.ndjson"])
        assert "add_to_cart" in said
    wrong = source / "CMakeLists.txt"
    wrong.write_text(wrong.read_text().replace("Aura 0.1", "Aura 99.0"))
    command = [str(cmake), "-S", str(source), "-B", str(folder / "other"), f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}"]
    assert subprocess.run(command, capture_output=True).returncode != 0


def test_uniffi_python(folder: Path) -> None:
    (folder / "work" / "main.py").write_text(examples("docs/uniffi.md", "python")[0])
    for path in [BUILD / "uniffi" / "aura_ffi.py"]:
        shutil.copy(path, folder / "work")
    (folder / "work" / "libaura.so").symlink_to(folder / "prefix" / "lib" / "libaura.so")
    # Another Python, without the packages of the tests.
    assert "add_to_cart" in run(["sh", "-c", f"cd {folder / 'work'} && {sys.base_exec_prefix}/bin/python3 -S main.py"])


def test_uniffi_ruby(folder: Path) -> None:
    (folder / "work" / "main.rb").write_text(examples("docs/uniffi.md", "ruby")[0])
    shutil.copy(BUILD / "uniffi" / "aura_ffi.rb", folder / "work")
    command = f"cd {folder / 'work'} && ruby -I . main.rb"
    assert "add_to_cart" in run(["sh", "-c", command], LD_LIBRARY_PATH=str(folder / "prefix" / "lib"))
