"""The machine under us: its architecture, free space, and locks between parallel starts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.install.errors import InstallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Debian's names for a processor architecture."""

    arch: str
    """Debian architecture, as in `binary-amd64`."""
    triplet: str
    """Multiarch folder under `/usr/lib`."""
    loader: str
    """File name of the dynamic loader."""


MACHINES = {
    "x86_64": Machine(arch="amd64", triplet="x86_64-linux-gnu", loader="ld-linux-x86-64.so.2"),
    "aarch64": Machine(arch="arm64", triplet="aarch64-linux-gnu", loader="ld-linux-aarch64.so.1"),
}
_ALIASES = {"amd64": "x86_64", "arm64": "aarch64"}


def machine_named(system: str, processor: str) -> Machine:
    """The machine of `platform.system()` and `platform.machine()`.

    Raises:
        InstallError: neither 64-bit Intel/AMD nor 64-bit ARM, or not Linux.
    """
    name = processor.lower()
    found = MACHINES.get(_ALIASES.get(name, name))
    if system != "Linux" or found is None:
        raise InstallError(
            f"この計算機（{system} {processor}）では動きません。",
            english=f"Toritsugi does not run on this machine ({system} {processor}).",
            cure="x86_64 か arm64 の 64 ビット Linux を使ってください / use 64-bit Linux on x86_64 or arm64",
        )
    return found


def this_machine() -> Machine:
    """The machine that we run on. Raises `InstallError` as `machine_named` does."""
    return machine_named(platform.system(), platform.machine())


def make_folder(path: Path) -> Path:
    """`path` as an existing folder that we may write.

    Raises:
        InstallError: it cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise _unwritable(path)
    return path


def _unwritable(path: Path) -> InstallError:
    return InstallError(
        "このフォルダに書き込めません。",
        english="This folder cannot be written.",
        where=str(path),
        cure="書き込めるフォルダを TORITSUGI_TOOLS で指定するか、フォルダの所有者を直してください"
        " / set TORITSUGI_TOOLS to a folder you own, or change its owner",
    )


def require_space(path: Path, needed: int) -> None:
    """Check that `needed` bytes are free where `path` lies or will lie.

    Raises:
        InstallError: there is less.
    """
    there = path
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise InstallError(
            f"ディスクの空きが足りません（必要 {needed / 1e9:.1f} GB、空き {free / 1e9:.1f} GB）。",
            english=f"Not enough disk space: {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free.",
            where=str(there),
            cure="空きを作るか、TORITSUGI_TOOLS で別のディスクを指定してください"
            " / free some space, or set TORITSUGI_TOOLS to another disk",
        )


@contextlib.contextmanager
def only_one(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever holds it; `on_wait` is called once if we must wait.

    The kernel drops the lock when its holder dies, so a killed install never blocks the next one.
    """
    make_folder(path.parent)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
