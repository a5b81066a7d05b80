"""Every kind of file under the home: what a request to delete does with it, and how it is searched.

A new kind of file needs a line in `FILE_KINDS`; tests compare it with docs/retention.md and with a home that was used.
"""

from __future__ import annotations

import fnmatch
import mmap
import os
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from core.ids import CallId
from core.settings import Settings
from core.traces import count_raw, raw_pattern
from services.erasure import Erased, FileTraces, Subject

BLOCK = 4 << 20
_OVERLAP = 512
_MASK = b"X"
_DISPLAY = re.compile(rb"(?:(?<=display=)|(?<=display%3D))[^&\"|%\\]+")


@unique
class FileErase(StrEnum):
    """What happens to files of a kind."""

    OF_CALL = "of_call"
    """Named for their call: deleted with it."""
    MASK = "mask"
    """Logs: the number is overwritten in its place, so that lines keep their length and positions hold."""
    TEXT = "text"
    """Papers: the number is taken out."""
    DATABASE = "database"
    """Erased by table; deleted rows are overwritten."""
    KEEP = "keep"
    """Holds nothing of citizens; searched all the same."""
    LARGE = "large"
    """Our own sounds and models: not searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """Files of one kind; `patterns` are relative to the home, `*` also crosses folders."""

    name: str
    label_ja: str
    how: FileErase
    patterns: tuple[str, ...]
    stays_ja: str = ""


FILE_KINDS = (
    FileKind(name="recordings", label_ja="録音のファイル", how=FileErase.OF_CALL, patterns=("recordings/*",)),
    FileKind(
        name="logs",
        label_ja="交換機のログ",
        how=FileErase.MASK,
        patterns=("asterisk/log/*",),
        stays_ja="番号を同じ長さの印で上書きし、電話の根拠として残す",
    ),
    FileKind(
        name="sip",
        label_ja="電話の信号の写し",
        how=FileErase.MASK,
        patterns=("sip/*",),
        stays_ja="番号を同じ長さの印で上書きし、件数の照合のために残す",
    ),
    FileKind(
        name="database",
        label_ja="データベースのファイル",
        how=FileErase.DATABASE,
        patterns=("*.db", "*.db-wal", "*.db-shm"),
    ),
    FileKind(
        name="papers",
        label_ja="市に納める書類",
        how=FileErase.KEEP,
        patterns=("reports/*/*",),
        stays_ja="納めた書類は市の記録であり、ハッシュで照合されるため書き換えない。番号は伏せて載せている",
    ),
    FileKind(name="reports", label_ja="報告の案", how=FileErase.TEXT, patterns=("reports/*",)),
    FileKind(
        name="certificates",
        label_ja="消去証明書",
        how=FileErase.KEEP,
        patterns=("certificates/*", "erasures.jsonl"),
        stays_ja="消去の証明として残す。個人情報はない",
    ),
    FileKind(
        name="anchors",
        label_ja="操作の記録の控え",
        how=FileErase.KEEP,
        patterns=("audit-anchors.jsonl",),
        stays_ja="操作の記録の改ざんを見つけるために残す。個人情報はない",
    ),
    FileKind(
        name="switched",
        label_ja="電話機での切り替えの記録",
        how=FileErase.KEEP,
        patterns=("switched-by-telephone.jsonl*",),
    ),
    FileKind(name="faq", label_ja="FAQ の検索の索引", how=FileErase.KEEP, patterns=("faq/*",)),
    FileKind(name="run", label_ja="動作中の状態", how=FileErase.KEEP, patterns=("run/*",)),
    FileKind(
        name="availability", label_ja="稼働の記録", how=FileErase.KEEP, patterns=("availability/*.jsonl",)
    ),
    FileKind(
        name="switch",
        label_ja="交換機の設定と状態",
        how=FileErase.KEEP,
        patterns=("asterisk/etc/*", "asterisk/state/*", "asterisk/run/*", "asterisk/bin/*"),
    ),
    FileKind(
        name="settings",
        label_ja="設定",
        how=FileErase.KEEP,
        patterns=(
            "secrets/*",
            "settings.json",
            "emergency.json",
            "notice.json",
            "ivr-plan.json",
            "profile/*",
        ),
    ),
    FileKind(
        name="sounds",
        label_ja="案内と音楽、認識モデル",
        how=FileErase.LARGE,
        patterns=("sounds/*", "hold-music/*", "models/*"),
    ),
)


def kind_of_file(relative: str) -> FileKind | None:
    """The kind of a file, by its path relative to the home; None when no kind is declared for it."""
    for kind in FILE_KINDS:
        if any(fnmatch.fnmatchcase(relative, pattern) for pattern in kind.patterns):
            return kind
    return None


def files_of(home: Path) -> Iterator[tuple[str, Path, FileKind | None]]:
    """Every regular file under the home, with its kind."""
    for folder, _folders, names in os.walk(home):
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                relative = str(path.relative_to(home))
                yield relative, path, kind_of_file(relative)


def erase_files(settings: Settings, subject: Subject, tokens: Collection[str]) -> list[Erased]:
    """Delete and overwrite in every file under the home.

    Args:
        settings: of the instance.
        subject: whose data goes.
        tokens: what marks a log's line as one of the subject's calls (Uniqueids, SIP Call-IDs).
    """
    changed: dict[str, int] = {}
    deleted: dict[str, int] = {}
    for _relative, path, kind in files_of(settings.home):
        if kind is None:
            continue
        if kind.how is FileErase.OF_CALL and _call_in(path.name, subject.calls):
            path.unlink(missing_ok=True)
            deleted[kind.name] = deleted.get(kind.name, 0) + 1
        elif kind.how is FileErase.MASK:
            changed[kind.name] = changed.get(kind.name, 0) + mask_in_place(path, subject.numbers, tokens)
        elif kind.how is FileErase.TEXT:
            changed[kind.name] = changed.get(kind.name, 0) + _rewrite(path, subject)
    return [
        Erased(
            what=kind.name,
            label_ja=kind.label_ja,
            deleted=deleted.get(kind.name, 0),
            rewritten=changed.get(kind.name, 0),
            stays_ja=kind.stays_ja,
        )
        for kind in FILE_KINDS
    ]


def mask_in_place(path: Path, numbers: Collection[str], tokens: Collection[str]) -> int:
    """Overwrite the numbers, and callers' display names in lines with a token, by as many signs; how many places.

    A writer that appends, and a reader at its position, go on undisturbed.
    """
    try:
        stat = path.stat()
        if stat.st_size == 0:
            return 0
        with path.open("r+b") as file, mmap.mmap(file.fileno(), stat.st_size) as data:
            places = [span for number in numbers for span in _alone(raw_pattern(number), data)]
            places += [span for token in tokens for span in _displays(token.encode(), data)]
            for start, end in places:
                data[start:end] = _MASK * (end - start)
            if places:
                data.flush()
    except FileNotFoundError:
        return 0
    if places and path.stat().st_size == stat.st_size:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # rotated logs are in order by their times
    return len(places)


def _alone(pattern: re.Pattern[bytes], data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where the pattern is no part of a longer run of digits."""
    for found in pattern.finditer(data):
        start, end = found.span()
        if not (data[max(0, start - 1) : start].isdigit() or data[end : end + 1].isdigit()):
            yield start, end


def _displays(token: bytes, data: mmap.mmap) -> Iterator[tuple[int, int]]:
    at = data.find(token)
    while at >= 0:
        begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        end = len(data) if end < 0 else end
        for found in _DISPLAY.finditer(data, begin, end):
            if set(found[0]) != set(_MASK):
                yield found.span()
        at = data.find(token, end)


def _rewrite(path: Path, subject: Subject) -> int:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return 0
    after = subject.without_numbers(text)
    if after == text:
        return 0
    partial = path.with_name(f".{path.name}.new")
    partial.write_text(after, encoding="utf-8")
    partial.chmod(path.stat().st_mode & 0o777)
    partial.replace(path)
    return 1


def _call_in(name: str, calls: Collection[CallId]) -> bool:
    """Whether a file is named for one of the calls: `<call>-…`, `<call>.…`, also behind a dot while it is made."""
    bare = name.removeprefix(".")
    found = re.match(r"c-[A-Za-z0-9]+-\d+\.\d+(?=[-.])", bare)
    return found is not None and found[0] in calls


# ---- searching ------------------------------------------------------------------------------------


@dataclass(slots=True)
class FileScan:
    """What a search of the home came to."""

    traces: list[FileTraces]
    files: int = 0
    bytes: int = 0
    names_only: int = 0
    unknown: list[str] | None = None


def scan_files(home: Path, subject: Subject, progress: Callable[[str, int], None] | None = None) -> FileScan:
    """Search every file: names for the calls, contents for the numbers, in any notation and in raw bytes."""
    result = FileScan(traces=[], unknown=[])
    for relative, path, kind in files_of(home):
        if kind is None and result.unknown is not None:
            result.unknown.append(relative)
        named = any(count_raw(number, relative.encode()) for number in subject.numbers)
        if named or (
            kind is not None and kind.how is FileErase.OF_CALL and _call_in(path.name, subject.calls)
        ):
            result.traces.append(FileTraces(path=relative, count=1, what="name"))
        if kind is not None and kind.how in (FileErase.OF_CALL, FileErase.LARGE):
            result.names_only += kind.how is FileErase.OF_CALL
            continue
        try:
            count, size = _search(path, subject.numbers)
        except FileNotFoundError:
            continue
        result.files += 1
        result.bytes += size
        if count:
            result.traces.append(FileTraces(path=relative, count=count, what="number"))
        if progress is not None:
            progress(relative, result.bytes)
    return result


def _search(path: Path, numbers: Collection[str]) -> tuple[int, int]:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as pack:
            count = 0
            for member in pack.infolist():
                data = pack.read(member)
                count += sum(count_raw(number, data) for number in numbers)
            return count, size
    count, kept = 0, b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            data = kept + block
            # What lies wholly in the part that was read before has been counted.
            count += sum(count_raw(number, data, len(kept)) for number in numbers)
            kept = data[-_OVERLAP:]
    return count, size
