"""Pango and the font subsetter, which lay out printed papers: the machine's own, or its suite's in a folder of ours.

They are libraries of this very process, so they must fit the host's libc: they come from the host's own suite, and what
the host has is used first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.install.archives import own_archive
from runtime.install.errors import InstallError
from runtime.install.machine import this_machine
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress

_NAME = "pango"
WANTED = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")

Load = Callable[[str], object]


def _load(name: str) -> object:
    return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)


def missing(load: Load = _load) -> tuple[str, ...]:
    """Which of the wanted libraries this process cannot load by name."""
    found = []
    for name in WANTED:
        try:
            load(name)
        except OSError:
            found.append(name)
    return tuple(found)


def find_pango(tools: Path) -> bool:
    """Whether all is there; False when `ensure_pango` must fetch."""
    return not missing() or existing_prefix(tools, _NAME, this_machine()) is not None


def ensure_pango(tools: Path, progress: Progress | None = None) -> None:
    """Bring the libraries when the machine lacks one of them, and load them into this process.

    Raises:
        InstallError: they cannot be fetched, or do not load.
    """
    if not missing():
        return
    prefix = existing_prefix(tools, _NAME, this_machine())
    if prefix is None:
        recipe = Recipe(
            name=_NAME,
            title="PDF の組版 Pango / PDF layout",
            apt=own_archive,
            packages=lambda _: _PACKAGES,
            space=200_000_000,
            without=("libc6",),
        )
        prefix = ensure_prefix(tools, recipe, this_machine(), progress or Progress(total=1), _loads)
    _loads(prefix)


def _loads(prefix: Prefix) -> str:
    libraries = [path for folder in prefix.library_folders for path in sorted(folder.glob("lib*.so.*"))]
    load_all(libraries)
    still = missing()
    if still:
        raise InstallError(
            "取り寄せた Pango が読み込めません。",
            english="The fetched Pango does not load.",
            where=f"{prefix.root}: {', '.join(still)}",
            cure="`apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0` を試してください"
            " / try to install these packages",
        )
    return prefix.packages.get(_PACKAGES[0], "")


def load_all(libraries: Sequence[Path], load: Load = _load) -> list[Path]:
    """Load what the host lacks, each after those it needs; returns the ones that would not load.

    A library finds its needs by name among those loaded already, so rounds are made until one changes nothing. What the
    host has under the same name is not loaded a second time.
    """
    left = [path for path in libraries if not path.is_symlink() or path.name in WANTED]
    wanted = [path for path in left if not _host_has(path, load)]
    while True:
        still = []
        for path in wanted:
            try:
                load(str(path))
            except OSError:
                still.append(path)
        if not still or len(still) == len(wanted):
            return still
        wanted = still


def _host_has(path: Path, load: Load) -> bool:
    """Whether the loader finds this library's name (`libx.so.1` of `libx.so.1.2.3`) without us."""
    stem, _, numbers = path.name.partition(".so.")
    try:
        load(f"{stem}.so.{numbers.partition('.')[0]}")
    except OSError:
        return False
    return True
