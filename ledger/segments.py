"""Offers and segments: which operators were rung, which talked, from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.ids import OperatorId, QueueName, Uniqueid
from ledger import facts as f
from ledger.calls import Offer, OfferOutcome, Segment
from ledger.operators import BusyPeriod, wrap_up_of
from ledger.story import Story

_SAME_S = 2.5
"""The two records of one connect (CEL, queue_log's cut-off second) are at most this far apart."""


@dataclass(slots=True)
class _Connect:
    operator: OperatorId
    at: float
    queue: QueueName | None
    channel: Uniqueid | None
    ring_s: float | None
    confirmed: bool
    exact: bool


def segments_of(story: Story, periods: Sequence[BusyPeriod]) -> tuple[Segment, ...]:
    """Operators who were joined with the caller, in order."""
    connects = [connect for connect in _connects(story) if connect.confirmed]
    segments = []
    for position, connect in enumerate(connects):
        following = [later for later in connects[position + 1 :] if later.operator == connect.operator]
        until = following[0].at if following else None
        segment = Segment(
            operator=connect.operator,
            started_at=connect.at,
            ended_at=_end_of(story, connect, until),
            queue=connect.queue,
            channel=connect.channel,
        )
        segments.append(_with_wrap_up(segment, periods))
    return tuple(segments)


def talk_of(segments: Sequence[Segment]) -> float:
    """Seconds in which at least one operator was with the caller; segments without an end count nothing."""
    total, reached = 0.0, float("-inf")
    for segment in sorted(segments, key=lambda each: each.started_at):
        if segment.ended_at is not None:
            total += max(0.0, segment.ended_at - max(segment.started_at, reached))
            reached = max(reached, segment.ended_at)
    return total


def offers_of(story: Story, segments: Sequence[Segment]) -> tuple[Offer, ...]:
    """Every attempt to ring an operator, by the moment the phone began to ring."""
    joined = {(segment.operator, segment.started_at) for segment in segments}
    offers = [
        Offer(
            operator=connect.operator,
            at=connect.at - (connect.ring_s or 0.0),
            outcome=OfferOutcome.ANSWERED
            if (connect.operator, connect.at) in joined
            else OfferOutcome.DUMPED,
        )
        for connect in _connects(story)
    ]
    for missed in story.all(f.OfferMissed):
        offers.append(
            Offer(operator=missed.operator, at=missed.at - missed.ring_s, outcome=OfferOutcome.MISSED)
        )
    for gone in story.all(f.OfferCancelled):
        offers.append(Offer(operator=gone.operator, at=gone.at - gone.ring_s, outcome=OfferOutcome.CANCELLED))
    return tuple(sorted(offers, key=lambda offer: (offer.at, offer.operator, offer.outcome)))


def _connects(story: Story) -> list[_Connect]:
    """One entry for each time an operator took the call, whichever of the two records told it."""
    found: list[_Connect] = []
    for fact in sorted(story.all(f.Connected), key=lambda each: (not each.exact, each.at)):
        same = next((known for known in found if _is_same(known, fact)), None)
        if same is None:
            bridged = _bridge_moments(story, fact.member_channel)
            at = fact.at if fact.exact else story.exact_near(fact, *bridged)
            found.append(
                _Connect(
                    operator=fact.operator,
                    at=max(at, story.arrived_at),
                    queue=fact.queue,
                    channel=fact.member_channel,
                    ring_s=fact.ring_s,
                    confirmed=not fact.exact or _was_bridged(story, fact),
                    exact=fact.exact,
                )
            )
        else:
            same.queue = same.queue or fact.queue
            same.channel = same.channel or fact.member_channel
            same.ring_s = fact.ring_s if same.ring_s is None else same.ring_s
            same.confirmed = same.confirmed or not fact.exact
    return sorted(found, key=lambda connect: (connect.at, connect.operator))


def _is_same(known: _Connect, fact: f.Connected) -> bool:
    if known.operator != fact.operator:
        return False
    if known.channel and fact.member_channel:
        return known.channel == fact.member_channel
    return known.exact != fact.exact and abs(known.at - fact.at) <= _SAME_S


def _bridge_moments(story: Story, channel: Uniqueid | None) -> list[float]:
    return [fact.at for fact in story.all(f.LegJoined) if channel and fact.uniqueid == channel]


def _was_bridged(story: Story, fact: f.Connected) -> bool:
    """Whether the operator of an exact connect really met the caller.

    The subroutine that writes it runs before the bridge, so the operator may be gone before the two are
    joined.
    """
    for joined in story.all(f.LegJoined):
        mine = joined.uniqueid == fact.member_channel or f"/op{fact.operator}-" in joined.channel
        if mine and joined.at >= fact.at - _SAME_S:
            return True
    return any(
        served.operator == fact.operator and served.at >= fact.at - _SAME_S for served in story.all(f.Served)
    )


def _end_of(story: Story, connect: _Connect, until: float | None) -> float | None:
    """The last moment of the operator's part; None when it lasts or nothing tells."""

    def inside(moment: float) -> bool:
        return moment >= connect.at and (until is None or moment < until)

    def mine(channel: str, uniqueid: Uniqueid) -> bool:
        if connect.channel:
            return uniqueid == connect.channel
        return f"/op{connect.operator}-" in channel

    exact: float | None = None
    joins = [x.at for x in story.all(f.LegJoined) if mine(x.channel, x.uniqueid) and inside(x.at)]
    leaves = [x.at for x in story.all(f.LegLeft) if mine(x.channel, x.uniqueid) and inside(x.at)]
    ends = [x.at for x in story.all(f.HungUp) if mine(x.channel, x.uniqueid) and inside(x.at)]
    if leaves and (not joins or max(joins) <= max(leaves)):
        exact = max(leaves)
    elif ends:
        exact = max(ends)
    if exact is None:
        exact = _served_at(story, connect)
    if exact is None and story.ended_at is not None and not story.died_with_switch and until is None:
        exact = story.ended_at if _is_last(story, connect) else None
    if exact is not None and story.ended_at is not None:
        exact = max(connect.at, min(exact, story.ended_at))
    return exact


def _served_at(story: Story, connect: _Connect) -> float | None:
    for served in story.all(f.Served):
        if served.operator == connect.operator and served.at >= connect.at - _SAME_S:
            return max(connect.at, story.exact_near(served, *filter(None, [story.ended_at])))
    return None


def _is_last(story: Story, connect: _Connect) -> bool:
    return not any(other.at > connect.at + _SAME_S for other in story.all(f.Connected))


def _with_wrap_up(segment: Segment, periods: Sequence[BusyPeriod]) -> Segment:
    return Segment(
        operator=segment.operator,
        started_at=segment.started_at,
        ended_at=segment.ended_at,
        queue=segment.queue,
        channel=segment.channel,
        wrap_up_s=wrap_up_of(segment, periods),
    )
