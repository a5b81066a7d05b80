"""The proof reports no difference where there is none, and each kind where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ledger_stories import CALL, T0, Teller, answered_call

from core.ids import CallId
from ledger.calls import Call
from ledger.fold import fold_call
from ledger.reconcile import DifferenceKind, SeenInvite, invites_of, reconcile

pytestmark = pytest.mark.unit


def answered() -> Call:
    call = fold_call(answered_call().facts)
    assert call is not None
    return call


def invite(name: str, status: int | None = 200) -> SeenInvite:
    return SeenInvite(
        sip_call_id=name, at=T0, dialled="0598000000", final_status=status, src="192.0.2.1:5060"
    )


RECORDED = [f"{CALL}-citizen", f"{CALL}-line"]


def test_agreement() -> None:
    call = answered()
    result = reconcile([invite(call.sip_call_id), invite("x", 404)], [call], ["y"], RECORDED)
    assert result.agrees
    assert (result.invites, result.refused, result.calls) == (2, 1, 1)


def test_who_takes_the_invite_back_before_the_dialplan_runs_is_counted_apart() -> None:
    call = answered()
    result = reconcile([invite("gone", 487), invite(call.sip_call_id, 487)], [call], [], RECORDED)
    assert result.agrees
    assert (result.invites, result.given_up, result.calls) == (2, 1, 1)


def test_calls_refused_by_the_dialplan_are_accounted_for() -> None:
    assert reconcile([invite("refused", 200)], [], ["refused"], []).agrees


@pytest.mark.parametrize(
    ("seen", "calls", "files", "kind", "what"),
    [
        ([], [answered()], RECORDED, DifferenceKind.CALL_WITHOUT_INVITE, CALL),
        ([invite("a")], [], [], DifferenceKind.INVITE_WITHOUT_CALL, "a"),
        ([invite(answered().sip_call_id)], [answered()], RECORDED[:1], DifferenceKind.NOT_RECORDED, CALL),
        ([invite(answered().sip_call_id)], [answered()] * 2, RECORDED, DifferenceKind.CALL_TWICE, CALL),
        (
            [invite(answered().sip_call_id)],
            [replace(answered(), disposition=None)],
            RECORDED,
            DifferenceKind.NO_DISPOSITION,
            CALL,
        ),
        (
            [invite(answered().sip_call_id, 403)],
            [answered()],
            RECORDED,
            DifferenceKind.REFUSED_YET_CALL,
            None,
        ),
        ([], [], ["c-n1-9.9-line"], DifferenceKind.RECORDING_WITHOUT_CALL, "c-n1-9.9-line"),
    ],
)
def test_each_kind_of_difference(
    seen: list[SeenInvite], calls: list[Call], files: list[str], kind: DifferenceKind, what: str | None
) -> None:
    result = reconcile(seen, calls, [], files)
    (difference,) = result.differences
    assert difference.kind is kind
    assert difference.kind.label_ja
    assert what is None or difference.what == what


def test_two_calls_of_one_invite_are_told_apart_from_one() -> None:
    second = replace(answered(), call_id=CallId("c-n1-2.2"), recordings=())
    result = reconcile(
        [invite(answered().sip_call_id)], [answered(), second], [], RECORDED, check_recordings=False
    )
    assert [difference.kind for difference in result.differences] == [DifferenceKind.CALL_TWICE]


def test_an_answered_call_without_a_recording_is_found() -> None:
    call = replace(answered(), recordings=())
    result = reconcile([invite(call.sip_call_id)], [call], [], [])
    assert [difference.kind for difference in result.differences] == [DifferenceKind.NOT_RECORDED]


def _message(call_id: str, at: float, **more: Any) -> dict[str, Any]:
    base = {
        "call_id": call_id,
        "at": at,
        "method": "INVITE",
        "status": None,
        "to_user": "0598000000",
        "from_user": "0901",
        "src": "192.0.2.1:5060",
        "dst": "192.0.2.9:5060",
        "initial": True,
        "cseq": 1,
    }
    return {**base, **more}


def _from_trunk(message: Mapping[str, Any]) -> bool:
    return str(message["src"]).startswith("192.0.2.1:")


def test_invites_are_read_from_mirrored_messages() -> None:
    messages = [
        _message("a", 5.0),
        _message("a", 4.5),  # the same again, mirrored out of order
        _message("a", 5.1, status=100, initial=False),
        _message("a", 5.5, status=200, initial=False),
        _message("a", 9.0, cseq=2, initial=False),
        _message("a", 9.1, status=488, cseq=2, initial=False),
        _message("b", 6.0, to_user="110"),
        _message("b", 6.1, status=404, initial=False),
        _message("c", 7.0, src="192.0.2.9:5060", dst="192.0.2.50:5060"),
        _message("c", 7.2, status=200, src="192.0.2.50:5060", initial=False),
        _message("d", 8.0),
        _message("e", 8.5, method="OPTIONS"),
        _message("f", 9.0),
        _message("f", 9.1, status=401, initial=False),
        _message("f", 9.2, cseq=2),
        _message("f", 9.3, status=200, cseq=2, initial=False),
    ]
    invites = invites_of(reversed(messages), _from_trunk)
    assert [(each.sip_call_id, each.at, each.final_status, each.refused) for each in invites] == [
        ("a", 4.5, 200, False),
        ("b", 6.0, 404, True),
        ("d", 8.0, None, False),
        ("f", 9.0, 200, False),
    ]


def test_removing_a_row_by_hand_is_seen() -> None:
    tellers = [answered_call(uniqueid=f"n1-176400000{n}.{n}", start=100.0 * n) for n in range(3)]
    calls = [call for teller in tellers if (call := fold_call(teller.facts))]
    seen = [invite(call.sip_call_id) for call in calls]
    files = [f"{call.call_id}-{side}" for call in calls for side in ("citizen", "line")]
    assert reconcile(seen, calls, [], files).agrees
    kinds = {each.kind for each in reconcile(seen, calls[1:], [], files).differences}
    assert kinds == {DifferenceKind.INVITE_WITHOUT_CALL, DifferenceKind.RECORDING_WITHOUT_CALL}


def test_an_open_call_has_no_disposition_yet() -> None:
    call = fold_call(Teller().arrived().facts)
    assert call is not None
    result = reconcile([invite(call.sip_call_id)], [call], [], [])
    assert [difference.kind for difference in result.differences] == [DifferenceKind.NO_DISPOSITION]
