"""What is done to a case as a whole: tags, joining, splitting, and how it came to be as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from core.errors import ToritsugiError
from core.ids import CallId
from desk.pages.cases import CASE, view_of
from desk.pages.entry import redirect
from desk.routes import Table
from desk.visit import MOST_NUMBER, Form, Visit, posted
from interactions.case import Case, CaseStatus
from interactions.case_edit import LONGEST_TAG, MOST_TAGS, Change
from services.access import Permission
from services.case_ports import CaseVersion

table = Table()
READ, WRITE = Permission.CASE_READ, Permission.CASE_WRITE
FIELDS = {
    "status": "結果", "category": "用件の分類", "tags": "タグ", "question": "問い合わせの内容",
    "answer": "案内した内容", "complaint": "苦情", "mistaken_guidance": "誤案内", "confidential": "秘",
    "satisfaction": "満足度", "department": "市の担当", "calls": "通話", "joined_into": "まとめた先",
}  # fmt: skip
_CASE_ID = re.compile(r"i-[A-Za-z0-9.-]{3,90}")


class Tags(Form):
    tags: Annotated[str, Field(title="タグ", max_length=MOST_TAGS * (LONGEST_TAG + 2))] = ""
    base: Annotated[int, Field(ge=0, le=MOST_NUMBER)]
    """Version of the case that the page showed."""


class Join(Form):
    source: Annotated[str, Field(title="まとめる応対", min_length=1, max_length=200)]
    """Its id, or the address of its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one version changed of one field."""

    name_ja: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a case."""

    number: int
    at: float
    by: str
    differences: tuple[Difference, ...]


def versions_of(kept: Sequence[CaseVersion], words: Mapping[str, Mapping[str, str]]) -> list[Version]:
    """Versions with what each one changed, newest first.

    Args:
        words: of fields whose values are ids, how people call the values.
    """
    found, before = [], dict[str, Any]()
    for each in sorted(kept, key=lambda version: version.version):
        differences = tuple(
            Difference(
                name_ja=name_ja,
                before=_told(before.get(name), words.get(name, {})),
                after=_told(each.record.get(name), words.get(name, {})),
            )
            for name, name_ja in FIELDS.items()
            if _told(before.get(name), {}) != _told(each.record.get(name), {})
        )
        found.append(Version(number=each.version, at=each.at, by=each.by, differences=differences))
        before = dict(each.record)
    return found[::-1]


def _told(value: Any, words: Mapping[str, str]) -> str:
    match value:
        case None | "" | False | [] | ():
            return ""
        case True:
            return "はい"
        case list() | tuple():
            return "、".join(str(each) for each in value)
        case _:
            return words.get(str(value), str(value))


@table.get(f"{CASE}/history", READ, "応対履歴の版")
async def history(visit: Visit) -> web.StreamResponse:
    desk, case_id = visit.desk, visit.request.match_info["case"]
    view = await view_of(visit, case_id)
    words = {
        "status": {each.value: each.label_ja for each in CaseStatus},
        "category": {each.id: each.name_ja for each in desk.profile.interactions.categories},
        "department": {entry.extension: entry.name_ja for entry in desk.profile.acd.directory},
    }
    kept = await desk.cases.history(visit.person, case_id)
    return desk.looks.page("cases/history.html", visit, case=view.case, versions=versions_of(kept, words))


async def _mine(visit: Visit) -> Case:
    """The case, which the visitor may write. Raises NotFound, NotAllowed."""
    return (await view_of(visit, visit.request.match_info["case"])).case


@table.post(f"{CASE}/tags", WRITE, "タグを付ける")
async def tags(visit: Visit) -> web.StreamResponse:
    sent, case = await visit.form(Tags), await _mine(visit)
    given = tuple(part.strip() for part in re.split(r"[、,\n]", sent.tags) if part.strip())
    await visit.desk.cases.edit(
        visit.person, case.case_id, Change(tags=given), expected=sent.base, keep_draft=True
    )
    return redirect(f"/cases/{case.case_id}?done=tags")


@table.post(f"{CASE}/join", WRITE, "応対をまとめる")
async def join(visit: Visit) -> web.StreamResponse:
    sent, case = await visit.form(Join), await _mine(visit)
    found = _CASE_ID.search(sent.source)
    if found is None:
        raise ToritsugiError(
            "応対番号ではありません",
            where="まとめる応対",
            cure="まとめる応対の番号 (i-…) か、その画面のアドレスを写す",
        )
    # Seen before it is taken over: nobody joins a case that they may not see.
    other = (await view_of(visit, found[0])).case
    await visit.desk.cases.join(visit.person, case.case_id, other.case_id)
    return redirect(f"/cases/{case.case_id}?done=join")


@table.post(f"{CASE}/split", WRITE, "応対を分ける")
async def split(visit: Visit) -> web.StreamResponse:
    sent, case = await posted(visit.request), await _mine(visit)
    calls = [CallId(value) for value in sent.getall("call", []) if isinstance(value, str)]
    _, made = await visit.desk.cases.split(visit.person, case.case_id, calls)
    return redirect(f"/cases/{made.case_id}?done=split")
