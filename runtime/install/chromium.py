"""Chromium without windows, for the browser tests: the machine's own, or Debian's in a folder of ours.

It starts further processes of its own by path, so it is run through a script that names its libraries.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from runtime.install.archives import own_archive
from runtime.install.debian import PrivateApt
from runtime.install.errors import InstallError
from runtime.install.machine import this_machine
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress

_NAME = "chromium"
_SCRIPT = "bin/chromium"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium(tools: Path) -> Path | None:
    """The browser that is there; None when `ensure_chromium` must fetch."""
    for program in _PROGRAMS:
        own = shutil.which(program)
        if own is not None and _version(Path(own)):
            return Path(own)
    prefix = existing_prefix(tools, _NAME, this_machine())
    return None if prefix is None else prefix.root / _SCRIPT


def ensure_chromium(tools: Path, progress: Progress | None = None) -> Path:
    """The browser's program, fetched into `<tools>/prefix/chromium` when the machine has none.

    Raises:
        InstallError: it cannot be fetched or does not run.
    """
    found = find_chromium(tools)
    if found is not None:
        return found
    recipe = Recipe(
        name=_NAME,
        title="試験用ブラウザー Chromium / browser for tests",
        apt=own_archive,
        packages=_chosen,
        space=1_500_000_000,
        # The host's loader starts these programs, and libc must be of one piece with the loader.
        without=("libc6",),
    )
    prefix = ensure_prefix(tools, recipe, this_machine(), progress or Progress(total=1), _runs)
    return prefix.root / _SCRIPT


def _chosen(apt: PrivateApt) -> Sequence[str]:
    for name in ("chromium-headless-shell", "chromium"):
        if apt.versions(name):
            return (name,)
    raise InstallError(
        "配布元に Chromium がありません。",
        english="The archive carries no Chromium.",
        where="chromium",
        cure="Chromium を自分で入れてください / install Chromium yourself",
    )


def _version(program: Path) -> str:
    try:
        done = subprocess.run(
            [program, "--version", "--no-sandbox"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"(?:Chromium|Chrome|Headless\S*) (\d[\d.]*)", done.stdout + done.stderr)
    return found[1] if found else ""


def _runs(prefix: Prefix) -> str:
    """Write the script, then ask the browser for its version."""
    real = next(
        (
            path
            for name in ("chromium-headless-shell", "chromium")
            for path in prefix.root.glob(f"usr/lib/*/{name}")
        ),
        None,
    )
    if real is not None:
        script = prefix.root / _SCRIPT
        script.parent.mkdir(exist_ok=True)
        folders = ":".join(f"$here/{path.relative_to(prefix.root)}" for path in prefix.library_folders)
        script.write_text(
            "#!/bin/sh\n"
            'here=$(dirname "$(dirname "$(readlink -f "$0")")")\n'
            f'LD_LIBRARY_PATH="{folders}" exec "$here/{real.relative_to(prefix.root)}" "$@"\n',
            encoding="utf-8",
        )
        script.chmod(0o755)
        version = _version(script)
        if version:
            return version
    raise InstallError(
        "取り寄せた Chromium が動きません。",
        english="The fetched Chromium does not run.",
        where=str(prefix.root),
        cure="フォルダが noexec でないか確かめてください / check that the folder is not mounted noexec",
    )
