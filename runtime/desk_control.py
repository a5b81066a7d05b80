"""What the desk asks of the running centre: over the engine's control socket, and of the guard by a setting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from acd.commands import NOBODY, Act, Hand, Outcome
from acd.commands import Role as CommandRole
from core.emergency import read_emergency, read_notice
from core.errors import ToritsugiError
from core.hours import Emergency
from core.ids import OperatorId
from interactions.access import Role
from runtime.control_port import ask, hand_of_record
from runtime.instance import CALLED_IN_BY_HAND, Instance
from runtime.people import called_in_by_hand
from services.desk_ports import User

_ROLES = {
    Role.OPERATOR: CommandRole.OPERATOR,
    Role.LEADER: CommandRole.OPERATOR,
    Role.SUPERVISOR: CommandRole.SUPERVISOR,
    Role.CITY_ADMIN: CommandRole.CITY,
}
_CURES = {
    Outcome.REFUSED: "画面を見て、いまの状態を確かめる",
    Outcome.SWITCH_REFUSED: "少し待って、もう一度試す。続くときはシステムの担当者に知らせる",
    Outcome.TIMED_OUT: "状態を見て、変わっていなければもう一度試す",
}


class EngineControl:
    """`services.desk_ports.FloorControl`."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def do(
        self,
        act: Act,
        by: User,
        *,
        operator: OperatorId = NOBODY,
        to: str = "",
        reason: str = "",
        until: str = "",
        skills: Mapping[str, int] | None = None,
    ) -> str:
        answer = await self._asked(
            act, by, operator, {"to": to, "reason": reason, "until": until, "skills": dict(skills or {})}
        )
        return str(answer["text"])

    async def hand(self, by: User, operator: OperatorId) -> Hand:
        return hand_of_record((await self._asked(Act.STATE, by, operator, {}))["hand"])

    async def _asked(
        self, act: Act, by: User, operator: OperatorId, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        role = _ROLES.get(by.role)
        if role is None:
            raise ToritsugiError(
                "この操作は、この役割ではできません", where=by.role.label_ja, cure="監督者に頼む"
            )
        answer = await ask(
            self._instance.settings,
            {
                "act": act.value,
                "by": {"name": by.name, "role": role.value, "operator": by.operator or ""},
                "operator": operator,
                **more,
            },
        )
        outcome = Outcome(answer["outcome"])
        if outcome is not Outcome.DONE:
            raise ToritsugiError(str(answer["text"]).rstrip("。"), cure=_CURES[outcome])
        return answer

    async def call_in(self, group: str, called: bool, by: User) -> None:
        await called_in_by_hand(self._instance, group, called, by.name)

    async def called_in(self) -> frozenset[str]:
        async with self._instance.database.reading() as unit:
            return frozenset(json.loads(await unit.settings.get(CALLED_IN_BY_HAND) or "[]"))

    def closure(self) -> Emergency | None:
        return read_emergency(self._instance.settings.home)

    def notice(self) -> Emergency | None:
        return read_notice(self._instance.settings.home)
