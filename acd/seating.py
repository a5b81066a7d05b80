"""What one word of the switch changes about one operator."""

from __future__ import annotations

from acd.events import MemberJoined, MemberPaused, MemberReady, OfferMissed, TalkEnded, TalkStarted
from acd.members import AUTO_PAUSE, Member
from acd.rules import FloorRules
from core.facts.dialplan import PauseReason

CLOCKS_S = 2.0
"""Times of the switch are whole seconds, of another clock."""
ANSWERS_S = 0.5
"""From a caller's leaving the queue until it is clear that nobody answered: whoever does is paused a moment later."""


def held_back(member: Member, rules: FloorRules) -> bool:
    """Whether this operator has missed too many offers."""
    return member.missed_in_a_row >= rules.missed_before_pause


def found(member: Member, event: MemberJoined, rules: FloorRules, *, first: bool) -> None:
    """Signed in, or seen in a snapshot (`first` in this one): what the switch says now holds."""
    before = member.unseen if first else member.state
    member.queues[event.queue] = event.paused
    if first or event.paused != PauseReason.ADDED:
        member.paused = event.paused
    if event.paused != PauseReason.TALKING or not event.in_call:
        # Whatever we saw begin is over, and nobody saw it end.
        member.talking_in = None
    if event.paused == PauseReason.TALKING and not event.in_call:
        # The switch restarted during the talk and kept the pause but not the call.
        member.paused = member.queues[event.queue] = PauseReason.WRAP_UP
    elif event.paused == AUTO_PAUSE:
        # Missed while nobody watched: given back once, then counted again.
        member.open_at = event.at + rules.give_back_after_s
    elif event.paused == PauseReason.ADDED and member.open_at is None:
        member.open_at = event.at
    kept = event.paused_since if event.paused is not None and member.paused == event.paused else None
    if kept is not None and member.state == before and kept > member.since + CLOCKS_S:
        member.began_anew(kept)
    member.moved(before, kept or event.at)


def added(member: Member, event: MemberJoined) -> None:
    """In one more queue, while they are signed in."""
    before = member.state
    member.queues[event.queue] = event.paused
    if member.closed and member.open_at is None:
        # By new skills: it is to hold for the next offer.
        member.open_at = event.at
    member.moved(before, event.at)


def paused(member: Member, event: MemberPaused, rules: FloorRules) -> None:
    """No offers from this queue."""
    if event.queue in member.queues:
        member.queues[event.queue] = event.reason
    member.paused = event.reason
    member.asked_at = member.sent_back_at = member.open_at = None
    if event.reason == AUTO_PAUSE:
        # The switch goes through its queues one by one and may have written over our pause.
        member.open_at = event.at + (0.0 if held_back(member, rules) else rules.give_back_after_s)
    if event.reason == PauseReason.WRAP_UP:
        member.last_queue = member.talking_in or member.last_queue
        member.talking_in = None


def ready(member: Member, event: MemberReady, rules: FloorRules) -> None:
    """Offers from this queue again."""
    if event.queue in member.queues:
        member.queues[event.queue] = None
    member.paused = member.asked_at = member.sent_back_at = member.open_at = None
    if held_back(member, rules):
        member.missed_in_a_row = 0


def missed(member: Member, event: OfferMissed, rules: FloorRules) -> bool:
    """An offer rang in vain; whether this operator is to be held back from now on."""
    member.ringing = None
    member.missed_in_a_row += 1
    if not held_back(member, rules):
        member.open_at = event.at + rules.give_back_after_s
        return False
    kept_away(member, PauseReason.MISSED, event.at)
    return True


def kept_away(member: Member, reason: PauseReason, at: float) -> None:
    """We make the switch offer them nothing from now on."""
    before = member.state
    member.open_at = member.asked_at = None
    member.paused = reason
    member.queues = dict.fromkeys(member.queues, reason)
    member.moved(before, at)


def stops_ringing(member: Member, at: float) -> None:
    """The caller left the queue: gone, or answered, which shows in a moment."""
    before, member.ringing = member.state, None
    member.moved(before, at)
    if member.closed:
        member.open_at = at + ANSWERS_S


def talk_started(member: Member, event: TalkStarted) -> None:
    """Connected to a caller."""
    if event.talk and event.talk == member.talk:
        # Told twice, or told after its end.
        return
    member.ringing = member.open_at = None
    member.talking_in = member.last_queue = event.queue
    member.talk, member.talk_at, member.call = event.talk, event.at, event.call
    member.calls += 1
    member.missed_in_a_row = 0


def talk_ended(member: Member, event: TalkEnded) -> bool:
    """Their part of a talk is over; whether this is news."""
    if event.at <= member.last_ended_at:
        return False
    began = event.at - event.talk_s
    if began > member.talk_at + CLOCKS_S:
        # Its beginning was not seen.
        member.calls += 1
        member.talk_at = began
        if member.busy_since is None:
            member.handled_s += min(event.talk_s, event.at - member.signed_in_at)
    member.talking_in, member.last_queue = None, event.queue
    member.last_ended_at = event.at
    return True


def closed_is_due(member: Member, at: float, rules: FloorRules) -> None:
    """Opened in some of their queues only, by us or by a restart in between: the rest is opened later."""
    if member.closed and member.open_at is None:
        member.open_at = at + rules.staged_s
