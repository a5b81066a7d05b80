"""Commands of people at screens, one after the other for each operator, each with an answer and an audit line."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from acd.command_rules import (
    CENTRE,
    HANDS,
    SO_ALREADY,
    CentreFacts,
    come_true,
    not_allowed,
    not_now,
)
from acd.commands import WATCHES, Act, Answer, Command, Hand, Outcome
from core.clock import Clock
from core.errors import ToritsugiError
from core.ids import OperatorId
from services.ports import AuditEntry
from telephony.ami.actions import Ami, set_channel_variable
from telephony.ami.errors import AmiError, AmiTimeout
from telephony.ami.events import AmiEvent, OriginateResponse
from telephony.ami.hand import asked_for, carry_out, hand_of, ring_supervisor

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
SEEN_WITHIN_S = 6.0
"""A code of the switch takes a second or two: keys, a prompt, the channels."""
SLOW = {Act.TAKE_OVER: 15.0, Act.END: 15.0}
"""They wait for a sentence that the citizen hears just now."""
RING_S = 20.0
"""How long a supervisor's telephone rings."""
NOT_AUDITED = frozenset({Act.STATE})
DONE_JA = {
    Act.TRANSFER: "転送しました。",
    Act.CONSULT: "相談先を呼び出しています。",
    Act.COMPLETE: "市民の方と相談先をつなぎました。",
    Act.JOIN: "三者で話せます。",
    Act.SWAP: "相手を切り替えました。",
    Act.RETURN: "市民の方に戻りました。",
    Act.HANG_UP: "電話を切りました。",
    Act.PAUSE_RECORDING: "録音を止めました。",
    Act.RESUME_RECORDING: "録音を再開しました。",
    Act.MARK_RELAY: "リレーサービスの通話にしました。",
    Act.WARN: "市民の方に案内を流しました。",
    Act.END: "最後の案内を流し、通話を終えます。",
    Act.LISTEN: "聴いています。",
    Act.WHISPER: "オペレーターだけに声が届きます。",
    Act.BARGE: "三者で話せます。",
    Act.TAKE_OVER: "通話を引き取りました。",
    Act.PAUSE: "離席にしました。",
    Act.READY: "受付可にしました。",
    Act.SIGN_OUT: "受付を終えました。",
    Act.SKILLS: "技能を改めました。次の呼び出しから効きます。",
    Act.HELP: "応援を呼びました。",
    Act.CLOSE: "受付を休止しました。",
    Act.REOPEN: "通常の受付に戻しました。",
    Act.NOTICE: "お知らせを始めました。次の電話から効きます。",
    Act.NOTICE_OVER: "お知らせをやめました。",
    Act.STATE: "",
}
AFTER_JA = {Act.PAUSE: "通話と後処理のあとで離席になります。", Act.SIGN_OUT: "通話が終わると受付を終えます。"}


@dataclass(slots=True, kw_only=True)
class CommandDesk:
    """Takes commands from whoever has made sure who asks (`runtime.control_port`)."""

    ami: Ami
    clock: Clock
    facts: Callable[[], Awaitable[CentreFacts]]
    audit: Callable[[AuditEntry], Awaitable[None]]
    centre: Callable[[Command], Awaitable[None]]
    """Closes, reopens, and says notices; raises ToritsugiError."""
    skills: Callable[[Command], Awaitable[None]]
    """Changes an operator's skills; raises ToritsugiError."""
    within_s: float = SEEN_WITHIN_S
    ring_s: float = RING_S
    _turns: defaultdict[OperatorId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _rung: dict[str, asyncio.Future[bool]] = field(default_factory=dict)

    def hear(self, event: AmiEvent) -> None:
        """One event of the switch (`FloorLoop.listeners`)."""
        if isinstance(event, OriginateResponse):
            waiting = self._rung.get(event.action_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(event.success)

    async def do(self, command: Command) -> Answer:
        """Check, carry out, watch for the effect, and note who asked for what and what came of it."""
        async with self._turns[command.operator]:
            try:
                answer = await self._done(command)
            except AmiTimeout as problem:
                answer = Answer(outcome=Outcome.TIMED_OUT, text=str(problem))
            except AmiError as problem:
                answer = Answer(outcome=Outcome.SWITCH_REFUSED, text=str(problem))
            except ToritsugiError as problem:
                answer = Answer(outcome=Outcome.REFUSED, text=str(problem))
        if command.act not in NOT_AUDITED:
            await self._note(command, answer)
        return answer

    async def _done(self, command: Command) -> Answer:
        facts = await self.facts()
        why = not_allowed(command, facts)
        if why is not None:
            return Answer(outcome=Outcome.REFUSED, text=why)
        if command.act in CENTRE:
            await self.centre(command)
            return Answer(outcome=Outcome.DONE, text=DONE_JA[command.act])
        if command.act is Act.SKILLS:
            await self.skills(command)
            return Answer(outcome=Outcome.DONE, text=DONE_JA[command.act])
        before = await hand_of(self.ami, command.operator)
        why = not_now(command, before, facts)
        if why is not None:
            return Answer(outcome=Outcome.REFUSED, text=why, hand=before, call=before.call)
        if command.act in SO_ALREADY and come_true(command, before, before):
            return Answer(outcome=Outcome.DONE, text=DONE_JA[command.act], hand=before, call=before.call)
        if command.act in WATCHES:
            if (await hand_of(self.ami, command.asker.operator)).talking:
                return Answer(
                    outcome=Outcome.REFUSED, text="監督者の電話が通話中です。", hand=before, call=before.call
                )
            return await self._watched(command, before)
        if command.act is Act.WARN:
            await set_channel_variable(self.ami, before.citizen, "T_WARNED_BY", command.asker.name)
        await carry_out(self.ami, command, before)
        return await self._seen(command, before)

    async def _seen(self, command: Command, before: Hand) -> Answer:
        within_s = max(self.within_s, SLOW.get(command.act, 0.0))
        deadline = asyncio.get_running_loop().time() + within_s
        now = before
        while asyncio.get_running_loop().time() < deadline:
            now = await hand_of(self.ami, command.operator)
            if come_true(command, before, now):
                text = (
                    AFTER_JA[command.act] if now.after and command.act in AFTER_JA else DONE_JA[command.act]
                )
                if command.act is Act.CONSULT:
                    await asked_for(self.ami, now)
                return Answer(outcome=Outcome.DONE, text=text, hand=now, call=before.call)
            await asyncio.sleep(LOOK_EVERY_S)
        if command.act is Act.CONSULT:
            await asked_for(self.ami, now)
        if command.act is Act.WARN and now.citizen:
            # The next one may be the operator's own.
            await set_channel_variable(self.ami, now.citizen, "T_WARNED_BY", "")
        return Answer(
            outcome=Outcome.TIMED_OUT,
            text=f"{within_s:.0f} 秒たっても、交換機で変わりませんでした。",
            hand=now,
            call=before.call,
        )

    async def _watched(self, command: Command, before: Hand) -> Answer:
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        action = await ring_supervisor(self.ami, command, ring_s=self.ring_s)
        self._rung[action] = answered
        try:
            async with asyncio.timeout(self.ring_s + 2.0):
                took = await answered
        except TimeoutError:
            took = False
        finally:
            self._rung.pop(action, None)
        if not took:
            text = "監督者の電話が出ませんでした。登録と受話器を確かめてください。"
            return Answer(outcome=Outcome.TIMED_OUT, text=text, hand=before, call=before.call)
        return await self._seen(command, before)

    async def _note(self, command: Command, answer: Answer) -> None:
        asker = command.asker
        detail: dict[str, Any] = {"role": asker.role.value, "outcome": answer.outcome.value}
        detail |= {
            key: value
            for key, value in (
                ("telephone", asker.operator), ("to", command.to), ("reason", command.reason), ("until", command.until),
                ("skills", dict(command.skills)), ("call", answer.call),
                ("text", answer.text if answer.outcome is not Outcome.DONE else ""),
            )
            if value
        }  # fmt: skip
        entry = AuditEntry(
            at=self.clock.epoch(),
            actor=asker.name.strip() or "?",
            action=f"{_area(command.act)}.{command.act.value}",
            subject=command.operator or "centre",
            detail=detail,
        )
        try:
            await self.audit(entry)
        except Exception:
            # What was done is done, and the switch's own record tells it.
            log.exception("a command could not be noted: %s for %s", command.act.value, command.operator)


def _area(act: Act) -> str:
    if act in CENTRE:
        return "centre"
    return "call" if act in HANDS or act is Act.HELP else "operator"
