"""Rendered dialplan and `*.conf` text, read back into steps and sections with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One priority of one extension: an application with its arguments."""

    file: str
    line: int
    context: str
    extension: str
    priority: int
    label: str
    application: str
    arguments: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Context:
    """The extensions of one context in their order, and what it includes."""

    name: str
    file: str
    line: int
    extensions: dict[str, list[Step]] = field(default_factory=dict)
    includes: list[tuple[str, str]] = field(default_factory=list)
    """(context, place of the include)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`key = value` in a section of an ordinary configuration file."""

    file: str
    line: int
    section: str
    key: str
    value: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Dialplan:
    """All contexts, and lines that could not be read as `(place, text)`."""

    contexts: Mapping[str, Context]
    unread: tuple[tuple[str, str], ...]

    def steps(self) -> Iterator[Step]:
        for context in self.contexts.values():
            for steps in context.extensions.values():
                yield from steps


_SECTION = re.compile(r"\[([^\]]+)\]")
_EXTEN = re.compile(r"exten\s*=>?\s*([^,]+?)\s*,\s*(.+)")
_SAME = re.compile(r"same\s*=>?\s*(.+)")
_PRIORITY = re.compile(r"([0-9]+|n)(?:\(([A-Za-z0-9_-]+)\))?\s*,\s*([A-Za-z]+)(?:\((.*)\))?")
_INCLUDE = re.compile(r"include\s*=>?\s*(\S+)")
_ENTRY = re.compile(r"([^=]+?)\s*=>?\s*(.*)")


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their number, without comments and blank ones. `\\;` is a semicolon, not a comment."""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.split(r"(?<!\\);", raw, maxsplit=1)[0].strip()
        if line:
            yield number, line


def read_dialplan(files: Mapping[str, str]) -> Dialplan:
    """The contexts of `extensions.conf` and of `dialplans/*.conf`; `[general]` and `[globals]` left out."""
    contexts: dict[str, Context] = {}
    unread: list[tuple[str, str]] = []
    for name in sorted(files):
        if name != "extensions.conf" and not name.startswith("dialplans/"):
            continue
        current: Context | None = None
        extension = ""
        for number, line in lines_of(files[name]):
            if found := _SECTION.match(line):
                section = found[1]
                known = None if section in ("general", "globals") else section
                current = contexts.setdefault(known, Context(known, name, number)) if known else None
                extension = ""
            elif current is None or line.startswith("#"):
                continue
            elif found := _INCLUDE.fullmatch(line):
                current.includes.append((found[1], f"{name}:{number}"))
            else:
                if found := _EXTEN.fullmatch(line):
                    extension, rest = found[1], found[2]
                else:
                    found = _SAME.fullmatch(line)
                    rest = found[1] if found else ""
                step = _PRIORITY.fullmatch(rest)
                if step is None or not extension:
                    unread.append((f"{name}:{number}", line))
                    continue
                before = current.extensions.setdefault(extension, [])
                before.append(
                    Step(
                        file=name,
                        line=number,
                        context=current.name,
                        extension=extension,
                        priority=int(step[1])
                        if step[1] != "n"
                        else (before[-1].priority + 1 if before else 1),
                        label=step[2] or "",
                        application=step[3],
                        arguments=step[4] or "",
                    )
                )
    return Dialplan(contexts, tuple(unread))


def read_entries(files: Mapping[str, str], file: str) -> list[Entry]:
    """Every `key = value` of one ordinary file."""
    entries: list[Entry] = []
    section = ""
    for number, line in lines_of(files.get(file, "")):
        if found := _SECTION.match(line):
            section = found[1]
        elif found := _ENTRY.fullmatch(line):
            entries.append(Entry(file=file, line=number, section=section, key=found[1], value=found[2]))
    return entries


def split_arguments(text: str, mark: str = ",") -> list[str]:
    """Split at `mark` outside brackets of every kind and outside quotes."""
    parts, depth, start, quoted = [], 0, 0, False
    for place, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == mark and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def matches(pattern: str, number: str) -> bool:
    """Whether an extension as written (`_[1-9]X.` or a literal) takes `number`."""
    if not pattern.startswith("_"):
        return pattern == number
    ranges = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*"}
    parts = re.findall(r"\[[^\]]*\]|.", pattern[1:])
    return bool(
        re.fullmatch("".join(ranges.get(p, p if len(p) > 1 else re.escape(p)) for p in parts), number)
    )
