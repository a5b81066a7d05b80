"""Who may do what: the whole table, and that everything outside it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.ids import CallId, OperatorId
from interactions.access import POLICY, Action, NotAllowed, Person, Role, allowed, require
from interactions.case import CallSummary, HandedOn, open_case

pytestmark = pytest.mark.unit

CASE = open_case(
    CallSummary(
        call_id=CallId("c-1"), caller="09012345678", line="card", language="ja", menu_path=(),
        operators=(OperatorId("101"),), started_at=1.0, ended_at=2.0,
        transfers=(HandedOn(at=1.5, to="702", label="カードセンター", result="ANSWER"),),
    )
)  # fmt: skip
OWN = Person(name="青木", role=Role.OPERATOR, operator=OperatorId("101"))
OTHER = Person(name="石田", role=Role.OPERATOR, operator=OperatorId("102"))
STAFF = Person(name="佐藤", role=Role.CITY_STAFF, department="702")
ELSEWHERE = Person(name="鈴木", role=Role.CITY_STAFF, department="701")


def person(role: Role) -> Person:
    return Person(name="x", role=role)


def may(who: Person) -> set[str]:
    return {action.value for action in Action if allowed(who, action, CASE)}


def test_each_role_may_exactly_this() -> None:
    everything = {action.value for action in Action}
    assert may(OWN) == {"view", "edit", "note", "hear", "see_number"}
    assert may(OTHER) == {"view", "note"}
    assert may(STAFF) == {"view", "note", "see_number"}
    assert may(ELSEWHERE) == set()
    assert may(person(Role.LEADER)) == {"view", "edit", "note", "hear", "see_number"}
    assert may(person(Role.SUPERVISOR)) == everything - {"delete", "read_audit"}
    assert may(person(Role.CITY_ADMIN)) == everything
    assert may(person(Role.SYSTEM_ADMIN)) == {"read_audit"}
    assert may(person(Role.AUDITOR)) == {"view", "export", "read_audit"}


def test_a_confidential_case_is_seen_by_whose_it_is_and_by_few_others() -> None:
    secret = replace(CASE, confidential=True)
    seeing = {
        who.name + who.role
        for who in (OWN, OTHER, STAFF, ELSEWHERE, *(person(role) for role in Role))
        if allowed(who, Action.VIEW, secret)
    }
    assert seeing == {"青木operator", "佐藤city_staff", "xsupervisor", "xcity_admin"}


def test_a_role_without_a_line_may_nothing() -> None:
    assert set(POLICY) == set(Role)
    assert not allowed(person(Role.CITY_STAFF), Action.VIEW, CASE)
    assert not allowed(Person(name="x", role=Role.OPERATOR), Action.EDIT, CASE)
    assert not allowed(
        Person(name="x", role=Role.CITY_STAFF, department=""), Action.VIEW, replace(CASE, calls=())
    )


def test_a_department_that_is_asked_in_writing_sees_the_case() -> None:
    assert allowed(ELSEWHERE, Action.NOTE, replace(CASE, department="701"))


def test_a_refusal_says_who_and_what() -> None:
    with pytest.raises(NotAllowed, match="オペレーターの権限では編集できません"):
        require(OTHER, Action.EDIT, CASE)
    require(OWN, Action.EDIT, CASE)


def test_everything_has_a_name() -> None:
    assert all(each.label_ja for each in (*Role, *Action))
