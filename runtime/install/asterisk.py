"""Asterisk 22 from 22.10.1 on: the machine's own when it fits, otherwise one in a folder of ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.install.archives import debian_archive
from runtime.install.debian import PrivateApt
from runtime.install.errors import InstallError
from runtime.install.machine import Machine, this_machine
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress

LOWEST = (22, 10, 1)
BELOW = (23,)
SUITE = "sid"
"""The Debian suite that carries Asterisk 22; released suites do not."""
_NAME = "asterisk"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskPrefix:
    """An Asterisk that can be started."""

    argv: tuple[str, ...]
    """The start of its command line; options follow."""
    modules: Path
    """For `astmoddir`."""
    data: Path
    """For `astdatadir`: sounds, documentation."""
    version: str
    """As it calls itself, without the word Asterisk."""


def version_of(text: str) -> tuple[int, int, int] | None:
    """The three numbers of a Debian or Asterisk version: `1:22.10.1+dfsg…`, `Asterisk 22.10.1…`."""
    found = re.search(r"(?:^|[\s:])(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def in_range(text: str) -> bool:
    """Whether a version is one that our configuration and dialplan were tried with: 22.x from 22.10.1 on."""
    version = version_of(text)
    return version is not None and LOWEST <= version < BELOW


def asterisk_command(prefix: AsteriskPrefix) -> list[str]:
    """The command line that starts Asterisk, to be followed by its options."""
    return list(prefix.argv)


def find_asterisk(tools: Path) -> AsteriskPrefix | None:
    """The Asterisk that is there already, the machine's own first; None when `ensure_asterisk` must fetch."""
    machine = this_machine()
    own = _system_asterisk(machine)
    if own is not None:
        return own
    prefix = existing_prefix(tools, _NAME, machine)
    return None if prefix is None else _described(prefix)


def ensure_asterisk(tools: Path, progress: Progress | None = None) -> AsteriskPrefix:
    """An Asterisk in range, fetched into `<tools>/prefix/asterisk` when the machine has none.

    Raises:
        InstallError: it cannot be fetched, does not run, or the archive has moved past 22.x.
    """
    found = find_asterisk(tools)
    if found is not None:
        return found
    recipe = Recipe(
        name=_NAME,
        title="電話エンジン Asterisk / telephone engine",
        apt=lambda root, machine: debian_archive(root, SUITE, machine),
        packages=_chosen,
    )
    return _described(ensure_prefix(tools, recipe, this_machine(), progress or Progress(total=1), _runs))


def _chosen(apt: PrivateApt) -> Sequence[str]:
    offered = apt.versions("asterisk")
    version = next((v for v in offered if in_range(v)), None)
    if version is None:
        listed = ", ".join(offered)
        raise InstallError(
            f"配布元の Asterisk（{listed or 'なし'}）は、使える範囲 22.10.1 以上 23 未満の外です。",
            english=f"The archive's Asterisk ({listed or 'none'}) is outside 22.10.1 ≤ version < 23.",
            where=f"Debian {SUITE}",
            cure="範囲内の Asterisk を自分で入れるか、Toritsugi を新しくしてください"
            " / install an Asterisk in that range yourself, or update Toritsugi",
        )
    return f"asterisk={version}", "asterisk-core-sounds-en-gsm"


def _described(prefix: Prefix) -> AsteriskPrefix:
    return AsteriskPrefix(
        argv=prefix.command("usr/sbin/asterisk"),
        modules=prefix.root / "usr/lib" / prefix.machine.triplet / "asterisk/modules",
        data=prefix.root / "usr/share/asterisk",
        version=prefix.packages["asterisk"].partition(":")[2] or prefix.packages["asterisk"],
    )


def _says(argv: Sequence[str]) -> str:
    """What `asterisk -V` prints, or the complaint that kept it from running."""
    try:
        done = subprocess.run([*argv, "-V"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stdout or done.stderr).strip()


def _runs(prefix: Prefix) -> str:
    said = _says(prefix.command("usr/sbin/asterisk"))
    if not (said.startswith("Asterisk ") and in_range(said)):
        raise InstallError(
            "取り寄せた Asterisk が動きません。",
            english="The fetched Asterisk does not run.",
            where=f"{prefix.root}: {said}",
            cure="フォルダが noexec でないか確かめ、TORITSUGI_TOOLS で別の場所を指定してください"
            " / check that the folder is not mounted noexec, or set TORITSUGI_TOOLS to another place",
        )
    return said.removeprefix("Asterisk ")


def _system_asterisk(machine: Machine) -> AsteriskPrefix | None:
    program = shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return None
    said = _says([program])
    if not (said.startswith("Asterisk ") and in_range(said)):
        return None
    modules = (Path("/usr/lib") / machine.triplet / "asterisk/modules", Path("/usr/lib/asterisk/modules"))
    data = (Path("/usr/share/asterisk"), Path("/var/lib/asterisk"))
    return AsteriskPrefix(
        argv=(program,),
        modules=next((p for p in modules if p.is_dir()), modules[0]),
        data=next((p for p in data if (p / "sounds").is_dir()), data[0]),
        version=said.removeprefix("Asterisk "),
    )
