"""Events as Asterisk 22.10.1 sent them: each kind is translated, and each field is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.ami import events as e

pytestmark = pytest.mark.replay


def recorded() -> Iterator[dict[str, str]]:
    for block in Path(__file__).with_name("ami_events.txt").read_text(encoding="utf-8").split("\n\n"):
        lines = (line.partition(": ") for line in block.strip("\n").split("\n"))
        yield {key.lower(): value for key, _, value in lines}


def test_every_wanted_kind_was_recorded_and_is_translated() -> None:
    seen = set()
    for fields in recorded():
        event = e.translate(fields, 0.0)
        assert event is not None
        assert type(event).__name__ == {"CoreShowChannel": "ChannelRow"}.get(fields["event"], fields["event"])
        seen.add(fields["event"])
    assert seen >= e.WANTED


def test_the_events_own_time_is_taken() -> None:
    for fields in recorded():
        event = e.translate(fields, 5.0)
        assert event is not None
        assert event.at == float(fields.get("timestamp", 5.0))


def test_a_missing_field_is_an_error_in_the_log_and_no_event(caplog: pytest.LogCaptureFixture) -> None:
    """Which fields are read is found by taking each away; none may become an empty string."""
    needed: dict[str, set[str]] = {}
    for fields in recorded():
        for key in fields.keys() - {"event", "timestamp"}:
            caplog.clear()
            if e.translate({k: v for k, v in fields.items() if k != key}, 0.0) is None:
                needed.setdefault(fields["event"], set()).add(key)
                assert f"lacks '{key}'" in caplog.text
    assert needed["QueueCallerJoin"] >= {
        "queue",
        "channel",
        "uniqueid",
        "linkedid",
        "position",
        "accountcode",
    }
    assert needed["AgentComplete"] >= {"talktime", "reason", "membername", "uniqueid"}
    assert needed["QueueMemberPause"] >= {"paused", "pausedreason", "membername"}
    assert needed["QueueEntry"] >= {"wait", "position", "uniqueid"}


def test_a_member_gone_before_the_bridge_is_still_told_of() -> None:
    """Asterisk 22.10 then sends AgentComplete without the headers of the member's channel."""
    fields = next(fields for fields in recorded() if fields["event"] == "AgentComplete")
    found = e.translate({k: v for k, v in fields.items() if not k.startswith("dest")}, 0.0)
    assert isinstance(found, e.AgentComplete)
    assert found.member == fields["membername"]


def test_a_citizen_gone_before_the_event_ends_the_talk_all_the_same() -> None:
    """Asterisk 22.10 then leaves out the headers of the citizen's channel; seen under load."""
    fields = next(fields for fields in recorded() if fields["event"] == "AgentComplete")
    gone = {"channel", "uniqueid", "linkedid", "accountcode"}
    found = e.translate({k: v for k, v in fields.items() if k not in gone}, 0.0)
    assert isinstance(found, e.AgentComplete)
    assert (found.member, found.talk_s, found.channel) == (fields["membername"], int(fields["talktime"]), "")


def test_values() -> None:
    found = {type(event): event for fields in recorded() if (event := e.translate(fields, 0.0))}
    connect = found[e.AgentConnect]
    assert isinstance(connect, e.AgentConnect)
    assert (connect.queue, connect.member, connect.account_code.startswith("c-n1-")) == (
        "booking-ja", "op101", True
    )  # fmt: skip
    user = found[e.UserEvent]
    assert isinstance(user, e.UserEvent)
    assert (user.name, user.values["text"]) == ("Hello", "山田太郎")


@pytest.mark.parametrize("change", [{"penalty": "high"}, {"paused": "yes"}, {"incall": ""}])
def test_an_unreadable_value_is_no_event(change: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    fields = next(fields for fields in recorded() if fields["event"] == "QueueMemberStatus")
    assert e.translate(fields | change, 0.0) is None
    assert "cannot be read" in caplog.text
