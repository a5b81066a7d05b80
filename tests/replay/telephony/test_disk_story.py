"""A recorded minute of Asterisk 22.10.1 (five SIP callers), whole, doubled, beheaded and damaged.

Served until the operator hung up; missed by op102 and served by op101 until the caller hung up; abandoned; given up
by the time limit; served by op103 and blind-transferred.
"""

from __future__ import annotations

import logging
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from core.ids import CallId
from ledger.facts import Arrived, Connected, Fact, HungUp, JoinedQueue, LeftQueue, QueueExit
from telephony.disk.reader import FactReader, cel_reader, queue_log_reader
from telephony.disk.tail import Position

pytestmark = pytest.mark.replay

HERE = Path(__file__).parent
CALLS = [CallId(f"c-n1-{uniqueid}") for uniqueid in (
    "1795228422.49", "1795228428.52", "1795228434.57", "1795228436.58", "1795228457.59"
)]  # fmt: skip


def all_of(reader: FactReader) -> list[Fact]:
    facts: list[Fact] = []
    while (batch := reader.read(limit=10)).lines:
        facts += batch.facts
    return facts


def cel(start: Position | None = None) -> FactReader:
    return cel_reader(HERE / "cel.jsonl", "n1", start)


def queue_log(start: Position | None = None) -> FactReader:
    return queue_log_reader(HERE / "queue_log.txt", "n1", start)


def told(facts: list[Fact]) -> dict[str, list[str]]:
    """Names of the facts of each call, in order."""
    story: dict[str, list[str]] = defaultdict(list)
    for fact in facts:
        if fact.call is not None:
            story[fact.call].append(type(fact).__name__)
    return story


def test_the_queues_story() -> None:
    reader = queue_log()
    story = told(all_of(reader))
    assert list(story) == CALLS
    assert [story[call] for call in CALLS] == [
        ["EnteredQueue", "Connected", "Served"],
        ["EnteredQueue", "OfferMissed", "Connected", "Served"],
        ["EnteredQueue", "LeftQueue"],
        ["EnteredQueue", "LeftQueue"],
        ["EnteredQueue", "Connected", "Served"],
    ]
    assert reader.damaged == 0


def test_the_channels_story() -> None:
    reader = cel()
    facts = all_of(reader)
    assert [fact.call for fact in facts if isinstance(fact, Arrived)] == CALLS
    opening = ["Arrived", "Answered", "RecordingStarted", "JoinedQueue"]
    for call, names in told(facts).items():
        assert call in CALLS
        assert names[:4] == opening
        assert names[-1] in {"HungUp", "LegLeft"}
    assert reader.damaged == 0


def test_both_logs_agree_on_who_spoke_with_whom_and_when() -> None:
    exact = {fact.call: fact for fact in all_of(cel()) if isinstance(fact, Connected)}
    coarse = {fact.call: fact for fact in all_of(queue_log()) if isinstance(fact, Connected)}
    assert exact.keys() == coarse.keys() == {CALLS[0], CALLS[1], CALLS[4]}
    for call, fact in exact.items():
        assert fact.exact
        assert not coarse[call].exact
        assert (fact.operator, fact.member_channel) == (coarse[call].operator, coarse[call].member_channel)
        assert abs(fact.at - coarse[call].at) <= 1


def test_both_logs_agree_on_the_time_limit() -> None:
    exits = [fact for fact in all_of(cel()) + all_of(queue_log()) if isinstance(fact, LeftQueue)]
    assert [fact.how for fact in exits if fact.call == CALLS[3]] == [QueueExit.TIMEOUT] * 2
    assert [fact.how for fact in exits if fact.call == CALLS[2]] == [QueueExit.ABANDONED]


def test_who_hung_up_is_a_channel() -> None:
    sources = {
        fact.call: fact.by_channel
        for fact in all_of(cel())
        if isinstance(fact, HungUp) and fact.call == f"c-{fact.uniqueid}"
    }
    assert sources.keys() == set(CALLS)
    assert sources[CALLS[1]].startswith("PJSIP/trunk-")
    assert sources[CALLS[2]].startswith("PJSIP/trunk-")


@pytest.mark.parametrize("make", [cel, queue_log])
def test_read_twice_gives_the_same_sources(make: type) -> None:
    first, second = all_of(make()), all_of(make())
    assert first == second
    assert len({fact.source for fact in first}) == len(first)


@pytest.mark.parametrize("make", [cel, queue_log])
def test_a_restart_at_any_line_loses_and_doubles_nothing(make: type) -> None:
    whole = all_of(make())
    for taken in (1, 7, 20, 30):
        reader = make()
        batch = reader.read(limit=taken)
        assert batch.lines == taken
        assert list(batch.facts) + all_of(make(batch.position)) == whole


def test_a_beheaded_file_tells_the_rest(tmp_path: Path) -> None:
    """As when the first part was rotated away and deleted before anybody read it."""
    lines = (HERE / "cel.jsonl").read_text().splitlines(keepends=True)
    log = tmp_path / "cel.jsonl"
    log.write_text("".join(lines[10:]))
    facts = all_of(cel_reader(log, "n1"))
    assert [fact.call for fact in facts if isinstance(fact, JoinedQueue)] == CALLS[1:]


def test_damaged_lines_are_counted_with_their_place_and_cost_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = (HERE / "queue_log.txt").read_text().splitlines(keepends=True)
    log = tmp_path / "queue_log"
    log.write_text("".join([*lines[:3], "1795228422|n1-17952\n", "\x00\x00\n", *lines[3:]]))
    reader = queue_log_reader(log, "n1")
    with caplog.at_level(logging.ERROR):
        facts = all_of(reader)
    assert reader.damaged == 2
    assert told(facts) == told(all_of(queue_log()))
    place = sum(len(line) for line in lines[:3])
    assert f"+{place}: fewer than five fields" in caplog.text


def test_rotation_between_the_lines(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    shutil.copy(HERE / "queue_log.txt", log)
    reader = queue_log_reader(log, "n1")
    facts = list(reader.read(limit=12).facts)
    log.rename(tmp_path / "queue_log.0")
    log.write_text("1795229000|NONE|NONE|NONE|QUEUESTART|\n")
    facts += all_of(reader)
    assert [type(fact).__name__ for fact in facts[-2:]] == ["OperatorSignedOut", "SwitchStarted"]
    assert told(facts) == told(all_of(queue_log()))
