"""Whether a number that was said in a demonstration can still be found: in tables, files and logs, in any notation.

Long numbers are looked for in the raw bytes of every file and value, with signs between their digits, full-width or
escaped (`core.traces`). What people said or wrote is also read as speech (いちに, 一二, 1 2): there six digits in a row
of a long number are a trace, and a PIN where it stands alone. Recordings are judged by transcribing them again.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.traces import count_raw
from runtime.erasure_files import FileErase, files_of, scan_files
from services.erasure import Subject, SubjectKind
from speech.digits import digit_runs

PART = 6
"""So many digits of a long number in a row are a trace of it."""
_SHORT = 4
_WORDS = re.compile(r"[ぁ-んァ-ヶ一-龠々]")
_DIGITS_ALONE = re.compile(r"[\d０-９\s.,、。-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a search came to; the numbers themselves are not repeated."""

    traces: tuple[str, ...]
    """Where: `table.column` or a path, and how."""
    tables: int
    values: int
    files: int
    bytes: int


def look_for(numbers: Collection[str], home: Path, more: Iterable[Path] = ()) -> Looked:
    """Search the database of a stopped instance, every file under its home, and `more` files.

    Args:
        numbers: digits; four make a PIN.
        home: holds `toritsugi.db`.
    """
    long = frozenset(number for number in numbers if len(number) > _SHORT)
    scan = scan_files(home, Subject(kind=SubjectKind.NUMBER, numbers=long))
    found = [f"{each.path}: {each.what}" for each in scan.traces]
    tables, values = 0, 0
    for name, column, value in _values(home / "toritsugi.db"):
        tables += column == ""
        values += column != ""
        data = value if isinstance(value, bytes) else str(value).encode()
        if any(count_raw(number, data) for number in long):
            found.append(f"{name}.{column}: number")
        elif isinstance(value, str) and any(said_in(text, numbers) for text in _texts(value)):
            found.append(f"{name}.{column}: spoken")
    kept = [path for _, path, kind in files_of(home) if kind is None or _holds_words(kind.how)]
    for path in (*kept, *more):
        data = path.read_bytes()
        if any(count_raw(number, data) for number in long):
            found.append(f"{path.name}: number")
        elif any(said_in(text, numbers) for text in data.decode("utf-8", "replace").splitlines()):
            found.append(f"{path.name}: spoken")
    return Looked(
        traces=tuple(dict.fromkeys(found)), tables=tables, values=values, files=scan.files, bytes=scan.bytes
    )


def said_in(text: str, numbers: Collection[str]) -> bool:
    """Whether words hold one of `numbers`, or a part of a long one, as it may be said."""
    if not (_WORDS.search(text) or _DIGITS_ALONE.fullmatch(text)):
        return False  # identifiers and times: six digits of some number stand in many of them
    for run in digit_runs(text):
        for number in numbers:
            if len(number) == _SHORT:
                if run.digits == number:
                    return True
            elif any(number[at : at + PART] in run.digits for at in range(len(number) - PART + 1)):
                return True
    return False


def _holds_words(how: FileErase) -> bool:
    return how not in (FileErase.DATABASE, FileErase.OF_CALL, FileErase.LARGE)


def _values(database: Path) -> Iterator[tuple[str, str, Any]]:
    """Every value of every table, the search's own included; a table begins with the column "" and no value."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = [
            row[0] for row in connection.execute("select name, type from sqlite_master where type = 'table'")
        ]
        for name in names:
            yield name, "", ""
            quoted = name.replace('"', '""')
            rows = connection.execute(f'select * from "{quoted}"')  # noqa: S608
            columns = [each[0] for each in rows.description]
            for row in rows:
                yield from ((name, column, value) for column, value in zip(columns, row, strict=True))


def _texts(value: str) -> Iterator[str]:
    """The texts in a value: those in its JSON, or itself."""
    try:
        parsed = json.loads(value)
    except ValueError:
        yield value
        return
    yield from _strings(parsed)


def _strings(parsed: Any) -> Iterator[str]:
    if isinstance(parsed, str):
        yield parsed
    elif isinstance(parsed, dict):
        for each in parsed.values():
            yield from _strings(each)
    elif isinstance(parsed, list):
        for each in parsed:
            yield from _strings(each)
