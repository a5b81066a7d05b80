"""The proof: INVITEs counted on the wire against the ledger, and recordings against both.

The wire is counted from mirrored SIP (HEP), which knows nothing of CEL or queue_log, so a call that one of
them lost is seen missing here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from ledger.calls import Call, Disposition

CANCELLED = 487
"""RFC 3261 21.4.25: the caller took the INVITE back before it was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInvite:
    """One dialogue-opening INVITE that the trunk sent us."""

    sip_call_id: str
    at: float
    dialled: str
    final_status: int | None
    """The last final answer we gave; None when none was seen."""
    src: str

    @property
    def refused(self) -> bool:
        """Turned away by us before it became a call (487 ends a call that the caller gave up)."""
        return self.final_status is not None and self.final_status >= 400 and self.final_status != CANCELLED


@unique
class DifferenceKind(StrEnum):
    INVITE_WITHOUT_CALL = "invite_without_call"
    CALL_WITHOUT_INVITE = "call_without_invite"
    CALL_TWICE = "call_twice"
    NO_DISPOSITION = "call_without_disposition"
    REFUSED_YET_CALL = "refused_invite_with_call"
    RECORDING_WITHOUT_CALL = "recording_without_call"
    NOT_RECORDED = "answered_call_without_recording"

    @property
    def label_ja(self) -> str:
        return _LABELS[self]


_LABELS = {
    DifferenceKind.INVITE_WITHOUT_CALL: "着信があったが台帳に呼がない",
    DifferenceKind.CALL_WITHOUT_INVITE: "台帳にあるが着信がない",
    DifferenceKind.CALL_TWICE: "同じ着信が台帳に二つある",
    DifferenceKind.NO_DISPOSITION: "結果の決まっていない呼",
    DifferenceKind.REFUSED_YET_CALL: "拒否した着信が台帳にある",
    DifferenceKind.RECORDING_WITHOUT_CALL: "呼のない録音",
    DifferenceKind.NOT_RECORDED: "応答したのに録音がない",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    kind: DifferenceKind
    what: str
    """SIP Call-ID, call id or recording name."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was compared, and every difference; agreement is an empty list."""

    invites: int
    refused: int
    given_up: int
    """Callers who took their INVITE back before the dialplan's first line ran: nobody could have told them."""
    calls: int
    differences: list[Difference]

    @property
    def agrees(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProof:
    """What the last proof of one day said."""

    made_at: float
    """Epoch seconds."""
    over: bool
    """Whether the day was over by then."""
    calls: int
    differences: int

    def holds(self, calls: int) -> bool:
        """Whether it still speaks of the day, of which the ledger now has so many calls, and found no difference."""
        return self.over and not self.differences and self.calls == calls


def together(proofs: Sequence[DayProof]) -> DayProof:
    """One day's proofs of all nodes: each has compared its own calls. A node that has not is seen by the number."""
    return DayProof(
        made_at=min(each.made_at for each in proofs),
        over=all(each.over for each in proofs),
        calls=sum(each.calls for each in proofs),
        differences=sum(each.differences for each in proofs),
    )


SIDES = ("citizen", "line")


def reconcile(
    seen: Iterable[SeenInvite],
    calls: Iterable[Call],
    refused: Iterable[str] = (),
    recordings: Iterable[str] = (),
    *,
    check_recordings: bool = True,
) -> Reconciliation:
    """Compare the wire with the ledger.

    Args:
        seen: the trunk's INVITEs of the period, each SIP Call-ID once.
        calls: the ledger's calls that arrived in the period.
        refused: SIP Call-IDs of calls that the dialplan refused (`CallRefused`): no call is expected of them.
        recordings: names of recording files that exist, without folder and suffix: `<base>-citizen`.
        check_recordings: False when no list of files is at hand.
    """
    invites, rows = list(seen), list(calls)
    turned_away = set(refused) | {invite.sip_call_id for invite in invites if invite.refused}
    known = {call.sip_call_id for call in rows}
    given_up = {
        invite.sip_call_id
        for invite in invites
        if invite.final_status == CANCELLED and invite.sip_call_id not in known
    }
    found: list[Difference] = []
    by_sip: dict[str, list[Call]] = defaultdict(list)
    for call in rows:
        by_sip[call.sip_call_id].append(call)
    ids = Counter(call.call_id for call in rows)
    on_the_wire = {invite.sip_call_id for invite in invites}
    for invite in {invite.sip_call_id: invite for invite in invites}.values():
        if invite.sip_call_id in given_up:
            continue
        found += _of_invite(invite, by_sip.get(invite.sip_call_id, []), invite.sip_call_id in turned_away)
    for call in rows:
        if call.sip_call_id not in on_the_wire:
            found.append(Difference(kind=DifferenceKind.CALL_WITHOUT_INVITE, what=call.call_id))
        if call.disposition is None:
            found.append(Difference(kind=DifferenceKind.NO_DISPOSITION, what=call.call_id))
    found += [
        Difference(kind=DifferenceKind.CALL_TWICE, what=call_id, detail=f"{count} rows")
        for call_id, count in ids.items()
        if count > 1
    ]
    if check_recordings:
        found += _of_recordings(rows, set(recordings))
    return Reconciliation(
        invites=len(on_the_wire),
        refused=len(on_the_wire & turned_away),
        given_up=len(given_up),
        calls=len(rows),
        differences=sorted(found, key=lambda each: (each.kind, each.what)),
    )


def _of_invite(invite: SeenInvite, calls: list[Call], turned_away: bool) -> Iterable[Difference]:
    if not calls and not turned_away:
        yield Difference(
            kind=DifferenceKind.INVITE_WITHOUT_CALL, what=invite.sip_call_id, detail=f"{invite.final_status}"
        )
    if calls and turned_away:
        yield Difference(
            kind=DifferenceKind.REFUSED_YET_CALL, what=invite.sip_call_id, detail=f"{invite.final_status}"
        )
    if len({call.call_id for call in calls}) > 1:
        names = " ".join(sorted({call.call_id for call in calls}))
        yield Difference(kind=DifferenceKind.CALL_TWICE, what=invite.sip_call_id, detail=names)


def _of_recordings(calls: list[Call], files: set[str]) -> Iterable[Difference]:
    known = {f"{base}-{side}" for call in calls for base in call.recordings for side in SIDES}
    for name in sorted(files - known):
        yield Difference(kind=DifferenceKind.RECORDING_WITHOUT_CALL, what=name)
    for call in calls:
        if call.disposition is not Disposition.ANSWERED:
            continue
        wanted = [f"{base}-{side}" for base in call.recordings for side in SIDES]
        missing = [name for name in wanted if name not in files]
        if missing or not wanted:
            detail = " ".join(missing) or "no recording was started"
            yield Difference(kind=DifferenceKind.NOT_RECORDED, what=call.call_id, detail=detail)


def invites_of(
    messages: Iterable[Mapping[str, Any]], is_trunk: Callable[[Mapping[str, Any]], bool]
) -> list[SeenInvite]:
    """The trunk's INVITEs among mirrored SIP messages, each dialogue once, by time.

    Args:
        messages: what the mirror wrote, in any order: `at`, `call_id`, `method`, `status` (None for a
        request),
            `to_user`, `src`, `initial` (no To tag yet), `cseq`.
        is_trunk: whether a request came in over the trunk; asked for initial INVITEs only.

    An INVITE sent again (retransmission, or with credentials after a 401/407) is the same dialogue.
    """
    begun: dict[str, Mapping[str, Any]] = {}
    opening: set[tuple[str, str]] = set()
    answers: list[tuple[str, str, float, int]] = []
    for message in messages:
        call_id = str(message.get("call_id") or "")
        if not call_id or message.get("method") != "INVITE":
            continue
        status = message.get("status")
        if status is None:
            if message.get("initial") and is_trunk(message):
                opening.add((call_id, _number(message)))
                earliest = begun.get(call_id)
                if earliest is None or float(message["at"]) < float(earliest["at"]):
                    begun[call_id] = message
        elif int(status) >= 200:
            answers.append((call_id, _number(message), float(message["at"]), int(status)))
    finals: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for call_id, number, at, status in answers:
        # A later INVITE inside the dialogue (hold, session timer) has its own number and decides nothing.
        if (call_id, number) in opening:
            finals[call_id].append((at, status))
    invites = [
        SeenInvite(
            sip_call_id=call_id,
            at=float(message["at"]),
            dialled=str(message.get("to_user") or ""),
            final_status=max(finals[call_id])[1] if finals[call_id] else None,
            src=str(message.get("src") or ""),
        )
        for call_id, message in begun.items()
    ]
    return sorted(invites, key=lambda invite: (invite.at, invite.sip_call_id))


def _number(message: Mapping[str, Any]) -> str:
    return str(message.get("cseq") or "").split(" ")[0]
