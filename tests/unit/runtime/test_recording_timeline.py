"""Where a recording is silent and why: pauses by the operator and secrets muted afterwards, on one time line."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.fold import fold_call
from runtime.muting import timeline
from services.speech_ports import MuteState, RecordingMute

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from ledger_stories import CALL, answered_call  # a folder of another ring

pytestmark = pytest.mark.unit


def test_pauses_and_muted_secrets_in_order_of_time() -> None:
    call = fold_call(answered_call().facts)
    assert call is not None
    began = call.recorded_from if call.recorded_from is not None else call.arrived_at
    call = replace(call, silences=((began + 30.0, began + 42.0), (began + 90.0, None)))
    mute = RecordingMute(
        base=str(CALL), side="citizen", call_id=CALL, due_at=0.0, state=MuteState.PROVEN,
        spans=((50.0, 53.5, "my_number"), (12.0, 13.0, "name")),
    )  # fmt: skip
    rows = timeline(str(CALL), call, [mute])
    assert [(row["why"], row["side"], row["start_s"], row["end_s"]) for row in rows] == [
        ("name", "citizen", 12.0, 13.0),
        ("paused", "both", 30.0, 42.0),
        ("my_number", "citizen", 50.0, 53.5),
        ("paused", "both", 90.0, None),
    ]
    assert rows[0]["state"] == "proven"
    call_back = timeline(f"{CALL}-cb1", call, [replace(mute, base=f"{CALL}-cb1")])
    assert [row["why"] for row in call_back] == ["name", "my_number"]
