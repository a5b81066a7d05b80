"""The one disposition of a call, and who ended it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ledger import facts as f
from ledger.calls import Disposition, EndedBy, Segment, StaffSegment
from ledger.facts import QueueExit
from ledger.story import Story

_OPERATOR_CHANNEL = re.compile(r"^[A-Za-z0-9]+/op\d+-")

_REFUSED_BY_QUEUE = {
    QueueExit.TIMEOUT,
    QueueExit.FULL,
    QueueExit.JOIN_EMPTY,
    QueueExit.LEAVE_EMPTY,
    QueueExit.JOIN_UNAVAILABLE,
    QueueExit.LEAVE_UNAVAILABLE,
}


def disposition_of(
    story: Story, segments: Sequence[Segment], staff: Sequence[StaffSegment] = ()
) -> Disposition | None:
    """What became of the call; None while it is open.

    A test call is one whatever happened to it: it must never count as an answered citizen. Then an answer by
    an operator outranks everything, and what the caller was given outranks how the caller left. What was heard
    counts only if the caller did not join a queue afterwards: who listens to an announcement and then asks for
    a person has not been served by it. The announcement of a technical difficulty is our failure, no overflow.
    A caller whom the menu led straight to a department has been referred: they talked with somebody, and no operator
    answered.
    """
    if story.ended_at is None:
        return None
    head = story.first(f.Arrived)
    if head is not None and head.test:
        return Disposition.TEST
    if segments:
        return Disposition.ANSWERED
    if story.died_with_switch:
        return Disposition.SYSTEM_FAILURE
    # A call-back's talk may end in a queue again, long after this call.
    joins = [fact.at for fact in story.all(f.JoinedQueue) if fact.at <= story.ended_at]
    joined_at = max(joins, default=float("-inf"))
    met = [segment.started_at for segment in staff if segment.started_at <= story.ended_at]
    if met and met[-1] >= joined_at:
        return Disposition.REFERRED
    given: tuple[tuple[type[f.Fact], Disposition], ...] = (
        (f.CallbackBooked, Disposition.CALLBACK),
        (f.Referred, Disposition.REFERRED),
        (f.SelfServed, Disposition.SELF_SERVED),
        (f.FoundClosed, Disposition.AFTER_HOURS),
        (f.Overflowed, Disposition.OVERFLOW),
    )
    for kind, disposition in given:
        last = story.last(kind)
        if last is not None and last.at >= joined_at:
            if isinstance(last, f.Overflowed) and last.reason == "failure":
                return Disposition.SYSTEM_FAILURE
            return disposition
    if joined_at > float("-inf") or story.first(f.EnteredQueue):
        return _left_queue(story)
    return _unless_cut_off(story, Disposition.ABANDONED_MENU)


def _left_queue(story: Story) -> Disposition:
    # After an operator who was gone before the bridge, the caller waits on.
    exits = [fact.how for fact in story.all(f.LeftQueue) if fact.how is not QueueExit.AGENT_DUMPED]
    how = exits[-1] if exits else None
    if QueueExit.ABANDONED in exits:
        return Disposition.ABANDONED_QUEUE
    if how in _REFUSED_BY_QUEUE:
        return Disposition.OVERFLOW
    if how is QueueExit.KEY:
        return _unless_cut_off(story, Disposition.ABANDONED_MENU)
    if how is QueueExit.INCOMPATIBLE:
        return Disposition.SYSTEM_FAILURE
    return _unless_cut_off(story, Disposition.ABANDONED_QUEUE)


def _unless_cut_off(story: Story, left: Disposition) -> Disposition:
    """`left`, unless it was our side that ended a call which had been given nothing."""
    return Disposition.SYSTEM_FAILURE if _released_by(story) is EndedBy.SYSTEM else left


def ended_by_of(
    story: Story, segments: Sequence[Segment], staff: Sequence[StaffSegment] = ()
) -> EndedBy | None:
    """Who hung up first; None while the call is open."""
    if story.ended_at is None:
        return None
    released_by = _released_by(story)
    talks: list[Segment | StaffSegment] = [*segments, *staff]
    if talks:
        latest = max(talks, key=lambda talk: talk.started_at)
        if _was_gone_before(story, latest.started_at):
            parted_by = _parted_by(story, latest)
            if parted_by is not None:
                return parted_by
            released_by = None
    if released_by not in (None, EndedBy.SYSTEM):
        return released_by
    last = segments[-1] if segments else None
    served = story.last(f.Served)
    at_the_end = last is not None and last.ended_at is not None and story.ended_at - last.ended_at <= 3.0
    if last is not None and at_the_end:
        # app_queue says COMPLETECALLER when the operator is gone within moments of the bridge; the legs know.
        parted_by = _parted_by(story, last)
        if parted_by is not None:
            return parted_by
    if served is not None and at_the_end:
        if served.how == "COMPLETEAGENT":
            return EndedBy.OPERATOR
        if served.how == "COMPLETECALLER":
            return EndedBy.CITIZEN
    if any(fact.how is QueueExit.ABANDONED for fact in story.all(f.LeftQueue)) and not segments:
        return EndedBy.CITIZEN
    return released_by or EndedBy.SYSTEM


def _released_by(story: Story) -> EndedBy | None:
    """Whose channel Asterisk names as the source of the hang-up; None when it names none."""
    release = story.release
    if release is None:
        return EndedBy.SYSTEM if story.died_with_switch else None
    return _side_of(story, release)


def _was_gone_before(story: Story, began: float) -> bool:
    """Whether the source of the hang-up is a leg that was gone before the last talk began, at `began`.

    Asterisk names the source on both legs of a bridge and never writes over it (`ast_set_hangupsource`, Asterisk 22):
    a citizen whose operator hung up and who then talked with somebody else may carry that operator's name to the end.
    """
    release = story.release
    if release is None:
        return False
    gone = [fact.at for fact in story.all(f.HungUp) if fact.channel == release.by_channel]
    return bool(gone) and max(gone) < began and release.by_channel != release.channel


def _parted_by(story: Story, last: Segment | StaffSegment) -> EndedBy | None:
    """Who ended the leg of the last to talk; None when Asterisk names nobody but itself."""
    leg = next((fact for fact in story.all(f.HungUp) if fact.uniqueid == last.channel), None)
    side = _side_of(story, leg) if leg is not None else None
    wanted = {EndedBy.CITIZEN, EndedBy.STAFF if isinstance(last, StaffSegment) else EndedBy.OPERATOR}
    return side if side in wanted else None


def _side_of(story: Story, release: f.HungUp) -> EndedBy | None:
    source = release.by_channel
    if not source:
        return None
    head = story.first(f.Arrived)
    if head is not None and source == head.channel:
        return EndedBy.CITIZEN
    if _OPERATOR_CHANNEL.match(source):
        return EndedBy.OPERATOR
    if source == release.channel and release.uniqueid == story.citizen:
        return EndedBy.CITIZEN
    if source.startswith("dialplan") or "/" not in source or source.startswith("Local/"):
        return EndedBy.SYSTEM
    return EndedBy.STAFF
