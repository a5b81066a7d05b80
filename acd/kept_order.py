"""The order of offers as the switch should hold it: versions wished, versions acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acd.events import SetOrder
from acd.members import Member
from acd.order import LoadRule, order_of_offers, penalties_for
from core.ids import OperatorId

REORDER_S = 5.0
"""Loads are shares of time and drift; the order and who serves what are looked at again this often."""


class KeptOrder:
    """One order over all operators, handed on change by change."""

    def __init__(self) -> None:
        self.version = 0
        """As wished."""
        self.held = 0
        """As the switch has acknowledged it."""
        self.looked_at = float("-inf")
        """When its drift was last looked at."""

    @property
    def due_at(self) -> float:
        """When its drift is next looked at."""
        return self.looked_at + REORDER_S

    def acknowledged(self, version: int) -> None:
        """The switch holds this version."""
        self.held = max(self.held, version)

    def renew(self, members: Mapping[OperatorId, Member], rule: LoadRule, now: float) -> list[SetOrder]:
        """Put everybody in order by what they have carried up to now."""
        loads = {operator: member.load(now) for operator, member in members.items()}
        idle = {operator: m.last_ended_at or m.signed_in_at for operator, m in members.items()}
        current = {operator: member.penalty for operator, member in members.items()}
        changed = penalties_for(order_of_offers(loads, idle, rule), current)
        self.version += bool(changed)
        for operator, penalty in changed.items():
            members[operator].penalty = penalty
        return self.said(members[operator] for operator in changed)

    def said(self, members: Iterable[Member]) -> list[SetOrder]:
        """The words that tell the switch these members' places."""
        return [
            SetOrder(operator=member.operator, penalty=member.penalty, version=self.version)
            for member in members
        ]
