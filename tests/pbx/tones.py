"""Who hears whom, by ear: everybody says a tone of their own."""

from __future__ import annotations

import asyncio

from centre import tone, tone_s

from demo.ends.dialog import Dialog

CITIZEN, OPERATOR, SUPERVISOR = 600, 1000, 1500
"""Each says a tone of their own, Hz."""


async def who_hears(**ends: Dialog) -> dict[str, set[int]]:
    """Everybody says their tone at once; which tones each heard of it."""
    tones = {"citizen": CITIZEN, "operator": OPERATOR, "supervisor": SUPERVISOR}
    before = {
        (name, hz): tone_s(end.media.heard.recording().samples, hz)
        for name, end in ends.items()
        for hz in tones.values()
    }
    # One after the other, so that each stands out of everything else.
    for name, end in ends.items():
        assert await end.media.say(tone(tones[name]))
        await asyncio.sleep(0.3)  # the way through the switch
    return {
        name: {
            hz
            for hz in tones.values()
            if tone_s(end.media.heard.recording().samples, hz) - before[(name, hz)] > 0.3
        }
        for name, end in ends.items()
    }


HEARD = {
    "listen": {"citizen": {OPERATOR}, "operator": {CITIZEN}, "supervisor": {CITIZEN, OPERATOR}},
    "whisper": {"citizen": {OPERATOR}, "operator": {CITIZEN, SUPERVISOR}, "supervisor": {CITIZEN, OPERATOR}},
    "barge": {
        "citizen": {OPERATOR, SUPERVISOR},
        "operator": {CITIZEN, SUPERVISOR},
        "supervisor": {CITIZEN, OPERATOR},
    },
}
"""By how a supervisor takes part: what each of the three hears."""
