"""The page of requirements: every row has a state, and the table of counts says what the rows say."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"
STATES = ("done", "partly", "not yet", "organisational")


def test_the_counts_are_those_of_the_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (R\d{3}) \| (\S+?市) [^|]*\|[^|]*\| ([^|]+?) \|", text, re.MULTILINE)
    assert len({name for name, _, _ in rows}) == len(rows) == 247
    assert {state for _, _, state in rows} <= set(STATES)
    counted = Counter((city, state) for _, city, state in rows)
    counts = {
        match[1]: [int(cell) for cell in match[2].split("|")]
        for match in re.finditer(r"^\| (\S+?市|all) \| ([\d |]+\d) \|$", text, re.MULTILINE)
    }
    cities = list(dict.fromkeys(city for _, city, _ in rows))
    assert list(counts) == [*cities, "all"]
    for city in cities:
        of_city = [counted[city, state] for state in STATES]
        assert counts[city] == [*of_city, sum(of_city)], city
    assert counts["all"] == [sum(column) for column in zip(*(counts[c] for c in cities), strict=True)]
