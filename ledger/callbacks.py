"""What became of a call-back that was booked in a call: the tries, each with its operator, result and talk."""

from __future__ import annotations

from dataclasses import replace

from core.ids import QueueName
from ledger import facts as f
from ledger.calls import Callback, CallbackNotTaken, CallbackTry
from ledger.story import Story


def callback_of(story: Story) -> Callback | None:
    """The call-back booked in this call; None when none was.

    It lives on after the call: its tries are facts of the same call, written by the dialplan on legs of their own.
    """
    booked = story.last(f.CallbackBooked)
    if booked is None:
        return None
    tries: dict[int, CallbackTry] = {}
    not_taken: list[CallbackNotTaken] = []
    for fact in story.facts:
        match fact:
            case f.CallbackTried():
                # A number is dialled once: a second row of it could only repeat the first.
                tries.setdefault(
                    fact.attempt,
                    CallbackTry(
                        attempt=fact.attempt,
                        operator=fact.operator,
                        at=fact.at,
                        channel=fact.member_channel,
                    ),
                )
            case f.CallbackTalked() if fact.attempt in tries:
                tries[fact.attempt] = replace(tries[fact.attempt], talk_started_at=fact.at)
            case f.CallbackEnded():
                begun = tries.get(fact.attempt)
                if begun is not None and begun.operator == fact.operator and begun.ended_at is None:
                    tries[fact.attempt] = replace(begun, ended_at=fact.at, result=fact.result.lower())
                elif begun is None:
                    not_taken.append(CallbackNotTaken(operator=fact.operator, at=fact.at))
    first, joined = story.first(f.JoinedQueue), story.last(f.JoinedQueue)
    entered = booked.entered_at if booked.entered_at is not None else first.at if first else booked.at
    return Callback(
        booked_at=booked.at,
        to=booked.to,
        queue=booked.queue or (joined.queue if joined else QueueName("")),
        language=booked.language,
        entered_at=entered,
        tries=tuple(tries[attempt] for attempt in sorted(tries)),
        not_taken=tuple(not_taken),
    )
