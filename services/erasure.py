"""Deletion on request: whose data it is, what was done with it, and the certificate that says so (消去証明書).

Pure values; finding and erasing is `storage.erasure` for tables and `runtime.erasing` for files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from core.clock import TOKYO
from core.ids import CallId
from core.masking import mask_text
from core.traces import ERASED, number_pattern

FORMAT = "toritsugi-erasure/1"
DEFAULT_BASIS = "市の指示、個人情報の保護に関する法律 第98条(利用停止請求)・第66条(安全管理措置)"


@unique
class SubjectKind(StrEnum):
    """What was asked for."""

    CALL = "call"
    CASE = "case"
    NUMBER = "number"

    @property
    def label_ja(self) -> str:
        return {"call": "通話", "case": "応対", "number": "電話番号"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose data goes: calls and cases whole, numbers wherever they stand in them."""

    kind: SubjectKind
    calls: frozenset[CallId] = frozenset()
    cases: frozenset[str] = frozenset()
    numbers: frozenset[str] = field(default=frozenset(), repr=False)
    """National digits or `+…`; never a number of the city's."""

    @property
    def everywhere(self) -> bool:
        """Whether the numbers go from everybody's rows too: a number was asked for."""
        return self.kind is SubjectKind.NUMBER

    def without_numbers(self, text: str) -> str:
        """`text` without the numbers; an identifier made of one (a SIP Call-ID) keeps its length, as logs do."""
        identifier = "@" in text and not any(sign.isspace() for sign in text)
        for number in self.numbers:
            text = number_pattern(number).sub(
                (lambda found: "X" * len(found[0])) if identifier else ERASED, text
            )
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done in one table, or with one kind of file."""

    what: str
    label_ja: str
    deleted: int = 0
    rewritten: int = 0
    """The person's, kept without what is personal."""
    mentions: int = 0
    """Other people's, in which the number stood."""
    stays_ja: str = ""

    @property
    def touched(self) -> bool:
        return bool(self.deleted or self.rewritten or self.mentions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row in which something is to be erased."""

    table: str
    key: tuple[Any, ...]
    """Its primary key."""
    theirs: bool
    """The person's own row; otherwise somebody else's, in which the number stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTraces:
    """What is left in a table."""

    table: str
    rows: int
    mentions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTraces:
    """What is left in a file."""

    path: str
    count: int
    what: str
    """`name`, `number` or `call`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A search of everything, and what it found."""

    tables: Sequence[TableTraces]
    files: Sequence[FileTraces]
    files_read: int
    bytes_read: int
    names_only: int
    """Files with voices, of which only the name was looked at."""
    unknown: Sequence[str] = ()
    """Files of no kind that is known; they were searched all the same."""

    @property
    def clean(self) -> bool:
        return not self.tables and not self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEntry:
    """A file with personal data that a command wrote for people."""

    at: float
    actor: str
    kind: str
    """`evidence`, `backup` or `handover`."""
    path: str
    sha256: str
    calls: tuple[str, ...] | None
    """None: of everybody."""
    keep_until: float | None = None
    """When the file itself is deleted (epoch seconds); None when a person has to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyElsewhere:
    """A copy outside the home, and what became of it."""

    path: str
    kind: str
    sha256: str
    state: str
    """`deleted`, `gone`, `changed`, `expires` or `by_hand`."""
    until: str = ""

    @property
    def label_ja(self) -> str:
        return {
            "deleted": "消去した",
            "gone": "すでにない",
            "changed": "書き出したときと内容が違うため消していない。人が確かめて消すこと",
            "expires": f"暗号化されたまま {self.until} までに期限で消える。戻すときは消し直される",
            "by_hand": "渡した先で消すこと",
        }[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRecord:
    """One erasure, as it is stored. `replay` finds the same data again in a restored backup."""

    id: str
    at: float
    actor: str
    replay: Mapping[str, Any]
    certificate: Mapping[str, Any]


def fingerprint(secret: bytes, kind: str, value: str) -> str:
    """A keyed hash: says whether a value is the same, and gives nothing back to who lacks the secret."""
    return hmac.new(secret, f"{kind}\n{value}".encode(), hashlib.sha256).hexdigest()


def replay_of(subject: Subject, secret: bytes) -> dict[str, Any]:
    """What a restored backup is searched for. Call ids are pseudonyms, numbers are keyed hashes."""
    numbers = subject.numbers if subject.everywhere else ()
    return {
        "calls": sorted(subject.calls),
        "cases": sorted(subject.cases),
        "numbers": sorted(fingerprint(secret, "number", number) for number in numbers),
    }


def certificate_of(
    *,
    record_id: str,
    at: float,
    city_ja: str,
    actor: str,
    reason: str,
    basis: str,
    subject: Subject,
    secret: bytes,
    done: Sequence[Erased],
    elsewhere: Sequence[CopyElsewhere],
    scan: Scan,
    notes: Sequence[str],
) -> dict[str, Any]:
    """The certificate as JSON values, with a hash of itself. It holds no personal data of the citizen."""
    body: dict[str, Any] = {
        "format": FORMAT,
        "id": record_id,
        "at": datetime.fromtimestamp(at, TOKYO).isoformat(timespec="seconds"),
        "city": city_ja,
        "by": actor,
        "reason": mask_text(subject.without_numbers(reason)),
        "basis": basis,
        "subject": {
            "kind": subject.kind.value,
            "calls": _fingerprints(secret, "call", subject.calls),
            "cases": _fingerprints(secret, "case", subject.cases),
            "numbers": _fingerprints(secret, "number", subject.numbers),
        },
        "erased": [asdict(each) for each in done if each.touched],
        "kept": [
            {"what": each.what, "label_ja": each.label_ja, "why_ja": each.stays_ja}
            for each in done
            if each.stays_ja
        ],
        "copies_elsewhere": [{**asdict(each), "label_ja": each.label_ja} for each in elsewhere],
        "verified": {
            "clean": scan.clean,
            "files_read": scan.files_read,
            "bytes_read": scan.bytes_read,
            "recordings_by_name": scan.names_only,
            "unknown_files": list(scan.unknown),
            "left": [*(asdict(each) for each in scan.tables), *(asdict(each) for each in scan.files)],
        },
        "notes_ja": list(notes),
    }
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    return {**body, "sha256": hashlib.sha256(canonical).hexdigest()}


def _fingerprints(secret: bytes, kind: str, values: Collection[str]) -> list[str]:
    return sorted(fingerprint(secret, kind, value) for value in values)
