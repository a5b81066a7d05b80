"""The audit's chain: any line that is altered, missing, moved or cut off is found, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit import START, Anchor, AuditFault, Head, Link, Verifier, linked, signed
from services.ports import AuditEntry

pytestmark = pytest.mark.unit

KEY = "k"
ENTRIES = [
    AuditEntry(at=100.0 + n, actor="佐藤", action="case.view", subject=f"i-{n}", detail={"n": n, "漢": [1.5]})
    for n in range(12)
]
LINKS = list(linked(ENTRIES, 0, START))
HEAD = Head(seq=12, hash=LINKS[-1].hash)


def anchor(link: Link, *, pruned: bool = False) -> Anchor:
    plain = Anchor(at=1.0, node="n1", seq=link.seq, hash=link.hash, pruned=pruned)
    return replace(plain, signature=signed(plain, KEY))


def found(links: Sequence[Link], head: Head = HEAD, anchors: Sequence[Anchor] = ()) -> list[tuple[str, int]]:
    verifier = Verifier(head, anchors, KEY)
    verifier.feed(links)
    return [(problem.fault.value, problem.seq) for problem in verifier.finish()]


def test_an_untouched_chain_is_whole() -> None:
    assert found(LINKS) == []
    assert found(LINKS, anchors=[anchor(LINKS[4]), anchor(LINKS[11])]) == []
    assert found([], Head()) == []


@given(st.integers(0, 11), st.sampled_from(["actor", "action", "subject", "at", "detail"]))
def test_an_altered_line_is_found(place: int, name: str) -> None:
    values = {"actor": "鈴木", "action": "x", "subject": "x", "at": 0.5, "detail": {"n": -1}}
    entry = replace(LINKS[place].entry, **{name: values[name]})
    changed = [*LINKS[:place], replace(LINKS[place], entry=entry), *LINKS[place + 1 :]]
    assert found(changed) == [("altered", place + 1)]


@given(st.integers(0, 11))
def test_a_line_altered_with_its_hash_breaks_the_next(place: int) -> None:
    entry = replace(LINKS[place].entry, actor="鈴木")
    forged = next(linked([entry], place, LINKS[place].prev))
    changed = [*LINKS[:place], forged, *LINKS[place + 1 :]]
    assert found(changed) == [("broken", min(place + 2, 12))]


@given(st.sets(st.integers(0, 10), min_size=1))
def test_missing_lines_are_found(places: set[int]) -> None:
    left = [link for number, link in enumerate(LINKS) if number not in places]
    faults = found(left)
    assert faults
    assert {fault for fault, _ in faults} == {"missing"}
    assert faults[0][1] == min(places) + 1


@given(st.integers(0, 11), st.integers(0, 11))
def test_moved_lines_are_found(first: int, second: int) -> None:
    if first == second:
        return
    links = list(LINKS)
    links[first], links[second] = (
        replace(links[second], seq=first + 1),
        replace(links[first], seq=second + 1),
    )
    faults = found(links)
    assert {("reordered", first + 1), ("reordered", second + 1)} <= set(faults)


@given(st.integers(0, 11))
def test_an_end_that_is_cut_off_is_found(length: int) -> None:
    assert ("truncated", length + 1) in found(LINKS[:length])


@given(st.integers(0, 10))
def test_a_forged_head_does_not_hide_a_cut_from_the_anchors(length: int) -> None:
    cut = LINKS[:length]
    head = Head(seq=length, hash=cut[-1].hash if cut else START)
    assert found(cut, head) == []
    assert found(cut, head, [anchor(LINKS[10])]) == [("truncated", length + 1)]


def test_a_chain_written_anew_contradicts_its_anchors() -> None:
    anew = list(linked([replace(entry, actor="鈴木") for entry in ENTRIES], 0, START))
    head = Head(seq=12, hash=anew[-1].hash)
    assert found(anew, head) == []
    assert found(anew, head, [anchor(LINKS[4])]) == [("anchor", 5)]


def test_an_anchor_of_somebody_else_is_not_believed() -> None:
    assert found(LINKS, anchors=[replace(anchor(LINKS[3]), signature="0" * 64)]) == [("anchor", 4)]


def test_what_retention_deleted_is_no_fault_when_it_said_so() -> None:
    head = replace(HEAD, pruned_seq=5, pruned_hash=LINKS[4].hash)
    assert found(LINKS[5:], head, [anchor(LINKS[4], pruned=True)]) == []
    assert found(LINKS[5:], head, [anchor(LINKS[4])]) == [("anchor", 5)]
    assert found(LINKS[6:], head, [anchor(LINKS[4], pruned=True)]) == [("missing", 6)]
    everything = replace(HEAD, pruned_seq=12, pruned_hash=LINKS[11].hash)
    assert found([], everything, [anchor(LINKS[11], pruned=True)]) == []


def test_every_fault_has_a_name() -> None:
    assert all(fault.label_ja for fault in AuditFault)
