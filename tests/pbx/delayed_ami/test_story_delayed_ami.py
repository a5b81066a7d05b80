"""Callers wait in every queue, AMI is up to half a second late each way, and no offer breaks a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks._offers import run_offers

pytestmark = pytest.mark.pbx

OFFERS = 120


async def test_delayed_ami(tmp_path: Path) -> None:
    figures = await run_offers(tmp_path, offers=OFFERS, delay_s=0.5, seed=7)
    assert figures["faults"] == []
    assert figures["answered"] > 0.8 * OFFERS
    # What is claimed for full queues was seen with full queues.
    assert figures["every_queue_waiting"] > 0.8 * figures["offers"]
    # Every offer has its reasons, but for the last ones that a kill of the run may have cut off.
    assert sum(figures["explained"].values()) >= figures["offers"] - 2
