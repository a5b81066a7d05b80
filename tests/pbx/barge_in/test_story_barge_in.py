"""A key stops the menu at once."""

from __future__ import annotations

import time

import numpy as np
import pytest
from centre import Centre

from demo.ends.calls import OutgoingCall
from demo.ends.hearing import RATE

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_barge_in(centre: Centre) -> None:
    call = await centre.call()
    await centre.hears(call, "menu_main")
    pressed_at = time.time()
    await call.media.press("6", hold_s=0.1, pause_s=0.0)
    await centre.hears(call, "info_bring")
    await call.hang_up()
    (menu,) = [prompt for prompt in centre.heard_prompts(call) if prompt.name == "menu_main"]
    assert not menu.whole
    began = call.media.heard.started_at
    assert began + menu.end_s - pressed_at <= 0.3 + 0.2, "0.2 s is how finely an end can be heard"
    stopped_at = silence_after(call, pressed_at)
    assert stopped_at - pressed_at <= 0.3
    record = await centre.ledger(call)
    assert record["menu_path"] == ["main:6"]


def silence_after(call: OutgoingCall, moment: float) -> float:
    """When 100 ms without sound began, at or after `moment`."""
    recording = call.media.heard.recording()
    later = recording.part(moment, moment + 2.0)
    frame = RATE // 50
    loud = [
        float(np.abs(later.samples[at : at + frame]).max()) > 200
        for at in range(0, len(later.samples) - frame, frame)
    ]
    first = next(i for i in range(len(loud) - 5) if not any(loud[i : i + 5]))
    return later.started_at + first * frame / RATE
