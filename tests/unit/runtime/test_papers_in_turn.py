"""However many ask for a paper at the desk, one is made at a time: the others' sign-ins and recordings go on."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from runtime.desk_papers import CityPapers
from services.city import load_city

pytestmark = pytest.mark.unit


class Watched(CityPapers):
    most = now = 0

    async def _body(self, kind: str, day: date, format_: str) -> bytes:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return b"paper"


async def test_papers_are_made_one_after_the_other() -> None:
    papers = Watched(load_city("matsusaka"))
    made = await asyncio.gather(*(papers.make("daily", date(2026, 11, 26), "csv") for _ in range(5)))
    assert [paper.body for paper in made] == [b"paper"] * 5
    assert papers.most == 1
