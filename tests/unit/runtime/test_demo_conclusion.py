"""What a demonstration says in the end is in the words of the reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.settings import PROJECT_ROOT
from runtime.demo_conclusion import conclusion

pytestmark = pytest.mark.unit


def told(**more: Any) -> list[str]:
    summary = {
        "calls": 12,
        "dispositions": {
            "after_hours": 1, "answered": 8, "abandoned_queue": 1, "abandoned_menu": 1, "self_served": 1,
        },
        "agree": 12,
        "reconciliation": {"agrees": True, "invites": 12},
        "transcripts": {"done": 8},
        "understood": {
            "suggestions": {"top_3": 6, "asked": 8}, "gaps": {"gaps": ["x"]}, "numbers": 3, "left": {"traces": []},
        },
    }  # fmt: skip
    return list(conclusion(summary | more, Path("out"), 200.0))


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_example_in_the_readme_is_what_it_says(readme: str) -> None:
    assert "\n".join(["```", *told()[:4], "```"]) in (PROJECT_ROOT / readme).read_text("utf-8")


def test_what_went_wrong_is_told_too() -> None:
    lines = told(
        dispositions={"answered": 8, "None": 4},
        transcripts={"done": 6, "failed": 2},
        reconciliation={"agrees": False, "invites": 11},
    )
    assert lines[0] == "電話 12 本: 応答 8、通話中 4"
    assert lines[2:4] == ["SIP の記録との照合: 違いあり(着信 11)", "文字起こし: 済み 6、失敗 2"]
    assert told(calls=0, dispositions={}, transcripts={})[0] == "電話 0 本: なし"
