"""What people at a desk do with the knowledge base: by their role, each step written down."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from core.errors import ToritsugiError
from faq_kb.article import Article, Content, State
from faq_kb.gaps import Gap
from faq_kb.synonyms import SynonymSet
from faq_kb.workflow import RULES, ChangeRequest, Move, RequestState, Role, answered, writers
from interactions.ticket import Ticket
from services.access import Permission
from services.faq import Who, move_entry, unknown
from services.faq_loop import recall_correction
from services.ports import AuditEntry, UnitOfWork


def roles_of(permissions: frozenset[Permission]) -> frozenset[Role]:
    """As what somebody acts on entries. The city's word is never the centre's."""
    if Permission.FAQ_APPROVE in permissions:
        return frozenset({Role.CITY})
    return frozenset(
        role
        for role, permission in (
            (Role.EDITOR, Permission.FAQ_WRITE),
            (Role.REVIEWER, Permission.FAQ_REVIEW),
        )
        if permission in permissions
    )


def role_for(move: Move, roles: frozenset[Role]) -> Role | None:
    """The role in which somebody makes a move; None when they may not."""
    return min(RULES[move][2] & roles, default=None)


def moves_for(article: Article, roles: frozenset[Role], by: str) -> tuple[Move, ...]:
    """What somebody may do with an entry as it stands; writing it is told by `role_for`."""
    return tuple(
        move
        for move, (start, _, _) in RULES.items()
        if move is not Move.WRITE
        and article.state in start
        and role_for(move, roles) is not None
        and not (move is Move.REVIEW and by in writers(article))
    )


async def step(
    unit: UnitOfWork,
    article_id: str,
    move: Move,
    who: Who,
    *,
    note: str,
    due_at: float,
    recall_due_at: float,
    departments: frozenset[str],
) -> tuple[Article, list[Ticket]]:
    """Bring an entry a step further; publishing a correction asks that whoever was told wrong is called back.

    Args:
        departments: extensions that a request to the city may be for.

    Raises:
        ToritsugiError: see `services.faq.move_entry`.
    """
    before = await unit.faq.get(article_id)
    after = await move_entry(unit, article_id, move, who, note=note, due_at=due_at)
    if move is not Move.PUBLISH or before is None or not before.published:
        return after, []
    version = (await unit.faq.in_force([article_id]))[article_id]
    if not version.correcting:
        return after, []
    tickets = await recall_correction(
        unit, article_id, before.published, note=version.note, now=who.at, due_at=recall_due_at, by=who.by,
        departments=departments,
    )  # fmt: skip
    return after, tickets


def drafted(gap: Gap) -> Content:
    """An entry to begin with, from what was asked in vain; a person writes the answer."""
    told = "".join(f"\n・{sentence}" for sentence in gap.draft.told)
    return Content(
        question=gap.draft.question,
        answer=f"（回答を書いてください。{len(gap.calls)}件の通話での案内:{told or ' なし'}）",
        forms=gap.draft.forms,
        source="通話から抽出した不足",
    )


# ---- requests and synonyms ------------------------------------------------------------------------


async def ask_change(
    unit: UnitOfWork, article_id: str, content: str, *, due_at: float, by: str, at: float
) -> ChangeRequest:
    """Somebody asks that an entry be changed, or for a new one (`article_id` empty).

    Raises:
        ToritsugiError: nothing is said, or there is no such entry.
    """
    if not content.strip():
        raise ToritsugiError("内容がありません", where="内容", cure="どう変えてほしいかを書く")
    if article_id and await unit.faq.get(article_id) is None:
        raise unknown(article_id)
    request = ChangeRequest(
        request_id=f"f-{secrets.token_hex(4)}", article_id=article_id, content=content.strip(), by=by, opened_at=at,
        due_at=due_at,
    )  # fmt: skip
    await unit.faq.put_request(request)
    await _audit(unit, "faq.request", request.request_id, by, at, article=article_id)
    return request


async def answer_change(
    unit: UnitOfWork, request_id: str, state: RequestState, *, result: str, by: str, at: float
) -> ChangeRequest:
    """A request is done, or declined.

    Raises:
        ToritsugiError: there is none, it is at its end, or nothing is said of what came of it.
    """
    request = await unit.faq.request(request_id)
    if request is None:
        raise ToritsugiError(f"ない依頼です: {request_id}", where="番号", cure="依頼の一覧で確かめる")
    after = answered(request, state, at=at, by=by, result=result)
    await unit.faq.put_request(after)
    await _audit(unit, f"faq.request_{state.value}", request_id, by, at, article=request.article_id)
    return after


async def add_synonyms(unit: UnitOfWork, words: Sequence[str], *, by: str, at: float) -> SynonymSet:
    """Make expressions mean the same to the search. Raises ToritsugiError for fewer than two."""
    kept = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if len(kept) < 2:
        raise ToritsugiError("言葉が二つ以上要ります", where="言葉", cure="例: 紛失 なくした")
    added = SynonymSet(set_id=f"w-{secrets.token_hex(4)}", words=kept)
    await unit.faq.put_synonyms([added])
    await _audit(unit, "faq.synonyms", added.set_id, by, at, words=list(kept))
    return added


async def remove_synonyms(unit: UnitOfWork, set_id: str, *, by: str, at: float) -> None:
    """Raises ToritsugiError when there is no such set."""
    if not await unit.faq.drop_synonyms(set_id):
        raise ToritsugiError(f"ない組です: {set_id}", where="番号", cure="類義語の一覧で確かめる")
    await _audit(unit, "faq.synonyms_removed", set_id, by, at, words=[])


def waiting_for(roles: frozenset[Role]) -> tuple[State, ...]:
    """States in which an entry waits for these roles."""
    if Role.CITY in roles:
        return (State.APPROVAL,)
    found = []
    if Role.REVIEWER in roles:
        found.append(State.REVIEW)
    if Role.EDITOR in roles:
        found.append(State.APPROVED)
    return tuple(found)


async def _audit(unit: UnitOfWork, action: str, subject: str, by: str, at: float, **detail: object) -> None:
    await unit.audit.add(AuditEntry(at=at, actor=by, action=action, subject=subject, detail=detail))
