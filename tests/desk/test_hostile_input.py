"""What no page of ours sends: it is refused in words, and never an inner fault."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from aiohttp import ClientSession
from desk_world import FIRST, World
from signing_in import SignedIn

from desk.pages.seat import write_finished
from interactions.case import case_id_of
from services.case_ports import CaseDraft

pytestmark = pytest.mark.desk
Browser = Callable[[], ClientSession]
DRAFT = f"/desk/calls/{FIRST.call_id}/draft"


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("kantoku", "/cases?first=0001-01-01&last=0001-01-01"), ("kantoku", "/cases?last=0001-01-01"),
        ("kantoku", "/cases?last=9999-12-31"), ("kantoku", f"/cases?after={10**30}"), ("kantoku", "/cases?words=%00"),
        ("kantoku", "/api/v1/cases?last=9999-12-31"), ("kanri", "/audit?first=9999-12-31&last=9999-12-31"),
        ("kanri", "/api/v1/audit?first=0001-01-01&last=0001-01-01"), ("kantoku", "/reports/daily?day=9999-12-31"),
        ("kantoku", "/reports/daily?day=0001-01-01"),
    ],
)  # fmt: skip
async def test_days_and_numbers_that_nobody_can_mean(
    world: World, signed_in: SignedIn, who: str, path: str
) -> None:
    assert (await (await signed_in(who)).get(path)).status == 422


@pytest.mark.parametrize(
    "body",
    [
        '{"fields": {"question": "a\\u0000b"}, "base": 0, "revision": 1}',
        '{"fields": {}, "base": 99999999999999999999, "revision": 1}',
        '{"fields": {"question": "\\ud800"}, "base": 0, "revision": 1}', "[" * 100_000, "9" * 5000, "[]",
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_kept(world: World, signed_in: SignedIn, body: str) -> None:
    session = await signed_in("aoki")
    for kind in ("application/json", "application/json; charset=nonsense"):
        assert (await session.put(DRAFT, data=body, headers={"Content-Type": kind})).status == 422
    async with world.database.reading() as unit:
        assert await unit.cases.drafts(case_id_of(FIRST.call_id)) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\nname"), ("multipart/form-data", b"x"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"name=x"),
        ("application/x-www-form-urlencoded", b"name=%00&password=x"),
    ],
)  # fmt: skip
async def test_a_form_that_is_none(
    world: World, browser: Browser, signed_in: SignedIn, kind: str, body: bytes
) -> None:
    headers = {"Content-Type": kind}
    assert (await browser().post("/sign-in", data=body, headers=headers)).status == 422
    session = await signed_in("kantoku")
    del session.headers["X-CSRF-Token"]
    assert (await session.post("/board/reopen", data=body, headers=headers)).status in (403, 422)


async def test_a_draft_that_cannot_be_written_holds_up_no_other(
    world: World, signed_in: SignedIn, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"category": world.profile.interactions.categories[0].id, "question": "問い", "answer": "答え"}
    async with world.database.uow() as unit:
        mine = [case for case in await unit.cases.between(0, 4e9) if "101" in case.operators][:2]
        for case in mine:
            await unit.cases.put_draft(
                CaseDraft(
                    case_id=case.case_id, person="aoki", base_version=case.version, saved_at=1.0,
                    content=fields | {"revision": 1, "final": True},
                )
            )  # fmt: skip
    real = world.desk.cases.edit

    async def edit(person, case_id, change, *, expected):  # type: ignore[no-untyped-def]
        if case_id == mine[0].case_id:
            raise RuntimeError("the driver refuses a value")
        return await real(person, case_id, change, expected=expected)

    monkeypatch.setattr(world.desk.cases, "edit", edit)
    with caplog.at_level(logging.ERROR):
        await write_finished(world.desk)
    async with world.database.reading() as unit:
        after = await unit.cases.get(mine[1].case_id)
    assert after is not None
    assert after.question == "問い"


async def test_a_case_that_can_never_be_written_is_not_tried_for_ever(
    world: World, signed_in: SignedIn
) -> None:
    session = await signed_in("aoki")
    fields = {"category": world.profile.interactions.categories[0].id, "question": "問い", "answer": "答え"}
    sent = {"fields": fields | {"department": "999"}, "base": 1, "revision": 1, "final": True}
    assert (await session.put(DRAFT, json=sent)).status == 422
    async with world.database.uow() as unit:
        assert await unit.cases.every_draft() == []
        theirs = next(case for case in await unit.cases.between(0, 4e9) if case.operators == ("103",))
        await unit.cases.put_draft(
            CaseDraft(
                case_id=theirs.case_id, person="aoki", base_version=theirs.version, saved_at=1.0,
                content=fields | {"revision": 1, "final": True},
            )
        )  # fmt: skip
    await write_finished(world.desk)
    async with world.database.reading() as unit:
        kept = await unit.cases.every_draft()
    assert [(draft.content["question"], draft.content["final"]) for draft in kept] == [("問い", False)]
