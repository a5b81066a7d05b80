"""Cases as a table for Excel, and back.

UTF-8 with BOM, CRLF. A value that a spreadsheet would take for a formula gets an apostrophe before it, and so does one
that begins with an apostrophe: taking one away gives back what was there. Coming back, a file is read whole before
anything is stored, and every bad row is named with its reason.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from core.masking import mask_number, mask_text
from interactions.case import CallSummary, Case, CaseStatus, HandedOn
from interactions.case_edit import Change, FaqUse, Note

BOM = "\ufeff"
_DANGEROUS = "=+-@\t\r\n'＝＋－＠"
_TRUE, _FALSE = "はい", ""
_YES = {"はい", "1", "true", "yes", "○"}
_NO = {"", "いいえ", "0", "false", "no"}
_MOST_PROBLEMS = 50

COLUMNS: Mapping[str, str] = {
    "case_id": "応対番号", "version": "版", "started_at": "開始日時", "status": "状況", "category": "分類",
    "tags": "タグ", "question": "内容", "answer": "回答", "complaint": "苦情", "mistaken_guidance": "誤案内",
    "confidential": "取扱注意", "satisfaction": "満足度", "department": "担当課", "operators": "応対者",
    "line": "窓口", "language": "言語",
    "caller": "電話番号", "transfers": "転送", "faqs": "使ったFAQ", "notes": "やりとり", "calls": "通話",
}  # fmt: skip
"""Names of columns and their heads. The last four are read only; `calls` makes a case that is not there."""


class CsvInvalid(ToritsugiError):
    """A file that cannot be taken in; `problems` lists every reason with its line."""

    code = "interactions.csv"

    def __init__(self, problems: Sequence[str], where: str) -> None:
        self.problems = tuple(problems)
        more = f"\n  ほか {len(problems) - _MOST_PROBLEMS} 行" if len(problems) > _MOST_PROBLEMS else ""
        super().__init__(
            "読めない行があります。何も取り込んでいません\n"
            + "\n".join(f"  {problem}" for problem in problems[:_MOST_PROBLEMS])
            + more,
            where=where,
            cure="示された行を直す",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRow:
    """One row that was read."""

    line: int
    """Of the file, from 1."""
    case_id: str
    version: int | None
    """The version that the row was exported from."""
    change: Change
    calls: tuple[CallSummary, ...]
    """What makes the case when it is not there."""


def safe(text: str) -> str:
    """As a cell that no spreadsheet computes."""
    return f"'{text}" if text and text[0] in _DANGEROUS else text


def unsafe(cell: str) -> str:
    """What `safe` was given."""
    return cell[1:] if cell.startswith("'") else cell


# ---- out ------------------------------------------------------------------------------------------


def head() -> str:
    """BOM and the heads of the columns."""
    return BOM + _line(list(COLUMNS.values()))


def row(case: Case, notes: Sequence[Note], faqs: Sequence[FaqUse], *, numbers: bool) -> str:
    """One case as a line; numbers are masked unless `numbers`, in what people wrote too."""

    def said(text: str) -> str:
        return text if numbers else mask_text(text)

    first = case.calls[0] if case.calls else None
    caller = first.caller if first else None
    values = {
        "case_id": case.case_id,
        "version": str(case.version),
        "started_at": _moment(case.started_at),
        "status": case.status.label_ja,
        "category": case.category or "",
        "tags": "|".join(case.tags),
        "question": said(case.question),
        "answer": said(case.answer),
        "complaint": _TRUE if case.complaint else _FALSE,
        "mistaken_guidance": _TRUE if case.mistaken_guidance else _FALSE,
        "confidential": _TRUE if case.confidential else _FALSE,
        "satisfaction": str(case.satisfaction or ""),
        "department": case.department,
        "operators": " ".join(case.operators),
        "line": (first.line if first else None) or "",
        "language": (first.language if first else None) or "",
        "caller": ((caller if numbers else mask_number(caller)) if caller else None) or "",
        "transfers": "、".join(
            f"{each.label or each.to}({each.result})" for call in case.calls for each in call.transfers
        ),
        "faqs": " ".join(f"{use.article}.{use.version}" for use in faqs if use.used_at is not None),
        "notes": "\n".join(f"{_moment(note.at)} {note.by}: {said(note.text)}" for note in notes),
        "calls": json.dumps([_call(call) for call in case.calls], ensure_ascii=False),
    }
    return _line([safe(values[name]) for name in COLUMNS])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, TOKYO).strftime("%Y-%m-%d %H:%M:%S")


def _call(call: CallSummary) -> dict[str, Any]:
    """What makes the call again; without its number."""
    return {
        "call_id": call.call_id, "line": call.line, "language": call.language, "menu_path": list(call.menu_path),
        "operators": list(call.operators), "started_at": call.started_at, "ended_at": call.ended_at,
        "transfers": [[each.at, each.to, each.label, each.result] for each in call.transfers],
        "recordings": list(call.recordings),
    }  # fmt: skip


# ---- back -----------------------------------------------------------------------------------------


def read(data: bytes, where: str, categories: Collection[str] = ()) -> list[CsvRow]:
    """Every row, or an error that names every bad one.

    Args:
        data: the file; UTF-8, or as Excel saves it in Japan (CP932).
        where: its name, for the error.
        categories: those that the city has; empty takes any.

    Raises:
        CsvInvalid: rows or heads that cannot be read.
    """
    lines = _records(_text(data, where))
    _, heads = next(lines, (1, []))
    names = _names(heads, where)
    problems: list[str] = []
    rows: list[CsvRow] = []
    seen: dict[str, int] = {}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            if len(cells) != len(names):
                raise ValueError(f"列の数が {len(cells)} です（見出しは {len(names)}）")
            found = _row(line, dict(zip(names, map(unsafe, cells), strict=True)), categories)
            if found.case_id in seen:
                raise ValueError(f"{seen[found.case_id]} 行と同じ応対です: {found.case_id}")
            seen[found.case_id] = line
            rows.append(found)
        except ValueError as problem:
            problems.append(f"{line} 行: {problem}")
    if problems:
        raise CsvInvalid(problems, where)
    return rows


def _text(data: bytes, where: str) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CsvInvalid(["文字コードが UTF-8 でも Shift_JIS でもありません"], where)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise CsvInvalid([f"{line} 行: CSV として読めません ({problem})"], "CSV") from problem
        yield line, cells


def _names(heads: Sequence[str], where: str) -> list[str]:
    known = {**{head_: name for name, head_ in COLUMNS.items()}, **{name: name for name in COLUMNS}}
    names = [known.get(head_.strip(), "") for head_ in heads]
    unknown = [head_ for head_, name in zip(heads, names, strict=True) if not name]
    if unknown or not names:
        raise CsvInvalid([f"1 行: 知らない見出しです: {', '.join(unknown) or '(空)'}"], where)
    if len(set(names)) != len(names):
        raise CsvInvalid(["1 行: 同じ見出しが二つあります"], where)
    return names


def _row(line: int, cells: Mapping[str, str], categories: Collection[str]) -> CsvRow:
    digest = hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:24]
    case_id = cells.get("case_id", "").strip() or f"i-import-{digest}"
    if len(case_id) > 96 or not case_id.startswith("i-") or not case_id.isascii():
        raise ValueError(f"応対番号ではありません: {case_id[:40]}")
    version = cells.get("version", "").strip()
    if version and not (version.isascii() and version.isdigit()):
        raise ValueError(f"版が数ではありません: {version}")
    category = cells.get("category", "").strip() if "category" in cells else None
    if category and categories and category not in categories:
        raise ValueError(f"ない分類です: {category}（{', '.join(sorted(categories))} のどれか）")

    def text(name: str) -> str | None:
        return cells[name].replace("\r\n", "\n") if name in cells else None

    def flag(name: str) -> bool | None:
        return _flag(cells[name], COLUMNS[name]) if name in cells else None

    return CsvRow(
        line=line,
        case_id=case_id,
        version=int(version) if version else None,
        change=Change(
            status=_status(cells["status"]) if "status" in cells else None,
            category=category,
            tags=tuple(filter(None, cells["tags"].split("|"))) if "tags" in cells else None,
            question=text("question"),
            answer=text("answer"),
            complaint=flag("complaint"),
            mistaken_guidance=flag("mistaken_guidance"),
            confidential=flag("confidential"),
            satisfaction=_satisfaction(cells["satisfaction"]) if "satisfaction" in cells else None,
            department=text("department"),
        ),
        calls=_calls(cells, case_id),
    )


def _status(cell: str) -> CaseStatus | None:
    known: dict[str, CaseStatus] = {}
    for status in CaseStatus:
        known |= {status.value: status, status.label_ja: status}
    if cell.strip() and cell.strip() not in known:
        raise ValueError(
            f"ない状況です: {cell}（{'、'.join(status.label_ja for status in CaseStatus)} のどれか）"
        )
    return known.get(cell.strip())


def _flag(cell: str, name: str) -> bool:
    value = cell.strip().lower()
    if value not in _YES | _NO:
        raise ValueError(f"{name}は「はい」か空です: {cell}")
    return value in _YES


def _satisfaction(cell: str) -> int:
    if cell.strip() not in {"", "1", "2", "3", "4", "5"}:
        raise ValueError(f"満足度は 1 から 5 か空です: {cell}")
    return int(cell.strip() or 0)


def _calls(cells: Mapping[str, str], case_id: str) -> tuple[CallSummary, ...]:
    """What makes the case: the column of calls, or one call of the given moment."""
    if cells.get("calls", "").strip() not in ("", "[]"):
        try:
            return tuple(_summary(values) for values in json.loads(cells["calls"]))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            raise ValueError("通話の列が読めません") from None
    moment = cells.get("started_at", "").strip()
    if not moment:
        return ()
    at = _parsed(moment)
    operators = tuple(OperatorId(_short(each)) for each in cells.get("operators", "").split())
    return (
        CallSummary(
            call_id=CallId(f"c-{case_id.removeprefix('i-')}"), caller=None, line=_word(cells.get("line") or None),
            language=_word(cells.get("language") or None), menu_path=(), operators=operators, started_at=at,
            ended_at=at,
        ),
    )  # fmt: skip


def _summary(values: Mapping[str, Any]) -> CallSummary:
    return CallSummary(
        call_id=CallId(_short(values["call_id"], 96)),
        caller=None,
        line=_word(values["line"]),
        language=_word(values["language"]),
        menu_path=tuple(map(str, values["menu_path"])),
        operators=tuple(OperatorId(_short(each)) for each in values["operators"]),
        started_at=_second(values["started_at"]),
        ended_at=_second(values["ended_at"]),
        transferred_to=tuple(dict.fromkeys(each[2] or each[1] for each in values["transfers"])),
        recordings=tuple(map(str, values["recordings"])),
        transfers=tuple(
            HandedOn(at=_second(at), to=_short(to), label=str(label), result=str(result))
            for at, to, label, result in values["transfers"]
        ),
    )


def _word(value: object) -> str | None:
    return None if value is None else _short(value)


def _short(value: object, most: int = 32) -> str:
    if len(text := str(value)) > most:
        raise ValueError(f"長すぎます: {text[:most]}…")
    return text


def _second(value: object) -> float:
    at = float(str(value))
    if not 0 < at < 4_102_444_800:
        raise ValueError(f"日時ではありません: {value}")
    return at


_FORMS: Sequence[Callable[[str], datetime]] = (
    datetime.fromisoformat,
    lambda text: datetime.strptime(text, "%Y/%m/%d %H:%M:%S"),  # noqa: DTZ007
    lambda text: datetime.strptime(text, "%Y/%m/%d %H:%M"),  # noqa: DTZ007
)
"""Ours, and those in which Excel saves them."""


def _parsed(text: str) -> float:
    for form in _FORMS:
        try:
            moment = form(text)
        except ValueError:
            continue
        at = (moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)).timestamp()
        return _second(at)
    raise ValueError(f"開始日時が読めません: {text}")
