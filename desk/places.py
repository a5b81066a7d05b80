"""To whom a call may be handed, and who is there now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from desk.floor_now import FloorNow
from ledger.calls import Call
from services.city import CityProfile
from services.city_directory import lines_received


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somebody of the directory, or another line of the centre, as an operator sees them."""

    extension: str
    name_ja: str
    about: str
    """Which matters, and who answers."""
    here: str
    """Whether somebody is there now, in words."""
    there: bool
    """Whether a call would be rung now, here or at the deputy's."""
    deputy: str = ""
    """Who is tried when nobody takes it; empty for nobody."""
    line: bool = False
    """Another line: calls are handed over without a question."""
    id: str = ""
    """Of the line."""


def places_of(profile: CityProfile, call: Call | None, now: datetime) -> tuple[Place, ...]:
    """The directory and the other lines for a call at a moment."""
    names = {entry.extension: entry.name_ja for entry in profile.acd.directory}
    open_until: dict[str, tuple[bool, str]] = {}
    for entry in profile.acd.directory:
        hours = entry.opening_hours(profile.hours)
        if hours is None:
            open_until[entry.extension] = True, "いつでも"
            continue
        state = hours.state_at(now)
        moment = state.closes_at if state.open else state.next_opening
        words = f"{moment:%H:%M} まで" if state.open else f"次は {moment:%-m月%-d日 %H:%M} から"
        open_until[entry.extension] = state.open, words if moment else ""
    found = []
    for entry in profile.acd.directory:
        opened, words = open_until[entry.extension]
        deputy = entry.deputy or ""
        lines = lines_received(entry, profile.interactions)
        received = not lines or call is None or call.line in lines
        here = f"受付中（{words}）" if opened else f"受付時間外（{words}）"
        if not received:
            here = "この回線の電話は受けません"
        found.append(
            Place(
                extension=entry.extension,
                name_ja=entry.name_ja,
                about="　".join(filter(None, (entry.note, "、".join(entry.people)))),
                here=here,
                there=received and (opened or bool(deputy and open_until[deputy][0])),
                deputy=names.get(deputy, ""),
            )
        )
    found += [
        Place(
            extension=line.extension, name_ja=line.name_ja, about="コールセンターのほかの回線", here="", there=True,
            line=True, id=line.id,
        )
        for line in profile.acd.lines
        if line.extension and (call is None or call.line != line.id)
    ]  # fmt: skip
    return tuple(found)


def with_waiting(places: tuple[Place, ...], now: FloorNow) -> tuple[Place, ...]:
    """The same, with how many wait in each line."""
    waiting = {line.id: line.waiting for line in now.today.lines}
    return tuple(
        replace(each, here=f"お待ち {waiting.get(each.id, 0)} 人") if each.line else each for each in places
    )
