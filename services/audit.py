"""The chain of the audit: each entry's hash covers the one before it, so that nothing can be changed unseen.

Pure. What a person with the database's password could still do, cut the newest entries off and write the head anew,
is seen by the anchors: lines outside the database that say which hash stood at which number, signed with a key that
is not in it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from services.ports import AuditEntry

START = "0" * 64
"""What stands before the first entry."""
_REMEMBERED = 300
"""Bad entries that are looked at again for a changed order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry in the chain."""

    seq: int
    """From 1, without gaps."""
    prev: str
    hash: str
    entry: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the chain stands, and up to where its oldest entries were deleted by retention."""

    seq: int = 0
    hash: str = START
    pruned_seq: int = 0
    pruned_hash: str = START


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What stood at a number, written outside the database."""

    at: float
    node: str
    seq: int
    hash: str
    pruned: bool = False
    """Retention deleted the entries up to this number."""
    signature: str = ""


@unique
class AuditFault(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"
    BROKEN = "broken"
    """Does not follow from the entry before it."""
    TRUNCATED = "truncated"
    ANCHOR = "anchor"
    """An anchor says otherwise, or is not signed by this instance."""

    @property
    def label_ja(self) -> str:
        return {
            "altered": "書き換えられている", "missing": "抜けている", "reordered": "順番が変わっている",
            "broken": "前の行とつながらない", "truncated": "終わりが切られている", "anchor": "控えと合わない",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProblem:
    """What is wrong, and at which number."""

    fault: AuditFault
    seq: int
    detail: str = ""


def canonical(entry: AuditEntry, seq: int, prev: str) -> bytes:
    """The bytes that a hash covers: JSON with sorted keys, no spaces, UTF-8."""
    values: dict[str, Any] = {
        "seq": seq,
        "prev": prev,
        "at": float(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": dict(entry.detail),
    }
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hash_of(entry: AuditEntry, seq: int, prev: str) -> str:
    """SHA-256 of `canonical`, in hexadecimal."""
    return hashlib.sha256(canonical(entry, seq, prev)).hexdigest()


def linked(entries: Iterable[AuditEntry], seq: int, prev: str) -> Iterator[Link]:
    """The entries as the next links after number `seq` with hash `prev`."""
    for entry in entries:
        seq += 1
        link = Link(seq=seq, prev=prev, hash=hash_of(entry, seq, prev), entry=entry)
        prev = link.hash
        yield link


def signed(anchor: Anchor, key: str) -> str:
    """HMAC-SHA256 over what the anchor says."""
    said = f"{anchor.at:.3f}|{anchor.node}|{anchor.seq}|{anchor.hash}|{int(anchor.pruned)}"
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()


class Verifier:
    """Reads the chain once, in order of numbers, and remembers what is wrong.

    Args:
        head: where the database says that the chain begins and ends.
        anchors: what was written outside it; those of other nodes count too.
        key: of the anchors' signatures; empty leaves them unproved.
    """

    def __init__(self, head: Head, anchors: Sequence[Anchor], key: str) -> None:
        self._head = head
        self._anchors: dict[int, list[Anchor]] = {}
        self.problems: list[AuditProblem] = []
        self.read = 0
        self._bad: list[Link] = []
        for anchor in anchors:
            if key and not hmac.compare_digest(signed(anchor, key), anchor.signature):
                self._note(AuditFault.ANCHOR, anchor.seq, "署名が合わない控え")
                continue
            self._anchors.setdefault(anchor.seq, []).append(anchor)
        self._seq, self._prev = head.pruned_seq, head.pruned_hash
        self._newest = max(self._anchors, default=0)
        if head.pruned_seq:
            pruned = [a for a in self._anchors.get(head.pruned_seq, ()) if a.pruned]
            if not any(anchor.hash == head.pruned_hash for anchor in pruned):
                self._note(AuditFault.ANCHOR, head.pruned_seq, "ここまで消したという控えがない")

    def feed(self, links: Iterable[Link]) -> None:
        """The next links, by number."""
        for link in links:
            self._one(link)

    def finish(self) -> list[AuditProblem]:
        """All that is wrong, by number."""
        if self._seq < self._head.seq:
            self._note(AuditFault.TRUNCATED, self._seq + 1, f"{self._head.seq} 番まであるはず")
        elif self._seq != self._head.seq or self._prev != self._head.hash:
            self._note(AuditFault.BROKEN, self._seq, "終わりの控えと合わない")
        if self._newest > max(self._seq, self._head.pruned_seq):
            self._note(AuditFault.TRUNCATED, self._seq + 1, f"控えは {self._newest} 番まである")
        self._find_reordered()
        return sorted(self.problems, key=lambda problem: (problem.seq, problem.fault))

    def _one(self, link: Link) -> None:
        self.read += 1
        if link.seq > self._seq + 1:
            missing = link.seq - self._seq - 1
            self._note(AuditFault.MISSING, self._seq + 1, f"{missing} 行")
        elif link.prev != self._prev:
            self._note(AuditFault.BROKEN, link.seq)
        if hash_of(link.entry, link.seq, link.prev) != link.hash:
            self._note(AuditFault.ALTERED, link.seq)
            if len(self._bad) < _REMEMBERED:
                self._bad.append(link)
        for anchor in self._anchors.get(link.seq, ()):
            if anchor.hash != link.hash:
                self._note(AuditFault.ANCHOR, link.seq, "控えたときと違う内容")
        self._seq, self._prev = link.seq, link.hash

    def _find_reordered(self) -> None:
        """A line that is right under another bad line's number was moved, not rewritten."""
        numbers = [link.seq for link in self._bad]
        moved = {
            link.seq
            for link in self._bad
            for seq in numbers
            if seq != link.seq and hash_of(link.entry, seq, link.prev) == link.hash
        }
        self.problems = [
            AuditProblem(fault=AuditFault.REORDERED, seq=problem.seq)
            if problem.fault is AuditFault.ALTERED and problem.seq in moved
            else problem
            for problem in self.problems
        ]

    def _note(self, fault: AuditFault, seq: int, detail: str = "") -> None:
        self.problems.append(AuditProblem(fault=fault, seq=seq, detail=detail))


def plain_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from a database: tuples are lists, keys are text."""
    found: dict[str, Any] = json.loads(json.dumps(dict(detail), ensure_ascii=False))
    return found
