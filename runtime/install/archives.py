"""Which archive a private apt reads: the machine's own, or Debian's rolling suite."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from runtime.install.debian import PrivateApt, unpack
from runtime.install.errors import InstallError
from runtime.install.machine import Machine
from runtime.install.sources import (
    AptSource,
    Distribution,
    archive_root,
    archive_sources,
    machine_sources,
    this_distribution,
)

KEYRINGS = Path("/usr/share/keyrings")
DEBIAN_KEYRING = "debian-archive-keyring"


def require_apt() -> None:
    """Check that apt and dpkg are here. Raises `InstallError`."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise InstallError(
                f"{program} がありません。Debian 12 以降か Ubuntu が必要です。",
                english=f"{program} is missing: Debian 12 or later, or Ubuntu, is needed.",
                cure="Debian か Ubuntu で動かすか、Asterisk 22 を自分で入れてください"
                " / run on Debian or Ubuntu, or install Asterisk 22 yourself",
            )


def own_archive(root: Path, machine: Machine, components: Iterable[str] = ("main", "universe")) -> PrivateApt:
    """apt on the archive that this machine itself uses. The lists are not fetched yet."""
    require_apt()
    distribution = this_distribution()
    wanted = set(components)
    sources = tuple(
        AptSource(
            uri=s.uri,
            suite=s.suite,
            components=tuple(c for c in s.components if c in wanted),
            signed_by=s.signed_by,
        )
        for s in archive_sources(machine_sources(), distribution)
    )
    if not sources:
        raise _no_sources(distribution)
    return PrivateApt(root, sources, machine)


def debian_archive(root: Path, suite: str, machine: Machine) -> PrivateApt:
    """apt on `suite` of the Debian archive. The lists are not fetched yet.

    On Debian the address is that of the machine's own sources. Elsewhere it is read, like the key ring, from
    packages that the machine's own archive carries, so it comes from a place that the machine trusts already.
    """
    require_apt()
    distribution = this_distribution()
    if distribution.name == "debian":
        found = archive_root(archive_sources(machine_sources(), distribution))
        if found is None:
            raise _no_sources(distribution)
        uri, keyring = found.uri, found.signed_by or str(_keyring(KEYRINGS) or "")
    else:
        uri, keyring = _debian_from_elsewhere(root / "own", machine)
    return PrivateApt(
        root, [AptSource(uri=uri, suite=suite, components=("main",), signed_by=keyring)], machine
    )


def _keyring(folder: Path) -> Path | None:
    for suffix in (".gpg", ".pgp"):
        path = folder / f"{DEBIAN_KEYRING}{suffix}"
        if path.is_file():
            return path
    return None


def _debian_from_elsewhere(root: Path, machine: Machine) -> tuple[str, str]:
    kept = root / "trust"
    template = Path("usr/share/python-apt/templates/Debian.info")
    ring = _keyring(KEYRINGS) or _keyring(kept / "usr/share/keyrings")
    mirrors = next((p for p in (Path("/") / template, kept / template) if p.is_file()), None)
    if ring is None or mirrors is None:
        own = own_archive(root, machine)
        own.update()
        for package in (DEBIAN_KEYRING, "python-apt-common"):
            unpack([own.fetch_one(package, root / "trust-debs")], kept)
        ring = _keyring(kept / "usr/share/keyrings")
        mirrors = kept / template
    text = mirrors.read_text(encoding="utf-8", errors="replace") if mirrors.is_file() else ""
    address = re.search(r"^BaseURI:\s*(\S+)", text, re.MULTILINE)
    if ring is None or address is None:
        raise _no_sources(this_distribution())
    return address[1], str(ring)


def _no_sources(distribution: Distribution) -> InstallError:
    return InstallError(
        "この計算機の apt の設定に、Debian または Ubuntu の配布元が見つかりません。",
        english="This machine's apt has no source of the Debian or Ubuntu archive.",
        where=f"/etc/apt ({distribution.name or '?'} {distribution.codename})".rstrip(),
        cure="/etc/apt/sources.list か sources.list.d に配布元を書くか、Asterisk 22 を自分で入れてください"
        " / add the archive to /etc/apt, or install Asterisk 22 yourself",
    )
