"""Operators' names in app_queue."""

from __future__ import annotations

import pytest

from core.ids import OperatorId
from telephony.members import interface_of, member_name_of, operator_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["op101", "PJSIP/op101", "PJSIP/op101-0000000a", "Local/op101@members-0;1"])
def test_every_way_to_write_an_operator(name: str) -> None:
    assert operator_of(name) == "101"


def test_there_and_back() -> None:
    operator = OperatorId("101")
    assert operator_of(member_name_of(operator)) == operator == operator_of(interface_of(operator))


@pytest.mark.parametrize("name", ["", "op", "101", "PJSIP/trunk-0000000a", "op-1", "NONE", "operator 1"])
def test_others_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="not an operator"):
        operator_of(name)
