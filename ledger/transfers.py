"""Who of the directory was asked or handed the caller, and from when to when they talked with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.ids import Uniqueid
from ledger import facts as f
from ledger.calls import StaffSegment, Transfer, TransferKind
from ledger.story import Story

_NEAR_S = 5.0
_BRIEF_S = 0.05
"""Asterisk takes a leg out of a bridge and puts it back when bridges are joined; shorter gaps are none."""


@dataclass(frozen=True, slots=True)
class _Stay:
    """A leg in a bridge; `until` is None while it lasts, or when nothing tells."""

    bridge: str
    since: float
    until: float | None


def staff_of(story: Story) -> tuple[StaffSegment, ...]:
    """Every stretch in which a directory entry's leg was in one bridge with the caller's, in order.

    The caller has another leg when they are called back.
    """
    called_back = [fact.citizen_channel for fact in story.all(f.CallbackTalked) if fact.citizen_channel]
    caller = [stay for leg in (story.citizen, *called_back) for stay in _stays(story, leg)]
    found: list[StaffSegment] = []
    for reached in _first_of_each_leg(story):
        stretches = _together(caller, _stays(story, reached.channel))
        for since, until in _joined_up(stretches):
            found.append(
                StaffSegment(to=reached.to, started_at=since, ended_at=until, channel=reached.channel)
            )
    return tuple(sorted(found, key=lambda segment: (segment.started_at, segment.channel)))


def transfers_of(story: Story, staff: Sequence[StaffSegment]) -> tuple[Transfer, ...]:
    """Transfers and consultations in order.

    A directory entry's start and result are one; an operator's own handing-over is one. A consultation after which the
    one who was asked talked with the caller was an attended transfer.
    """
    blind = _paired(
        Transfer(
            at=fact.at,
            to=fact.to,
            label=fact.label,
            result=fact.result,
            kind=TransferKind.STRAIGHT if fact.straight else TransferKind.BLIND,
            in_place_of=fact.in_place_of,
        )
        for fact in story.all(f.Transferred)
    )
    asked = _paired(
        Transfer(
            at=fact.at,
            to=fact.to,
            label="",
            result=fact.result,
            kind=TransferKind.CONSULT,
            in_place_of=fact.in_place_of,
        )
        for fact in story.all(f.Consulted)
    )
    begun = sorted([*blind, *asked], key=lambda transfer: transfer.at)
    until = [transfer.at for transfer in begun[1:]] + [float("inf")] * bool(begun)
    told = [_outcome(story, transfer, end, staff) for transfer, end in zip(begun, until, strict=True)]
    return tuple(sorted([*told, *_untold(story, told)], key=lambda transfer: transfer.at))


def _paired(rows: Iterable[Transfer]) -> list[Transfer]:
    """Each beginning with the result that followed it."""
    found: list[Transfer] = []
    for row in rows:
        if row.result and found and found[-1].to == row.to and not found[-1].result:
            found[-1] = replace(found[-1], label=row.label or found[-1].label, result=row.result)
        else:
            found.append(row)
    return found


def _outcome(story: Story, transfer: Transfer, until: float, staff: Sequence[StaffSegment]) -> Transfer:
    """With the result that no line tells: the dialplan ends with the leg it runs on, in a talk or while it rings.

    `until` is when the next transfer began: who is reached later is reached by that one.
    """
    reached = [
        fact.channel
        for fact in story.all(f.StaffReached)
        if fact.to == transfer.to and transfer.at <= fact.at < until
    ]
    result = transfer.result
    if not result and reached:
        result = "ANSWER"
    elif not result and (story.ended_at is not None or until < float("inf")):
        result = "CANCEL"
    joined = transfer.kind is TransferKind.CONSULT and any(segment.channel in reached for segment in staff)
    return replace(transfer, result=result, kind=TransferKind.ATTENDED if joined else transfer.kind)


def _untold(story: Story, told: Sequence[Transfer]) -> Iterable[Transfer]:
    """What only queue_log tells: an operator handed the caller to a colleague or to a queue."""
    for fact in story.all(f.Served):
        if fact.how not in {"BLINDTRANSFER", "ATTENDEDTRANSFER"}:
            continue
        if fact.how == "ATTENDEDTRANSFER" and any(x.kind is TransferKind.ATTENDED for x in told):
            continue
        if not any(abs(transfer.at - fact.at) <= _NEAR_S for transfer in told):
            yield Transfer(at=fact.at, to="", label="", result="")


def _first_of_each_leg(story: Story) -> list[f.StaffReached]:
    found: dict[Uniqueid, f.StaffReached] = {}
    for fact in story.all(f.StaffReached):
        found.setdefault(fact.channel, fact)
    return list(found.values())


def _stays(story: Story, leg: Uniqueid) -> list[_Stay]:
    """Where this leg was, by time.

    Asterisk (seen on 22.10) writes no BRIDGE_ENTER of a leg that a transfer puts into a bridge which the asking leg
    entered within the same millisecond. A leg is in one bridge at a time: it came when it left the one before.
    """
    stays: list[_Stay] = []
    left_at: float | None = None
    for fact in story.facts:
        if isinstance(fact, f.LegJoined) and fact.uniqueid == leg:
            stays.append(_Stay(fact.bridge, fact.at, None))
        elif isinstance(fact, f.LegLeft) and fact.uniqueid == leg:
            here = [
                place for place, stay in enumerate(stays) if stay.until is None and stay.bridge == fact.bridge
            ]
            for place in here:
                stays[place] = replace(stays[place], until=fact.at)
            if not here and left_at is not None:
                stays.append(_Stay(fact.bridge, left_at, fact.at))
            left_at = fact.at
        elif isinstance(fact, f.HungUp) and fact.uniqueid == leg:
            stays = [replace(stay, until=fact.at) if stay.until is None else stay for stay in stays]
    end = story.ended_at
    if end is not None:
        stays = [
            replace(stay, until=end) if stay.until is None and stay.since <= end else stay for stay in stays
        ]
    return stays


def _together(one: Sequence[_Stay], other: Sequence[_Stay]) -> list[tuple[float, float | None]]:
    found: list[tuple[float, float | None]] = []
    for mine in one:
        for theirs in other:
            if mine.bridge != theirs.bridge:
                continue
            since = max(mine.since, theirs.since)
            ends = [until for until in (mine.until, theirs.until) if until is not None]
            until = min(ends, default=None)
            if until is None or until > since:
                found.append((since, until))
    return sorted(found, key=lambda stretch: stretch[0])


def _joined_up(stretches: Sequence[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    found: list[tuple[float, float | None]] = []
    for since, until in stretches:
        if found and found[-1][1] is not None and since - found[-1][1] <= _BRIEF_S:
            found[-1] = (found[-1][0], until)
        else:
            found.append((since, until))
    return found
