"""Only a few failed stories on real Asterisk are told again; any other failure stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.testing import STORIES_AGAIN, _failed_stories

pytestmark = pytest.mark.unit

STORY = "tests/pbx/answered/test_story_answered.py::test_answered"


@pytest.mark.parametrize(
    ("failed", "again"),
    [
        ([], []),
        ([STORY], [STORY]),
        ([STORY, "tests/unit/core/test_hours.py::test_open"], []),
        ([f"{STORY}{number}" for number in range(STORIES_AGAIN + 1)], []),
    ],
)
def test_what_is_told_again(tmp_path: Path, failed: list[str], again: list[str]) -> None:
    cache = tmp_path / ".pytest_cache" / "v" / "cache"
    cache.mkdir(parents=True)
    (cache / "lastfailed").write_text(json.dumps(dict.fromkeys(failed, True)))
    assert _failed_stories(tmp_path) == again


def test_without_a_cache_nothing_is_told_again(tmp_path: Path) -> None:
    assert _failed_stories(tmp_path) == []
