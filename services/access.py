"""Who may do what at the desk: permissions, and which role has which. What is not named is not allowed.

What a role may do with one case, recording or number is told by `interactions.access` on top of this.
"""

from __future__ import annotations

from enum import StrEnum, unique

from interactions.access import Role


@unique
class Permission(StrEnum):
    """One thing that may be done at the desk."""

    SEAT_OWN = "seat.own"
    """See one's own calls and state, take breaks, sign out."""
    CASE_WRITE = "case.write"
    """Write into the cases of one's own calls."""
    CASE_READ = "case.read"
    """Find and read cases, as far as the role reaches."""
    RECORDING_HEAR = "recording.hear"
    """Hear recordings of cases, as far as the role reaches."""
    FLOOR_WATCH = "floor.watch"
    """The board: who waits, who works, today's figures."""
    FLOOR_ACT = "floor.act"
    """Breaks and signing out of others, calling in, listening in."""
    CENTRE_ACT = "centre.act"
    """Close the centre, open it again, say a message to every caller."""
    SKILLS_CHANGE = "skills.change"
    ALERT_TAKE = "alert.take"
    TICKET_OPEN = "ticket.open"
    TICKET_WORK = "ticket.work"
    """See to the requests of one's own department."""
    TICKET_ALL = "ticket.all"
    """See to the requests of every department."""
    FAQ_READ = "faq.read"
    """Search and read the knowledge base."""
    FAQ_ASK = "faq.ask"
    """Ask that an entry be changed, or for a new one."""
    FAQ_WRITE = "faq.write"
    """Write entries, synonyms and drafts of gaps; answer requests for changes; publish what the city has approved."""
    FAQ_REVIEW = "faq.review"
    """Read what somebody else wrote, and hand it to the city."""
    FAQ_APPROVE = "faq.approve"
    """The city's word: approve, retire, take in a file as published."""
    REPORT_READ = "report.read"
    USER_MANAGE = "user.manage"
    AUDIT_READ = "audit.read"

    @property
    def label_ja(self) -> str:
        return _LABELS[self]


_LABELS = {
    Permission.SEAT_OWN: "自分の席を見る・動かす",
    Permission.CASE_WRITE: "自分の応対履歴を書く",
    Permission.CASE_READ: "応対履歴を見る",
    Permission.RECORDING_HEAR: "録音を聞く",
    Permission.FLOOR_WATCH: "状況を見る",
    Permission.FLOOR_ACT: "離席・終了・呼び込み・モニターをする",
    Permission.CENTRE_ACT: "休止・再開・お知らせをする",
    Permission.SKILLS_CHANGE: "技能を改める",
    Permission.ALERT_TAKE: "警報に対応する",
    Permission.TICKET_OPEN: "依頼を出す",
    Permission.TICKET_WORK: "自分の課の依頼に対応する",
    Permission.TICKET_ALL: "すべての課の依頼に対応する",
    Permission.FAQ_READ: "FAQ を見る",
    Permission.FAQ_ASK: "FAQ の改訂を頼む",
    Permission.FAQ_WRITE: "FAQ を書く",
    Permission.FAQ_REVIEW: "FAQ を点検する",
    Permission.FAQ_APPROVE: "FAQ を承認する",
    Permission.REPORT_READ: "報告を取り出す",
    Permission.USER_MANAGE: "利用者を管理する",
    Permission.AUDIT_READ: "操作の記録を見る",
}

_P = Permission
_OPERATOR = frozenset(
    {
        _P.SEAT_OWN,
        _P.CASE_WRITE,
        _P.CASE_READ,
        _P.RECORDING_HEAR,
        _P.TICKET_OPEN,
        _P.FAQ_READ,
        _P.FAQ_ASK,
    }
)
_LEADER = _OPERATOR | {_P.FLOOR_WATCH, _P.ALERT_TAKE, _P.FAQ_WRITE}
_CITY_FAQ = frozenset({_P.FAQ_READ, _P.FAQ_ASK, _P.FAQ_WRITE, _P.FAQ_REVIEW, _P.FAQ_APPROVE})
_SUPERVISOR = _LEADER | {
    _P.FLOOR_ACT,
    _P.CENTRE_ACT,
    _P.SKILLS_CHANGE,
    _P.TICKET_ALL,
    _P.TICKET_WORK,
    _P.FAQ_REVIEW,
    _P.REPORT_READ,
}
_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.OPERATOR: _OPERATOR,
    Role.LEADER: _LEADER,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.CITY_STAFF: _CITY_FAQ | {_P.TICKET_WORK, _P.CASE_READ, _P.REPORT_READ},
    Role.CITY_ADMIN: _CITY_FAQ
    | frozenset(
        {
            _P.FLOOR_WATCH,
            _P.CENTRE_ACT,
            _P.CASE_READ,
            _P.RECORDING_HEAR,
            _P.TICKET_OPEN,
            _P.TICKET_WORK,
            _P.TICKET_ALL,
            _P.REPORT_READ,
            _P.AUDIT_READ,
        }
    ),
    Role.SYSTEM_ADMIN: frozenset({_P.USER_MANAGE, _P.AUDIT_READ}),
    Role.AUDITOR: frozenset({_P.AUDIT_READ, _P.CASE_READ, _P.FAQ_READ, _P.REPORT_READ}),
}


def permissions_of(role: Role) -> frozenset[Permission]:
    """Everything that somebody of this role may do."""
    return _ALLOWED[role]


API_PERMISSIONS = frozenset(
    {
        _P.FLOOR_WATCH,
        _P.ALERT_TAKE,
        _P.TICKET_OPEN,
        _P.TICKET_WORK,
        _P.TICKET_ALL,
        _P.CASE_READ,
        _P.FAQ_READ,
        _P.REPORT_READ,
        _P.AUDIT_READ,
    }
)
"""What a program may be given by a token."""
