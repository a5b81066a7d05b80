"""How an operator is called in app_queue: `op101` as MemberName, `PJSIP/op101` as interface."""

from __future__ import annotations

from core.ids import OperatorId

_PREFIX = "op"
_TECHNOLOGY = "PJSIP/"


def member_name_of(operator: OperatorId) -> str:
    """MemberName and PJSIP endpoint of an operator."""
    return f"{_PREFIX}{operator}"


def interface_of(operator: OperatorId) -> str:
    """The interface that app_queue rings."""
    return f"{_TECHNOLOGY}{_PREFIX}{operator}"


def operator_of(member: str) -> OperatorId:
    """The operator behind a MemberName, an interface or a channel of theirs (`PJSIP/op101-0000000a`).

    Raises:
        ValueError: the text names no operator.
    """
    name = member.rpartition("/")[2].partition("@")[0].partition("-")[0]
    if not name.startswith(_PREFIX) or not name[len(_PREFIX) :].isalnum():
        raise ValueError(f"not an operator: {member!r}")
    return OperatorId(name.removeprefix(_PREFIX))
