"""What really happened to each caller, told only by the SIP and RTP ends (design §10, `truth.jsonl`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from demo.citizens import Citizen
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import Moment, Side
from demo.ends.listening import Fingerprints, HeardPrompt
from demo.operators import Operator
from demo.people import CitizenPlan

_SAME_END_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorLeg:
    """One offer at one operator's telephone. Epoch seconds; `answered_at` None when it was missed."""

    operator: str
    caller: str
    """User part of the From that the telephone was shown."""
    offered_at: float
    answered_at: float | None
    ended_at: float
    hung_up_at: float | None = None
    """When the operator sent BYE."""
    said: tuple[str, ...] = ()
    """Names of the lines that were said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvidence:
    """What a citizen's end knows of its call. Prompts have epoch times."""

    sip_call_id: str
    caller: str
    """As records show it: the number, or why there is none."""
    shown_user: str
    dialled: str
    intent: str
    started_at: float
    answered_at: float | None
    ended_at: float
    ended_by: Side | None
    prompts: tuple[HeardPrompt, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the city's own announcements mean, by prompt name without language."""

    answers: frozenset[str] = frozenset()
    """Announcements that serve the caller."""
    referrals: frozenset[str] = frozenset()
    """Announcements that name another number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthRecord:
    """One line of `truth.jsonl`. Times in epoch seconds, lengths in seconds, both to the millisecond."""

    sip_call_id: str
    caller: str
    dialled: str
    started_at: float
    intent: str
    disposition: str
    operators: tuple[str, ...]
    wait_s: float
    """At least: what of the announcement before the queue was lost may hide an earlier entry (`wait_most_s`)."""
    talk_s: float
    ended_by: str
    wait_most_s: float = 0.0
    answered_at: float | None = None
    queued_at: float | None = None
    ended_at: float = 0.0
    prompts: tuple[dict[str, Any], ...] = ()
    missed: tuple[str, ...] = field(default=())
    """Operators whose telephone rang for this caller without an answer."""
    said: tuple[str, ...] = field(default=())
    """Names of the lines that the citizen said (`demo.script`)."""
    answered_with: tuple[str, ...] = field(default=())
    """Names of the lines that operators said."""

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def evidence_of(plan: CitizenPlan, call: OutgoingCall, dialled: str, prompts: Fingerprints) -> CallEvidence:
    """A finished call as evidence. Costs a few tenths of a second: run it when no audio is flowing."""
    heard = call.media.heard.recording()
    began = heard.started_at
    found = tuple(
        HeardPrompt(
            name=one.name,
            start_s=began + one.start_s,
            end_s=began + one.end_s,
            score=one.score,
            whole=one.whole,
        )
        for one in prompts.find(heard.samples)
    )
    return CallEvidence(
        sip_call_id=call.call_id,
        caller=plan.shown,
        shown_user=plan.identity.user,
        dialled=dialled,
        intent=plan.intent.value,
        started_at=call.moments[Moment.INVITE],
        answered_at=call.moments.get(Moment.ANSWERED),
        ended_at=call.moments[Moment.ENDED],
        ended_by=call.ended_by,
        prompts=found,
        said=tuple(one.name for one in call.media.spoken),
    )


def legs_of(operator: str, offers: Iterable[IncomingCall]) -> list[OperatorLeg]:
    """The offers of one telephone that are over."""
    return [
        OperatorLeg(
            operator=operator,
            caller=offer.remote_user,
            offered_at=offer.moments[Moment.INVITE],
            answered_at=offer.moments.get(Moment.ANSWERED),
            ended_at=offer.moments[Moment.ENDED],
            hung_up_at=offer.moments.get(Moment.BYE_SENT),
            said=tuple(one.name for one in offer.media.spoken),
        )
        for offer in offers
        if Moment.ENDED in offer.moments
    ]


def truth_of(
    evidence: CallEvidence, legs: Sequence[OperatorLeg], vocabulary: Vocabulary | None = None
) -> TruthRecord:
    """The one story that the evidence tells."""
    mine = sorted(_legs_for(evidence, legs), key=lambda leg: leg.offered_at)
    talks = [leg for leg in mine if leg.answered_at is not None]
    queued = _queued_between(evidence, talks)
    first_answer = talks[0].answered_at if talks else None
    queued_at = None if queued is None else queued[1]
    wait_s = wait_most_s = 0.0
    if queued is not None:
        left_at = first_answer if first_answer is not None else _left_queue_at(evidence, queued[1])
        wait_most_s, wait_s = (max(0.0, left_at - moment) for moment in queued)
    return TruthRecord(
        sip_call_id=evidence.sip_call_id,
        caller=evidence.caller,
        dialled=evidence.dialled,
        started_at=round(evidence.started_at, 3),
        intent=evidence.intent,
        disposition=_disposition(evidence, queued_at, bool(talks), vocabulary or Vocabulary()),
        operators=tuple(leg.operator for leg in talks),
        wait_s=round(wait_s, 3),
        wait_most_s=round(wait_most_s, 3),
        talk_s=round(evidence.ended_at - first_answer, 3) if first_answer is not None else 0.0,
        ended_by=_ended_by(evidence, talks),
        answered_at=_rounded(first_answer),
        queued_at=_rounded(queued_at),
        ended_at=round(evidence.ended_at, 3),
        prompts=tuple(_prompt_record(one) for one in evidence.prompts),
        missed=tuple(leg.operator for leg in mine if _is_missed(leg, evidence)),
        said=evidence.said,
        answered_with=tuple(name for leg in talks for name in leg.said),
    )


def tell_truth(
    citizens: Iterable[Citizen],
    operators: Iterable[Operator],
    *,
    dialled: str,
    prompts: Fingerprints,
    vocabulary: Vocabulary | None = None,
) -> list[TruthRecord]:
    """The records of a finished day, in order of the calls' start. Blocks for some seconds of CPU."""
    legs = [leg for one in operators for leg in legs_of(one.plan.operator, one.offers)]
    told = [
        truth_of(evidence_of(one.plan, one.call, dialled, prompts), legs, vocabulary)
        for one in citizens
        if one.call is not None
    ]
    return sorted(told, key=lambda record: record.started_at)


def _is_missed(leg: OperatorLeg, evidence: CallEvidence) -> bool:
    """Not answered, and not only because the caller left while it rang."""
    return leg.answered_at is None and leg.ended_at < evidence.ended_at - 0.5


def _rounded(moment: float | None) -> float | None:
    return None if moment is None else round(moment, 3)


def _prompt_record(heard: HeardPrompt) -> dict[str, Any]:
    return {
        "name": heard.name,
        "start": round(heard.start_s, 3),
        "end": round(heard.end_s, 3),
        "whole": heard.whole,
        "score": round(heard.score, 3),
    }


def _bare(heard: HeardPrompt) -> str:
    return heard.name.rpartition("/")[2]


def _legs_for(evidence: CallEvidence, legs: Sequence[OperatorLeg]) -> list[OperatorLeg]:
    """Offers made for this caller: same shown number, and inside the call's time.

    Callers who withhold their number look alike; of those, a talk belongs to the call that it ended with.
    """
    inside = [
        leg
        for leg in legs
        if leg.caller == evidence.shown_user
        and leg.offered_at >= evidence.started_at - 0.1
        and leg.offered_at <= evidence.ended_at
    ]
    if evidence.shown_user.isdigit():
        return inside
    ended = evidence.ended_at
    return [leg for leg in inside if leg.answered_at is None or abs(leg.ended_at - ended) <= _SAME_END_S]


def _queued_between(evidence: CallEvidence, talks: Sequence[OperatorLeg]) -> tuple[float, float] | None:
    """The earliest and the latest moment of the entry into the queue; None when nothing shows one.

    It is the end of the last `connecting` that was heard whole. Where that was lost on the way, an operator's answer
    proves a queue: entered after the last word of the menu, and before the first word for who waits or the ringing.
    """
    heard = [one.end_s for one in evidence.prompts if _bare(one) == "connecting" and one.whole]
    if heard:
        return heard[-1], heard[-1]
    if not talks:
        return None
    waiting = [one.start_s for one in evidence.prompts if _bare(one).startswith("wait_")]
    latest = min([talks[0].offered_at, *waiting])
    menu = [
        one.end_s
        for one in evidence.prompts
        # Digits are short enough to be found in noise.
        if one.end_s <= latest and not _bare(one).startswith("digit_")
    ]
    return max([evidence.started_at, *menu]), latest


def _left_queue_at(evidence: CallEvidence, queued_at: float) -> float:
    after = [one.start_s for one in evidence.prompts if one.start_s >= queued_at and _is_turned_away(one)]
    return min(after, default=evidence.ended_at)


def _is_turned_away(heard: HeardPrompt) -> bool:
    return _bare(heard).startswith("overflow_") or _bare(heard) == "technical_difficulty"


def _is_closed(heard: HeardPrompt) -> bool:
    name = _bare(heard)
    return name == "closed" or name.startswith("closed_") or name == "emergency_closed"


def _disposition(
    evidence: CallEvidence, queued_at: float | None, talked: bool, vocabulary: Vocabulary
) -> str:
    heard = evidence.prompts
    if talked:
        return "answered"
    if any(_bare(one).startswith("overflow_") for one in heard):
        return "overflow"
    if any(_bare(one) == "technical_difficulty" for one in heard):
        return "system_failure"
    if any(_is_closed(one) for one in heard):
        return "after_hours"
    left_by_choice = evidence.ended_by is Side.SELF
    if queued_at is not None:
        return "abandoned_queue" if left_by_choice else "system_failure"
    told = [_bare(one) for one in heard if one.whole]
    if any(name in vocabulary.referrals for name in told):
        return "referred"
    if any(name in vocabulary.answers for name in told):
        return "self_served"
    return "abandoned_menu" if left_by_choice else "system_failure"


def _ended_by(evidence: CallEvidence, talks: Sequence[OperatorLeg]) -> str:
    if evidence.ended_by is Side.SELF:
        return "citizen"
    if talks and talks[-1].hung_up_at is not None and talks[-1].hung_up_at <= evidence.ended_at:
        return "operator"
    return "system"
