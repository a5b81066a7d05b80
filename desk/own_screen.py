"""What stands on one operator's screen: state, the call, its caller's earlier cases, drafts, figures of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acd.command_rules import possible_now
from acd.long_call_profile import WORDS
from core.ids import CallId, OperatorId
from desk.earlier import earlier_cases
from desk.floor_now import FloorNow, SeatNow, WaitingNow
from desk.lately import Lately
from desk.places import Place, places_of, with_waiting
from desk.visit import Desk, person_of
from interactions.case import Case
from services.desk_ports import User

DRAFTS_EVERY_S = 60.0
PLACES_EVERY_S = 15.0
Begun = tuple[tuple[CallId, bool, float], ...]
"""Drafts: call, whether it is finished, and when it was last written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """One's own figures of today."""

    calls: int
    talk_s: float | None
    wrap_up_s: float | None
    load: float | None
    team: float | None
    """Mean load of all who are signed in."""


def drawn(desk: Desk, user: User, operator: OperatorId, *, once: bool = False) -> Callable[[FloorNow], Any]:
    """The regions of one operator's screen; `once` for a page, which waits for all of them."""
    places: dict[tuple[CallId | None, int], tuple[Place, ...]] = {}
    last: list[tuple[Any, Mapping[str, tuple[Any, Callable[[], str]]]]] = []
    person = person_of(user)

    async def cases_of(number: str) -> tuple[Case, ...]:
        return await earlier_cases(desk, person, number) if number else ()

    earlier: Lately[str, tuple[Case, ...]] = Lately(cases_of, (), keeps=False)
    # Again whenever they changed here, and now and then, should they have changed elsewhere.
    begun: Lately[tuple[int, int], Begun] = Lately(lambda _: _begun(desk, user.name), (), keeps=True)

    async def draw(now: FloorNow) -> Mapping[str, tuple[Any, Callable[[], str]]]:
        part = desk.looks.part
        account, seat = desk.hub.account(operator), desk.hub.seat(operator)
        ringing = next((each for each in now.waiting if account and each.rings == operator), None)
        number = _number(seat, ringing)
        written = desk.hub.stamps[user.name], int((desk.clock.epoch() + int(operator)) // DRAFTS_EVERY_S)
        if once:
            await earlier.read(number)
            await begun.read(written)
        call = seat.call if seat else None
        cases = tuple(
            case
            for case in earlier.of(number)
            if call is None or all(each.call_id != call.call for each in case.calls)
        )
        drafts = begun.of(written)
        talking = seat is not None and seat.kind == "talking"
        known = call.call if call else None
        hand = desk.hands.of(user, operator, known) if talking else None
        key = known, int(desk.clock.epoch() // PLACES_EVERY_S)
        if talking and key not in places:
            places.clear()
            places[key] = places_of(
                desk.profile, desk.hub.call(known) if known else None, desk.clock.city_now()
            )

        queues = with_waiting(places[key], now) if talking else ()
        handled, team = desk.hub.handled.get(operator), desk.hub.team_load
        change = desk.hub.stamps[user.name]
        shows = seat, account, ringing, number, cases, drafts, change, hand, queues, handled, team
        if last and last[0][0] == shows:
            # One of two hundred: nearly always nothing of it has changed.
            return last[0][1]

        def region(name: str, **values: Any) -> tuple[Any, Callable[[], str]]:
            return values, lambda: part(f"seat/{name}.html", **values)

        waiting = call is None and ringing is not None
        regions = {
            "state": region("state", seat=seat, account=account, skills=_skills(desk, account)),
            "call": region(
                "call", seat=seat, call=call, ringing=ringing if waiting else None,
                path=_path(desk, ringing) if waiting else (),
            ),
            "hand": region(
                "hand", talking=talking, hand=hand, recorded=call is not None and call.recorded,
                may=possible_now(hand) if hand else frozenset(),
                places=queues, sentences=WORDS,
            ),
            "earlier": region("earlier", cases=cases, number=number, categories=categories_of(desk)),
            "drafts": region(
                # The number of the change is drawn too: a form that waits for its record looks again at each.
                "drafts", drafts=tuple(each for each in drafts if call is None or each[0] != call.call), change=change,
            ),
            "own": region("own", own=_own(desk, seat, operator)),
        }  # fmt: skip
        last[:] = [(shows, regions)]
        return regions

    return draw


def _number(seat: SeatNow | None, ringing: WaitingNow | None) -> str:
    caller = seat.call.caller if seat and seat.call else ringing.caller if ringing else None
    return (caller.number or "") if caller else ""


async def _begun(desk: Desk, name: str) -> Begun:
    """What somebody has begun to write."""
    async with desk.reading() as unit:
        drafts = await unit.cases.drafts_of(name)
    return tuple((_call_of(each.case_id), bool(each.content.get("final")), each.saved_at) for each in drafts)


def _call_of(case_id: str) -> CallId:
    """The call that opened a case (`interactions.case.case_id_of`)."""
    return CallId(f"c-{case_id.removeprefix('i-')}")


def _path(desk: Desk, ringing: WaitingNow | None) -> tuple[str, ...]:
    call = desk.hub.call(ringing.call) if ringing and ringing.call else None
    return desk.hub.words.path(call) if call else ()


def _skills(desk: Desk, account: Any) -> tuple[tuple[str, int], ...]:
    if account is None:
        return ()
    names = desk.hub.words.lines | {str(skill.id): skill.name_ja for skill in desk.profile.acd.skills}
    return tuple(
        (names.get(skill, desk.looks.language(skill)), level) for skill, level in account.skills.items()
    )


def categories_of(desk: Desk) -> dict[str, str]:
    return {each.id: each.name_ja for each in desk.profile.interactions.categories}


def _own(desk: Desk, seat: SeatNow | None, operator: OperatorId) -> Own:
    handled = desk.hub.handled.get(operator)
    return Own(
        calls=handled.calls if handled else 0,
        talk_s=handled.talk_s if handled else None,
        wrap_up_s=handled.wrap_up_s if handled else None,
        load=seat.load if seat else None,
        team=desk.hub.team_load,
    )
