"""What Asterisk reads for one city, to the letter: a change of template or dialplan shows itself as a difference.

After a change that is meant, `TORITSUGI_UPDATE_GOLDEN=1 ./toritsugi test tests/golden/asterisk_conf` writes the
files anew; read their difference before you commit it. `dialplans/*.conf` goes in unchanged and needs no copy here.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from switch_sample import sample_switch

from asterisk_conf.render import render
from core.settings import PROJECT_ROOT

pytestmark = pytest.mark.golden

GOLDEN = Path(__file__).parent / "matsusaka"
DIALPLANS = PROJECT_ROOT / "dialplans"


def test_the_files_are_as_agreed() -> None:
    files = render(sample_switch("matsusaka"))
    rendered = {name: text for name, text in files.items() if not name.startswith("dialplans/")}
    if os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
        for path in GOLDEN.rglob("*.conf"):
            path.unlink()
        for name, text in rendered.items():
            path = GOLDEN / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    kept = {str(path.relative_to(GOLDEN)): path.read_text("utf-8") for path in GOLDEN.rglob("*.conf")}
    assert sorted(kept) == sorted(rendered)
    difference = [
        line
        for name in sorted(kept)
        for line in difflib.unified_diff(kept[name].splitlines(), rendered[name].splitlines(), name, name)
    ]
    assert not difference, "\n".join(difference)


def test_dialplans_go_in_as_they_are() -> None:
    files = render(sample_switch("matsusaka"))
    sources = {f"dialplans/{path.name}": path.read_text("utf-8") for path in DIALPLANS.glob("*.conf")}
    assert {name: text for name, text in files.items() if name.startswith("dialplans/")} == sources
    assert len(sources) >= 6


def test_rendering_twice_gives_the_same() -> None:
    assert render(sample_switch("ube")) == render(sample_switch("ube"))
