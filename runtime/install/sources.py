"""The package sources of this machine, read from apt's own files (one-line and deb822)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

APT_ETC = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
_ROLLING = ("stable", "testing", "unstable", "sid")


@dataclass(frozen=True, slots=True, kw_only=True)
class AptSource:
    """One address and suite of binary packages."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""
    """Key ring file, or empty when apt's own trusted keys decide."""

    def line(self, arch: str) -> str:
        """This source as a one-line entry of `sources.list`."""
        signed = f" signed-by={self.signed_by}" if self.signed_by else ""
        return f"deb [arch={arch}{signed}] {self.uri} {self.suite} {' '.join(self.components)}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What `/etc/os-release` says."""

    name: str
    """`debian`, `ubuntu`, …; for a derivative the distribution whose archive it uses."""
    codename: str


def one_line_sources(text: str) -> Iterator[AptSource]:
    """Entries of a `sources.list`; lines that are not `deb` lines are passed over."""
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        found = re.match(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$", line)
        if found is None:
            continue
        options = dict(part.split("=", 1) for part in (found[1] or "").split() if "=" in part)
        yield AptSource(
            uri=found[2],
            suite=found[3],
            components=tuple(found[4].split()),
            signed_by=_key_file(options.get("signed-by", "")),
        )


def deb822_sources(text: str) -> Iterator[AptSource]:
    """Entries of a `.sources` file; disabled stanzas and sources without binaries are passed over."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield AptSource(
                    uri=uri,
                    suite=suite,
                    components=tuple(fields.get("components", "").split()),
                    signed_by=_key_file(fields.get("signed-by", "")),
                )


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    last = ""
    for line in stanza.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0] in " \t":
            fields[last] = f"{fields.get(last, '')} {line.strip()}"
            continue
        name, _, value = line.partition(":")
        last = name.strip().lower()
        fields[last] = value.strip()
    return fields


def _key_file(value: str) -> str:
    """The key ring file of a `Signed-By` value; empty when it holds a key itself or a fingerprint."""
    first = value.split()[0].split(",")[0] if value.split() else ""
    return first if first.startswith("/") else ""


def machine_sources(etc: Path = APT_ETC) -> tuple[AptSource, ...]:
    """Every binary source that this machine's apt is configured with, in apt's reading order."""
    found: list[AptSource] = []
    main = etc / "sources.list"
    if main.is_file():
        found.extend(one_line_sources(main.read_text(encoding="utf-8", errors="replace")))
    for path in sorted((etc / "sources.list.d").glob("*")):
        if path.suffix in (".list", ".sources") and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found.extend(one_line_sources(text) if path.suffix == ".list" else deb822_sources(text))
    return tuple(found)


def this_distribution(path: Path = OS_RELEASE) -> Distribution:
    """The distribution whose archive this machine uses; empty names when the file is absent."""
    values: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition("=")
            values[key.strip()] = value.strip().strip('"')
    if codename := values.get("UBUNTU_CODENAME"):
        return Distribution(name="ubuntu", codename=codename)
    name = values.get("ID", "")
    if name != "debian" and "debian" in values.get("ID_LIKE", "").split():
        return Distribution(name="debian", codename=values.get("DEBIAN_CODENAME", ""))
    return Distribution(name=name, codename=values.get("VERSION_CODENAME", ""))


def archive_sources(sources: Iterable[AptSource], distribution: Distribution) -> tuple[AptSource, ...]:
    """Those of `sources` that are the distribution's own archive: third parties are left out.

    Vendors too publish under the distribution's code name and `main`, so the key or the address decides;
    a mirror with an unusual address and no key named is taken only when nothing better is there.
    """
    code = distribution.codename
    suites = {base + part for base in (code, *_ROLLING) if base for part in ("", "-updates", "-security")}
    fitting = [s for s in sources if s.suite in suites and "main" in s.components]
    own = tuple(s for s in fitting if _is_official(s, distribution.name))
    return own or tuple(s for s in fitting if not s.signed_by)


def _is_official(source: AptSource, name: str) -> bool:
    if source.signed_by:
        return Path(source.signed_by).name.startswith(f"{name}-archive-keyring")
    return source.uri.startswith("mirror+file:") or source.uri.rstrip("/").rpartition("/")[2].startswith(name)


def archive_root(sources: Iterable[AptSource]) -> AptSource | None:
    """The source whose address carries every suite: not security, not updates."""
    for source in sources:
        if "security" not in source.suite and "updates" not in source.suite:
            return source
    return None
