"""Who may ask for a command, when it can be done, and when it is done. Pure.

A command and what the switch shows now give a refusal in words, or none; what the switch shows afterwards tells whether
it has come true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acd.commands import WATCHES, Act, Asked, Asker, Command, Hand, Role
from core.ids import OperatorId

_OWN_HAND = frozenset(
    {
        Act.TRANSFER, Act.CONSULT, Act.COMPLETE, Act.JOIN, Act.SWAP, Act.RETURN, Act.HANG_UP, Act.PAUSE_RECORDING,
        Act.RESUME_RECORDING, Act.MARK_RELAY, Act.WARN,
    }
)  # fmt: skip
_SUPERVISED_HAND = frozenset({Act.END, Act.LISTEN, Act.WHISPER, Act.BARGE, Act.TAKE_OVER})
_OWN_SEAT = frozenset({Act.HELP, Act.STATE, Act.PAUSE, Act.READY, Act.SIGN_OUT})
CENTRE = frozenset({Act.CLOSE, Act.REOPEN, Act.NOTICE, Act.NOTICE_OVER})
"""They are about the centre and about no operator."""
HANDS = _OWN_HAND | _SUPERVISED_HAND
"""They need a citizen's call in the operator's hand."""

MAY: Mapping[Role, frozenset[Act]] = {
    Role.OPERATOR: _OWN_HAND | _OWN_SEAT,
    Role.SUPERVISOR: frozenset(Act),
    Role.CITY: CENTRE,
}
"""Which role may ask for what; an operator only about their own seat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreFacts:
    """What commands are checked against, beside the switch."""

    departments: frozenset[str]
    lines: frozenset[str]
    pauses: Mapping[str, str]
    """Reason to what people call it."""
    operators: frozenset[OperatorId]
    supervisors: frozenset[OperatorId]


def not_allowed(command: Command, facts: CentreFacts) -> str | None:
    """Why this person may not ask for this; None when they may."""
    asker, act = command.asker, command.act
    if act not in MAY[asker.role]:
        return "この操作は、この役割ではできません。"
    if not asker.name.strip():
        return "だれの操作かがありません。"
    if asker.role is Role.OPERATOR and (not asker.operator or asker.operator != command.operator):
        return "自分の電話についてだけ操作できます。"
    if asker.role is Role.SUPERVISOR and asker.operator and asker.operator not in facts.supervisors:
        return f"{asker.operator} は監督者ではありません。"
    if act in WATCHES:
        if not asker.operator:
            return "監督者の電話の番号がありません。"
        if asker.operator == command.operator:
            return "自分の通話は監督できません。"
    if act in CENTRE:
        return None
    if command.operator not in facts.operators:
        return f"いない番号です: {command.operator}"
    return None


def not_now(command: Command, hand: Hand, facts: CentreFacts) -> str | None:
    """Why it cannot be done with what the operator has in hand now; None when it can."""
    act = command.act
    if act in HANDS and not hand.talking:
        return "通話中ではありません。"
    if act in HANDS and not (hand.citizen and hand.leg):
        return "市民の方か、オペレーターの電話が、もう切れています。"
    if act in HANDS and hand.by_telephone and act not in WATCHES:
        return "電話機で始めた相談があります。電話機のボタンで続けてください。"
    rule = _RULES.get(act)
    return rule(command, hand, facts) if rule else None


def _watch(command: Command, hand: Hand, _facts: CentreFacts) -> str | None:
    return (
        "もう監督しています。切ってから始めてください。" if command.asker.operator in hand.watchers else None
    )


def _transfer(command: Command, hand: Hand, facts: CentreFacts) -> str | None:
    if hand.asked is not Asked.NO:
        return "相談中です。つなぐか、相談をやめてから転送してください。"
    if command.to not in facts.departments | facts.lines:
        return f"転送先一覧にない内線です: {command.to}"
    return None


def _consult(command: Command, hand: Hand, facts: CentreFacts) -> str | None:
    if hand.asked is not Asked.NO:
        return "もう相談中です。"
    if command.to in facts.lines:
        return "ほかの窓口には、相談せずに転送だけができます。"
    if command.to not in facts.departments:
        return f"転送先一覧にない内線です: {command.to}"
    return None


def _answered(_command: Command, hand: Hand, _facts: CentreFacts) -> str | None:
    if hand.asked is Asked.RINGING:
        return "相手がまだ出ていません。"
    return None if hand.asked in (Asked.TALKING, Asked.HELD) else "相談中ではありません。"


def _asking(_command: Command, hand: Hand, _facts: CentreFacts) -> str | None:
    if hand.asked is Asked.TOGETHER:
        return "もう三者で話しています。抜けるには電話を切ります。"
    return None if hand.asked is not Asked.NO else "相談中ではありません。"


def _alone(_command: Command, hand: Hand, _facts: CentreFacts) -> str | None:
    return None if hand.asked is Asked.NO else "相談中はできません。"


def _leave(_command: Command, hand: Hand, _facts: CentreFacts) -> str | None:
    return (
        None if hand.asked in (Asked.NO, Asked.TOGETHER) else "相談中です。相談をやめてから切ってください。"
    )


def _signed_in(_command: Command, hand: Hand, _facts: CentreFacts) -> str | None:
    return None if hand.state not in ("", "out") else "サインインしていません。"


def _pause(command: Command, hand: Hand, facts: CentreFacts) -> str | None:
    if command.to not in facts.pauses:
        return f"ない離席の理由です: {command.to}。次のどれか: {', '.join(sorted(facts.pauses))}"
    return _signed_in(command, hand, facts)


def _ready(command: Command, hand: Hand, facts: CentreFacts) -> str | None:
    return "通話中です。" if hand.state == "talking" else _signed_in(command, hand, facts)


_RULES: Mapping[Act, Callable[[Command, Hand, CentreFacts], str | None]] = {
    **dict.fromkeys(WATCHES, _watch),
    Act.TRANSFER: _transfer,
    Act.CONSULT: _consult,
    Act.COMPLETE: _answered,
    Act.JOIN: _answered,
    Act.SWAP: _answered,
    Act.RETURN: _asking,
    Act.HANG_UP: _leave,
    Act.MARK_RELAY: _alone,
    Act.WARN: _alone,
    Act.END: _alone,
    Act.PAUSE: _pause,
    Act.READY: _ready,
    Act.SIGN_OUT: _signed_in,
    Act.HELP: _signed_in,
}


_SOMEBODY = "1"


def possible_now(hand: Hand) -> frozenset[Act]:
    """What an operator may have done with the call in hand now, whoever it is to go to."""
    facts = CentreFacts(
        departments=frozenset({_SOMEBODY}), lines=frozenset(), pauses={}, operators=frozenset(), supervisors=frozenset()
    )  # fmt: skip
    asker = Asker(name="", role=Role.OPERATOR, operator=hand.operator)
    return frozenset(
        act
        for act in _OWN_HAND
        if not_now(Command(act=act, asker=asker, operator=hand.operator, to=_SOMEBODY), hand, facts) is None
    )


SO_ALREADY = frozenset({Act.STATE, Act.PAUSE_RECORDING, Act.RESUME_RECORDING, Act.MARK_RELAY})
"""Asked for once more, they are done without doing anything."""


def come_true(command: Command, before: Hand, now: Hand) -> bool:
    """Whether the switch shows that what was asked for has happened."""
    gone = now.call != before.call or now.state != "talking"
    match command.act:
        case Act.TRANSFER | Act.HANG_UP | Act.COMPLETE | Act.END:
            return gone
        case Act.CONSULT:
            return now.asked in (Asked.RINGING, Asked.TALKING)
        case Act.JOIN:
            return now.asked is Asked.TOGETHER
        case Act.SWAP:
            return now.asked is (Asked.TALKING if before.asked is Asked.HELD else Asked.HELD)
        case Act.RETURN:
            return now.asked is Asked.NO and now.joined
        case Act.PAUSE_RECORDING:
            return now.muted
        case Act.RESUME_RECORDING:
            return not now.muted
        case Act.MARK_RELAY:
            return now.relay
        case Act.WARN:
            return now.warned > before.warned
        case Act.LISTEN | Act.WHISPER | Act.BARGE:
            return command.asker.operator in now.watchers
        case Act.TAKE_OVER:
            return gone
        case Act.PAUSE:
            return now.state == "break" or now.after == command.to
        case Act.READY:
            return now.state == "ready"
        case Act.SIGN_OUT:
            return now.state == "out" or now.after == "out"
        case _:
            return True
