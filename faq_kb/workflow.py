"""How an entry comes into force: draft, read by somebody else, approved by the city, published, retired.

Pure: an entry and a move give the next entry. 印西 §5④(ア): nothing is published without the city's approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.errors import ToritsugiError
from faq_kb.article import Article, State, Step


@unique
class Role(StrEnum):
    """In which role somebody acts."""

    OPERATOR = "operator"
    EDITOR = "editor"
    """情報処理要員: writes and publishes."""
    REVIEWER = "reviewer"
    """Somebody else at the centre who reads what an editor wrote."""
    CITY = "city"
    """The department that answers for it."""

    @property
    def label_ja(self) -> str:
        return {"operator": "オペレーター", "editor": "編集者", "reviewer": "点検者", "city": "市"}[
            self.value
        ]


@unique
class Move(StrEnum):
    """What can be done with an entry."""

    WRITE = "write"
    SUBMIT = "submit"
    REVIEW = "review"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    PUBLISH = "publish"
    RETIRE = "retire"

    @property
    def label_ja(self) -> str:
        return {
            "write": "書く", "submit": "点検に出す", "review": "点検して市に渡す", "approve": "承認する",
            "send_back": "差し戻す", "publish": "公開する", "retire": "廃止する",
        }[self.value]  # fmt: skip


S, R = State, Role
RULES: Mapping[Move, tuple[frozenset[State], State, frozenset[Role]]] = {
    Move.WRITE: (frozenset(S), S.DRAFT, frozenset({R.EDITOR, R.CITY})),
    Move.SUBMIT: (frozenset({S.DRAFT}), S.REVIEW, frozenset({R.EDITOR, R.CITY})),
    Move.REVIEW: (frozenset({S.REVIEW}), S.APPROVAL, frozenset({R.REVIEWER, R.CITY})),
    Move.APPROVE: (frozenset({S.APPROVAL}), S.APPROVED, frozenset({R.CITY})),
    Move.SEND_BACK: (
        frozenset({S.REVIEW, S.APPROVAL, S.APPROVED}), S.DRAFT, frozenset({R.REVIEWER, R.CITY})
    ),
    Move.PUBLISH: (frozenset({S.APPROVED}), S.PUBLISHED, frozenset({R.EDITOR, R.CITY})),
    Move.RETIRE: (frozenset(S) - {S.RETIRED}, S.RETIRED, frozenset({R.CITY})),
}  # fmt: skip
"""From where, to where, by whom."""


def new_article(article_id: str, *, at: float, by: str, role: Role, note: str = "") -> Article:
    """An entry with a first draft.

    Raises:
        ToritsugiError: the role may not write, or nobody is named.
    """
    _require(article_id, Move.WRITE, role, by)
    step = Step(at=at, by=by, role=role, state=S.DRAFT, version=1, note=note)
    return Article(article_id=article_id, state=S.DRAFT, latest=1, steps=(step,))


def moved(
    article: Article,
    move: Move,
    *,
    at: float,
    by: str,
    role: Role,
    note: str = "",
    due_at: float | None = None,
) -> Article:
    """The entry after a move. Writing makes a new version, whose number is the next `latest`.

    Raises:
        ToritsugiError: the entry is not where the move begins, the role may not do it, nobody is named, a reason is
            missing where one is owed, or the author would read the own text.
    """
    start, goal, _ = RULES[move]
    _require(article.article_id, move, role, by)
    if article.state not in start:
        raise ToritsugiError(
            f"「{article.state.label_ja}」の項目を{move.label_ja}ことはできません",
            where=article.article_id,
            cure="toritsugi faq show で状態を確かめる",
        )
    if move in (Move.SEND_BACK, Move.RETIRE) and not note.strip():
        raise ToritsugiError("理由がありません", where="--note", cure="理由を書く")
    if move is Move.REVIEW and by.strip() in writers(article):
        raise ToritsugiError(
            "書いた人は自分の文を点検できません", where=article.article_id, cure="ほかの人が点検する"
        )
    version = article.latest + 1 if move is Move.WRITE else article.latest
    published = article.published
    if move is Move.PUBLISH:
        published = version
    elif move is Move.RETIRE:
        published = 0
    return replace(
        article,
        state=goal,
        latest=version,
        published=published,
        due_at=due_at if goal in (S.DRAFT, S.REVIEW, S.APPROVAL, S.APPROVED) else None,
        steps=(
            *article.steps,
            Step(at=at, by=by.strip(), role=role, state=goal, version=version, note=note),
        ),
    )


def taken_in(
    article: Article | None, article_id: str, state: State, *, at: float, by: str, note: str
) -> Article:
    """The entry after a file brought a text for it, in a state that the file's owner answers for."""
    version = (article.latest if article else 0) + 1
    published = article.published if article else 0
    if state is S.PUBLISHED:
        published = version
    elif state is S.RETIRED:
        published = 0
    step = Step(at=at, by=by, role=R.EDITOR, state=state, version=version, note=note)
    return Article(
        article_id=article_id,
        state=state,
        latest=version,
        published=published,
        steps=(*(article.steps if article else ()), step),
    )


def writers(article: Article) -> frozenset[str]:
    """Who wrote the newest version."""
    return frozenset(
        step.by for step in article.steps if step.version == article.latest and step.state is S.DRAFT
    )


def late(articles: Iterable[Article], now: float) -> list[Article]:
    """Those whose turn was due before `now`, the longest overdue first."""
    found = [each for each in articles if each.due_at is not None and each.due_at < now]
    return sorted(found, key=lambda each: (each.due_at or 0.0, each.article_id))


def _require(article_id: str, move: Move, role: Role, by: str) -> None:
    roles = RULES[move][2]
    if role not in roles:
        raise ToritsugiError(
            f"{role.label_ja}は{move.label_ja}ことができません",
            where=article_id,
            cure=f"できるのは: {'、'.join(sorted(each.label_ja for each in roles))}",
        )
    if not by.strip():
        raise ToritsugiError("だれがしたかがありません", where="--by", cure="氏名を書く")


# ---- requests for a change ------------------------------------------------------------------------


@unique
class RequestState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"

    @property
    def label_ja(self) -> str:
        return {"open": "未対応", "done": "反映済み", "declined": "見送り"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """Somebody asks for a new entry, or that one be changed or retired."""

    request_id: str
    article_id: str
    """Empty for a new entry."""
    content: str
    by: str
    opened_at: float
    due_at: float
    state: RequestState = RequestState.OPEN
    result: str = ""
    ended_at: float | None = None
    ended_by: str = ""


def answered(
    request: ChangeRequest, state: RequestState, *, at: float, by: str, result: str
) -> ChangeRequest:
    """The request at its end.

    Raises:
        ToritsugiError: it is at its end already, nobody is named, or nothing is said of what came of it.
    """
    if request.state is not RequestState.OPEN or state is RequestState.OPEN:
        raise ToritsugiError(
            f"「{request.state.label_ja}」の依頼を「{state.label_ja}」にはできません",
            where=request.request_id,
            cure="toritsugi faq requests で状態を確かめる",
        )
    if not by.strip():
        raise ToritsugiError("だれがしたかがありません", where="--by", cure="氏名を書く")
    if not result.strip():
        raise ToritsugiError("結果がありません", where="--result", cure="何をしたか、なぜ見送るかを書く")
    return replace(request, state=state, result=result, ended_at=at, ended_by=by)
