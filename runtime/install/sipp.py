"""SIPp, the simulated SIP ends of the demo and the tests: the machine's own, or Debian's in a folder of ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from runtime.install.archives import own_archive
from runtime.install.errors import InstallError
from runtime.install.machine import this_machine
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress

_NAME = "sipp"
_PROGRAM = "usr/bin/sipp"


def find_sipp(tools: Path) -> list[str] | None:
    """The command line of the SIPp that is there; None when `ensure_sipp` must fetch."""
    own = shutil.which("sipp")
    if own is not None and _version([own]):
        return [own]
    prefix = existing_prefix(tools, _NAME, this_machine())
    return None if prefix is None else list(prefix.command(_PROGRAM))


def sipp_command(tools: Path) -> list[str]:
    """The command line that starts SIPp, to be followed by its options; fetched first if need be.

    Raises:
        InstallError: it is not there and cannot be fetched.
    """
    return find_sipp(tools) or ensure_sipp(tools)


def ensure_sipp(tools: Path, progress: Progress | None = None) -> list[str]:
    """Bring SIPp into `<tools>/prefix/sipp` when the machine has none; returns its command line.

    Raises:
        InstallError: it cannot be fetched or does not run.
    """
    found = find_sipp(tools)
    if found is not None:
        return found
    recipe = Recipe(
        name=_NAME,
        title="SIP 模擬端末 SIPp / SIP caller",
        apt=own_archive,
        packages=lambda _: ("sip-tester",),
        space=300_000_000,
    )
    prefix = ensure_prefix(tools, recipe, this_machine(), progress or Progress(total=1), _runs)
    return list(prefix.command(_PROGRAM))


def _version(argv: Sequence[str]) -> str:
    """SIPp's version, empty when it does not start. It leaves `-v` with a status of its own (99)."""
    try:
        done = subprocess.run([*argv, "-v"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"SIPp v(\d[\w.]*)", done.stdout)
    return found[1] if found else ""


def _runs(prefix: Prefix) -> str:
    version = _version(prefix.command(_PROGRAM))
    if not version:
        raise InstallError(
            "取り寄せた SIPp が動きません。",
            english="The fetched SIPp does not run.",
            where=str(prefix.root),
            cure="フォルダが noexec でないか確かめてください / check that the folder is not mounted noexec",
        )
    return version
