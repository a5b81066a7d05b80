"""From the facts of one call to the call: pure, and indifferent to order, repetition and missing pieces.

CEL gives microseconds, queue_log whole seconds cut off; where both tell the same thing CEL is believed, and a
queue_log moment `t` means somewhere in `[t, t + 1)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from core.ids import CallId, Uniqueid, uniqueid_of
from ledger import facts as f
from ledger.callbacks import callback_of
from ledger.calls import Call, Fallback, Gap, LongCallWord, Quality, Step, Supervision, WaitWord
from ledger.operators import busy_periods
from ledger.outcome import disposition_of, ended_by_of
from ledger.segments import offers_of, segments_of, talk_of
from ledger.story import Story
from ledger.transfers import staff_of, transfers_of
from ledger.waits import wait_of

_CITIZENS_OWN = (
    f.Arrived,
    f.RecordingStarted,
    f.LanguageChosen,
    f.MenuStep,
    f.FoundClosed,
    f.JoinedQueue,
    f.Overflowed,
    f.SelfServed,
    f.Referred,
    f.CallbackBooked,
    f.CallbackTried,
    f.CallbackTalked,
    f.CallbackEnded,
    f.FellBack,
)
"""Facts that only our dialplan writes, and only for a citizen's call."""


def fold_calls(facts: Iterable[f.Fact]) -> list[Call]:
    """Every call that these facts tell of, by arrival. Facts of no call (pauses, restarts) count for all."""
    by_call: dict[CallId, list[f.Fact]] = defaultdict(list)
    shared: list[f.Fact] = []
    for fact in facts:
        if fact.call is None:
            shared.append(fact)
        else:
            by_call[fact.call].append(fact)
    calls = [fold_call([*own, *shared]) for own in by_call.values()]
    return sorted((call for call in calls if call), key=lambda call: (call.arrived_at, call.call_id))


def fold_call(facts: Iterable[f.Fact]) -> Call | None:
    """The call that these facts tell of.

    `facts` are those of one call, in any order and any number of times, plus any number of facts that belong
    to no call: restarts of the switch close a call that died with it, operators' pauses give the after-call
    work.

    Returns None when nothing shows that a citizen called: an operator's consultation call leaves rows of its
    own in queue_log, and is no call.
    """
    story = _story_of(facts)
    if story is None:
        return None
    own = story.facts
    head = story.first(f.Arrived)
    gaps: set[Gap] = set()
    if head is None:
        gaps.add(Gap.ARRIVAL)
    if story.died_with_switch:
        gaps.add(Gap.END)
    if story.restart_overruled:
        gaps.add(Gap.OVERRULED)
    segments = segments_of(story, busy_periods(story.shared))
    if story.ended_at is not None and any(segment.ended_at is None for segment in segments):
        gaps.add(Gap.SEGMENT_END)
    # An operator to whom a call-back's talk came back has not answered this call.
    answered_by = [each for each in segments if story.ended_at is None or each.started_at <= story.ended_at]
    first_operator = min((segment.started_at for segment in answered_by), default=None)
    staff = staff_of(story)
    wait_s, coarse = wait_of(story, first_operator)
    if coarse:
        gaps.add(Gap.COARSE_WAIT)
    joined = story.last(f.JoinedQueue)
    entered = story.last(f.EnteredQueue)
    languages = [fact for fact in own if isinstance(fact, f.LanguageChosen | f.JoinedQueue)]
    queue = joined.queue if joined else entered.queue if entered else None
    closed, overflowed = story.last(f.FoundClosed), story.last(f.Overflowed)
    answered, recording = story.first(f.Answered), story.first(f.RecordingStarted)
    return Call(
        call_id=story.call,
        sip_call_id=head.sip_call_id if head else "",
        caller=head.caller if head else None,
        dialled=head.dialled if head else "",
        diverted_from=head.diverted_from if head else None,
        channel=head.channel if head else "",
        arrived_at=story.arrived_at,
        answered_at=answered.at if answered else None,
        ended_at=story.ended_at,
        line=joined.line if joined else None,
        language=languages[-1].language if languages else None,
        steps=tuple(
            Step(at=step.at, node=step.node, key=step.key, result=step.result)
            for step in story.all(f.MenuStep)
        ),
        disposition=disposition_of(story, answered_by, staff),
        queue=queue,
        offers=offers_of(story, segments),
        segments=segments,
        wait_s=wait_s,
        wait_from_arrival_s=None if first_operator is None else max(0.0, first_operator - story.arrived_at),
        wait_words=tuple(
            WaitWord(at=word.at, position=word.position, least_min=word.least_min, most_min=word.most_min)
            for word in story.all(f.WaitTold)
        ),
        talk_s=talk_of(segments),
        transfers=transfers_of(story, staff),
        staff=staff,
        supervisions=_supervisions(story),
        long_call_words=tuple(
            LongCallWord(at=word.at, stage=word.stage, by=word.by) for word in story.all(f.Warned)
        ),
        relay=story.first(f.RelayMarked) is not None,
        help_asked=tuple(fact.at for fact in story.all(f.HelpAsked)),
        ended_by=ended_by_of(story, answered_by, staff),
        recordings=tuple(dict.fromkeys(fact.base for fact in story.all(f.RecordingStarted))),
        silences=_silences(story),
        recorded_from=recording.at if recording else None,
        qualities=_qualities(story),
        fallbacks=tuple(
            dict.fromkeys(Fallback(step=x.step, why=x.why, by=x.by) for x in story.all(f.FellBack))
        ),
        closed_reason=closed.reason if closed else None,
        overflow_reason=overflowed.reason if overflowed else None,
        callback=callback_of(story),
        gaps=tuple(sorted(gaps)),
    )


def _story_of(facts: Iterable[f.Fact]) -> Story | None:
    unique = {(fact.source, type(fact)): fact for fact in facts}.values()
    ordered = sorted(unique, key=order)
    own = [fact for fact in ordered if fact.call is not None]
    owner = next((fact.call for fact in own if isinstance(fact, _CITIZENS_OWN)), None)
    if owner is None:
        return None
    own = [fact for fact in own if fact.call == owner]
    try:
        citizen = uniqueid_of(owner)
    except ValueError:
        citizen = Uniqueid("")
    shared = [fact for fact in ordered if fact.call is None]
    return Story(call=owner, citizen=citizen, facts=own, shared=shared)


def order(fact: f.Fact) -> tuple[float, str, str, int, str]:
    """By time, then by place on disk."""
    source = fact.source
    return (fact.at, source.node, source.file, source.offset, type(fact).__name__)


def _silences(story: Story) -> tuple[tuple[float, float | None], ...]:
    found: list[tuple[float, float | None]] = []
    for fact in story.all(f.RecordingMuted):
        if found and found[-1][1] is None:
            if not fact.on:
                found[-1] = (found[-1][0], fact.at)
        elif fact.on:
            found.append((fact.at, None))
    if found and found[-1][1] is None and story.ended_at is not None:
        found[-1] = (found[-1][0], max(found[-1][0], story.ended_at))
    return tuple(found)


def _supervisions(story: Story) -> tuple[Supervision, ...]:
    found: list[Supervision] = []
    for fact in story.all(f.Supervised):
        if fact.how != "end":
            found.append(Supervision(at=fact.at, by=fact.by, operator=fact.operator, how=fact.how))
            continue
        for place in reversed(range(len(found))):
            open_one = found[place]
            if (open_one.by, open_one.operator, open_one.ended_at) == (fact.by, fact.operator, None):
                found[place] = replace(open_one, ended_at=fact.at)
                break
    return tuple(found)


def _qualities(story: Story) -> tuple[Quality, ...]:
    last = {
        fact.leg: Quality(
            leg=fact.leg,
            rx_lost=fact.rx_lost,
            tx_lost=fact.tx_lost,
            rx_count=fact.rx_count,
            tx_count=fact.tx_count,
            rx_jitter_s=fact.rx_jitter_s,
            tx_jitter_s=fact.tx_jitter_s,
            rtt_s=fact.rtt_s,
            channel=fact.channel,
        )
        for fact in story.all(f.LegQuality)
    }
    return tuple(last[leg] for leg in sorted(last))
