"""espeak-ng, the voice of English prompts: the machine's own, or Debian's in a folder of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.install.debian import own_archive
from runtime.install.errors import InstallError
from runtime.install.machine import this_machine
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress

_NAME = "espeak"
_PROGRAM = "usr/bin/espeak-ng"


def find_espeak(tools: Path) -> tuple[list[str], dict[str, str]] | None:
    """Command line and environment of the espeak-ng that is there; None when `ensure_espeak` must fetch."""
    own = shutil.which("espeak-ng")
    if own is not None:
        return [own], dict(os.environ)
    prefix = existing_prefix(tools, _NAME, this_machine())
    return None if prefix is None else _described(prefix)


def espeak_command(tools: Path) -> tuple[list[str], dict[str, str]]:
    """Command line (options follow) and whole environment for espeak-ng; fetched first if need be.

    Raises:
        InstallError: it is not there and cannot be fetched.
    """
    return find_espeak(tools) or ensure_espeak(tools)


def ensure_espeak(tools: Path, progress: Progress | None = None) -> tuple[list[str], dict[str, str]]:
    """Bring espeak-ng into `<tools>/prefix/espeak` when the machine has none.

    Raises:
        InstallError: it cannot be fetched or does not run.
    """
    found = find_espeak(tools)
    if found is not None:
        return found
    recipe = Recipe(
        name=_NAME,
        title="英語の声 espeak-ng / English voice",
        apt=own_archive,
        packages=lambda _: ("espeak-ng",),
        space=300_000_000,
    )
    return _described(ensure_prefix(tools, recipe, this_machine(), progress or Progress(total=1), _runs))


def _described(prefix: Prefix) -> tuple[list[str], dict[str, str]]:
    data = next(iter(prefix.root.glob(f"usr/lib/{prefix.machine.triplet}/espeak-ng-data")), None)
    folder = data or prefix.root / "usr/share/espeak-ng-data"
    return list(prefix.command(_PROGRAM)), {**os.environ, "ESPEAK_DATA_PATH": str(folder)}


def _complaint(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Why it does not speak; empty when it does."""
    try:
        done = subprocess.run(
            [*argv, "--stdout", "one"], env=dict(env), capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0 and done.stdout.startswith(b"RIFF"):
        return ""
    return done.stderr.decode(errors="replace").strip() or f"status {done.returncode}"


def _runs(prefix: Prefix) -> str:
    argv, env = _described(prefix)
    if complaint := _complaint(argv, env):
        raise InstallError(
            "取り寄せた espeak-ng が動きません。",
            english="The fetched espeak-ng does not run.",
            where=f"{prefix.root}: {complaint}",
            cure="フォルダが noexec でないか確かめてください / check that the folder is not mounted noexec",
        )
    return prefix.packages["espeak-ng"]
