"""Who may do what with which case: one table, and what is not in it is refused.

A role gives a scope for each action. `OWN` and `DEPARTMENT` depend on the record: whose call it was, and whose matter
it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType

from core.errors import ToritsugiError
from core.ids import OperatorId
from interactions.case import Case


class NotAllowed(ToritsugiError):
    """The person's role does not reach this far."""

    code = "interactions.not_allowed"


@unique
class Role(StrEnum):
    OPERATOR = "operator"
    LEADER = "leader"
    SUPERVISOR = "supervisor"
    CITY_STAFF = "city_staff"
    """Of one department."""
    CITY_ADMIN = "city_admin"
    """Of the department that the contract is with."""
    SYSTEM_ADMIN = "system_admin"
    """Runs the machines; sees no case."""
    AUDITOR = "auditor"

    @property
    def label_ja(self) -> str:
        return {
            "operator": "オペレーター", "leader": "リーダー", "supervisor": "スーパーバイザー", "city_staff": "市職員",
            "city_admin": "市の管理者", "system_admin": "システム管理者", "auditor": "監査担当",
        }[self.value]  # fmt: skip


@unique
class Action(StrEnum):
    VIEW = "view"
    EDIT = "edit"
    NOTE = "note"
    """Write into the thread."""
    DELETE = "delete"
    EXPORT = "export"
    HEAR = "hear"
    """The recording."""
    SEE_NUMBER = "see_number"
    READ_AUDIT = "read_audit"
    """Who did what; of no single case."""

    @property
    def label_ja(self) -> str:
        return {
            "view": "閲覧", "edit": "編集", "note": "書込み", "delete": "削除", "export": "出力", "hear": "録音の聴取",
            "see_number": "電話番号の表示", "read_audit": "操作の記録の閲覧",
        }[self.value]  # fmt: skip


@unique
class Scope(StrEnum):
    ALL = "all"
    OWN = "own"
    """Cases in which the person talked with the citizen."""
    DEPARTMENT = "department"
    """Cases that the person's department was asked about or was handed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks."""

    name: str
    role: Role
    operator: OperatorId | None = None
    department: str = ""
    """Extension of the directory, for `Role.CITY_STAFF`."""

    @property
    def of_the_city(self) -> bool:
        return self.role in (Role.CITY_STAFF, Role.CITY_ADMIN)


_A, _O, _D = Scope.ALL, Scope.OWN, Scope.DEPARTMENT

POLICY: Mapping[Role, Mapping[Action, Scope]] = MappingProxyType(
    {
        Role.OPERATOR: {
            Action.VIEW: _A, Action.EDIT: _O, Action.NOTE: _A, Action.HEAR: _O, Action.SEE_NUMBER: _O,
        },
        Role.LEADER: {
            Action.VIEW: _A, Action.EDIT: _A, Action.NOTE: _A, Action.HEAR: _A, Action.SEE_NUMBER: _A,
        },
        Role.SUPERVISOR: {
            Action.VIEW: _A, Action.EDIT: _A, Action.NOTE: _A, Action.EXPORT: _A, Action.HEAR: _A,
            Action.SEE_NUMBER: _A,
        },
        Role.CITY_STAFF: {Action.VIEW: _D, Action.NOTE: _D, Action.SEE_NUMBER: _D},
        Role.CITY_ADMIN: {
            Action.VIEW: _A, Action.EDIT: _A, Action.NOTE: _A, Action.DELETE: _A, Action.EXPORT: _A,
            Action.HEAR: _A, Action.SEE_NUMBER: _A, Action.READ_AUDIT: _A,
        },
        Role.SYSTEM_ADMIN: {Action.READ_AUDIT: _A},
        Role.AUDITOR: {Action.VIEW: _A, Action.EXPORT: _A, Action.READ_AUDIT: _A},
    }
)  # fmt: skip

_SEES_CONFIDENTIAL = frozenset({Role.SUPERVISOR, Role.CITY_ADMIN})


def scope_of(person: Person, action: Action) -> Scope | None:
    """How far the person's role reaches; None: nowhere."""
    return POLICY.get(person.role, {}).get(action)


def sees_confidential(person: Person) -> bool:
    """Whether the role sees confidential cases that are not its own."""
    return person.role in _SEES_CONFIDENTIAL


def allowed(person: Person, action: Action, case: Case | None = None) -> bool:
    """Whether the person may do it to this case, or to any case at all when None is given."""
    scope = scope_of(person, action)
    if scope is None:
        return False
    if case is None:
        return True
    own, matter = _own(person, case), _matter(person, case)
    if case.confidential and not (own or matter or sees_confidential(person)):
        return False
    return {Scope.ALL: True, Scope.OWN: own, Scope.DEPARTMENT: matter}[scope]


def require(person: Person, action: Action, case: Case | None = None) -> None:
    """Raises NotAllowed unless `allowed`."""
    if not allowed(person, action, case):
        raise NotAllowed(
            f"{person.role.label_ja}の権限では{action.label_ja}できません",
            where=case.case_id if case is not None else "",
            cure="権限のある人に頼む",
        )


def _own(person: Person, case: Case) -> bool:
    return person.operator is not None and person.operator in case.operators


def _matter(person: Person, case: Case) -> bool:
    return bool(person.department) and person.department in case.departments
