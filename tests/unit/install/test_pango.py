"""Libraries are loaded each after those it needs, and what the host has is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.install.pango import WANTED, load_all, missing

pytestmark = pytest.mark.unit


class Loader:
    """A loader that knows what needs what; the host's libraries are found by name."""

    def __init__(self, host: set[str], needs: dict[str, set[str]]) -> None:
        self.there, self.needs = set(host), needs
        self.loaded: list[str] = []

    def __call__(self, name: str) -> None:
        if "/" not in name:
            if name not in self.there:
                raise OSError(name)
            return
        stem, _, numbers = Path(name).name.partition(".so.")
        short = f"{stem}.so.{numbers.partition('.')[0]}"
        if not self.needs.get(short, set()) <= self.there:
            raise OSError(f"{name} lacks something")
        self.there.add(short)
        self.loaded.append(short)


def files(folder: Path, *names: str) -> list[Path]:
    found = [folder / name for name in names]
    for path in found:
        path.touch()
    return found


def test_a_library_is_loaded_after_those_it_needs(tmp_path: Path) -> None:
    loader = Loader({"libglib-2.0.so.0"}, {"liba.so.1": {"libb.so.2"}, "libb.so.2": {"libc2.so.0"}})
    libraries = files(tmp_path, "liba.so.1.0", "libb.so.2.3.4", "libc2.so.0.1", "libglib-2.0.so.0.7400.6")
    assert load_all(libraries, loader) == []
    assert loader.loaded == ["libc2.so.0", "libb.so.2", "liba.so.1"]


def test_what_cannot_be_loaded_is_told_and_ends_the_rounds(tmp_path: Path) -> None:
    libraries = files(tmp_path, "liba.so.1.0", "libb.so.1.0")
    left = load_all(libraries, Loader(set(), {"liba.so.1": {"libnone.so.1"}}))
    assert [path.name for path in left] == ["liba.so.1.0"]


def test_the_wanted_libraries_are_asked_for_by_name() -> None:
    assert missing(Loader(set(WANTED), {})) == ()
    assert missing(Loader(set(WANTED[:2]), {})) == WANTED[2:]
