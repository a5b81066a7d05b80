"""What people do to a case: write, join, split. Pure: a case and a change give the next version.

Two people may have the same case open. Each says which version the change was made on; a change on an older one is
refused, so that nobody's words are overwritten unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace

from core.errors import ToritsugiError
from core.ids import CallId
from interactions.case import CallSummary, Case, CaseStatus, TranscriptState, case_id_of

LONGEST_TEXT = 20_000
"""Characters in a question, an answer or a note."""
MOST_TAGS = 20
LONGEST_TAG = 40


class CaseConflict(ToritsugiError):
    """Somebody else has saved the case in between."""

    code = "interactions.conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different; None leaves as it is."""

    status: CaseStatus | None = None
    category: str | None = None
    """Empty: none."""
    tags: tuple[str, ...] | None = None
    question: str | None = None
    answer: str | None = None
    complaint: bool | None = None
    mistaken_guidance: bool | None = None
    confidential: bool | None = None
    satisfaction: int | None = None
    """1 to 5; 0 takes it out."""
    department: str | None = None
    """Extension of the directory; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One remark in the thread that operators and the city share. It holds personal data."""

    note_id: str
    at: float
    by: str
    side: str
    """`operator` or `city`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqUse:
    """An article that was shown during a case, and perhaps used for the answer."""

    case_id: str
    """Of a case that may not be opened yet."""
    article: str
    version: int
    shown_at: float
    used_at: float | None = None
    by: str = ""


CONTENT = tuple(field.name for field in fields(Change))
"""What people write into a case."""


def edited(case: Case, change: Change, *, expected: int, at: float, by: str) -> Case:
    """The next version; the same object when nothing would be different.

    Args:
        expected: the version that the person saw.
        at: epoch seconds.
        by: whose change it is.

    Raises:
        CaseConflict: the case is at another version.
        ToritsugiError: the case is joined into another, or a value is out of range.
    """
    _alive(case)
    if expected != case.version:
        raise CaseConflict(
            f"{case.edited_by or 'システム'}が先に保存しています（版 {case.version}。開いたときは版 {expected}）",
            where=case.case_id,
            cure="今の内容を開き直し、自分の変更をもう一度書く",
        )
    _checked(case, change)
    wanted = {name: getattr(change, name) for name in CONTENT if getattr(change, name) is not None}
    for name in ("question", "answer"):
        if name in wanted:
            wanted[name] = plain_text(wanted[name])
    if "tags" in wanted:
        wanted["tags"] = tidy_tags(wanted["tags"])
    if "category" in wanted:
        wanted["category"] = wanted["category"] or None
    if "satisfaction" in wanted:
        wanted["satisfaction"] = wanted["satisfaction"] or None
    after = replace(case, **wanted)
    if after == case:
        return case
    if after.status is CaseStatus.DONE and case.status is not CaseStatus.DONE and after.unwritten:
        raise ToritsugiError(
            "内容も回答もないまま完了にはできません",
            where=case.case_id,
            cure="何を聞かれ、どう答えたかを書く",
        )
    return _next(after, at, by)


def changed_fields(before: Case, after: Case) -> tuple[str, ...]:
    """Names of what differs in content, for the history and the audit."""
    names = [name for name in CONTENT if getattr(before, name) != getattr(after, name)]
    if [call.call_id for call in before.calls] != [call.call_id for call in after.calls]:
        names.append("calls")
    if before.joined_into != after.joined_into:
        names.append("joined_into")
    return tuple(names)


def tidy_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, without spaces around it, in order. `|` parts tags in a table, so none holds it.

    Raises:
        ToritsugiError: too many, or one too long.
    """
    plain = (" ".join(plain_text(tag).replace("|", "｜").split()) for tag in tags)
    tidy = tuple(dict.fromkeys(tag for tag in plain if tag))
    if len(tidy) > MOST_TAGS:
        raise ToritsugiError(f"タグは {MOST_TAGS} 個までです", where="tags", cure="大切なものだけ残す")
    for tag in tidy:
        if len(tag) > LONGEST_TAG:
            raise ToritsugiError(
                f"長すぎるタグです: {tag[:12]}…", where="tags", cure=f"{LONGEST_TAG} 字までにする"
            )
    return tidy


def joined(target: Case, source: Case, *, at: float, by: str) -> tuple[Case, Case]:
    """`target` with the calls and words of `source`, and what is left of `source`.

    Raises:
        ToritsugiError: the same case twice, or one of them is joined into another already.
    """
    _alive(target)
    _alive(source)
    if target.case_id == source.case_id:
        raise ToritsugiError("同じ応対どうしはまとめられません", where=target.case_id, cure="別の応対を選ぶ")
    merged = replace(
        target,
        calls=_by_time((*target.calls, *source.calls)),
        tags=tuple(dict.fromkeys((*target.tags, *source.tags)))[:MOST_TAGS],
        question=_both(target.question, source.question),
        answer=_both(target.answer, source.answer),
        complaint=target.complaint or source.complaint,
        mistaken_guidance=target.mistaken_guidance or source.mistaken_guidance,
        confidential=target.confidential or source.confidential,
        satisfaction=target.satisfaction if target.satisfaction is not None else source.satisfaction,
        department=target.department or source.department,
        transcript=transcript_of((target.transcript, source.transcript)),
    )
    left = replace(
        source, opened_at=source.started_at, calls=(), joined_into=target.case_id, status=CaseStatus.DONE
    )
    return _next(merged, at, by), _next(left, at, by)


def split(
    case: Case, calls: Collection[CallId], before: Case | None, *, at: float, by: str
) -> tuple[Case, Case]:
    """The case without `calls`, and the case that these make: the one they had opened, or a new one.

    Args:
        case: what is to be split; its words stay with it.
        calls: of the case; some, not all, and not the one it was opened by.
        before: what is stored under `case_id_of(first of calls)`: that case as it was when it was joined.

    Raises:
        ToritsugiError: `calls` do not part the case in two.
    """
    _alive(case)
    out = _by_time(call for call in case.calls if call.call_id in calls)
    stay = tuple(call for call in case.calls if call.call_id not in calls)
    if len(out) != len(set(calls)) or not out or not stay:
        raise ToritsugiError(
            "分ける通話が、この応対の一部ではありません",
            where=case.case_id,
            cure="この応対の通話の一部を選ぶ",
        )
    if any(case_id_of(call.call_id) == case.case_id for call in out):
        raise ToritsugiError(
            "この応対が始まった通話は分けられません", where=case.case_id, cure="残りの通話のほうを選ぶ"
        )
    if before is not None and before.joined_into is None:
        raise ToritsugiError(
            f"{before.case_id} はまとめられていません",
            where=case.case_id,
            cure="toritsugi cases show で確かめる",
        )
    opened = before or Case(case_id=case_id_of(out[0].call_id), calls=(), category=case.category, version=0)
    new = replace(
        opened,
        calls=out,
        opened_at=out[0].started_at,
        joined_into=None,
        status=CaseStatus.IN_PROGRESS,
        confidential=opened.confidential or case.confidential,
    )
    return _next(replace(case, calls=stay), at, by), _next(new, at, by)


def checked_note(text: str) -> str:
    """A remark as it is stored.

    Raises:
        ToritsugiError: it is empty or too long.
    """
    tidy = plain_text(text).strip()
    if not tidy:
        raise ToritsugiError("メモが空です", where="text", cure="内容を書く")
    _short(tidy, "text")
    return tidy


def plain_text(text: str) -> str:
    """With line feeds alone between lines, and without what no database keeps (NUL, halves of characters)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return lines.encode("utf-8", "ignore").decode("utf-8")


def transcript_of(states: Iterable[TranscriptState]) -> TranscriptState:
    """What a case shows that has these: a text if there is one, else that one is awaited."""
    found = set(states)
    for state in (TranscriptState.READY, TranscriptState.WAITING, TranscriptState.UNAVAILABLE):
        if state in found:
            return state
    return TranscriptState.NONE


def _next(case: Case, at: float, by: str) -> Case:
    return replace(case, version=case.version + 1, edited_at=at, edited_by=by)


def _alive(case: Case) -> None:
    if case.joined_into is not None:
        raise ToritsugiError(
            f"{case.joined_into} にまとめられています", where=case.case_id, cure=f"{case.joined_into} を開く"
        )


def _checked(case: Case, change: Change) -> None:
    for name in ("question", "answer"):
        _short(getattr(change, name) or "", name)
    for name, most in (("category", 64), ("department", 32)):
        if len(getattr(change, name) or "") > most:
            raise ToritsugiError("長すぎます", where=name, cure=f"{most} 字までにする")
    if change.satisfaction is not None and not 0 <= change.satisfaction <= 5:
        raise ToritsugiError(
            f"満足度は 1 から 5 です: {change.satisfaction}", where=case.case_id, cure="0 で取り消す"
        )


def _short(text: str, name: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ToritsugiError(f"長すぎます（{len(text)} 字）", where=name, cure=f"{LONGEST_TEXT} 字までにする")


def _by_time(calls: Iterable[CallSummary]) -> tuple[CallSummary, ...]:
    return tuple(sorted(calls, key=lambda call: (call.started_at, call.call_id)))


def _both(first: str, second: str) -> str:
    if not second.strip() or second in first:
        return first
    if not first.strip():
        return second
    return (
        f"{first}\n\n{second}"[:LONGEST_TEXT]
        if len(first) + len(second) > LONGEST_TEXT
        else f"{first}\n\n{second}"
    )
