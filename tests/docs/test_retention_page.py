"""`docs/retention.md` names every table, with what `storage.rows` declares, and every kind of file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT, settings_from
from services.recordings import SIDES
from services.retention import RAW_LOG_DAYS
from storage.rows import Retention, metadata

pytestmark = pytest.mark.docs

PAGE = (PROJECT_ROOT / "docs" / "retention.md").read_text(encoding="utf-8")


def table_under(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    part = PAGE.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]


def test_every_table_is_there_as_it_is_declared() -> None:
    told = {name: row for row in table_under("Tables") for name in re.findall(r"`([a-z_]+)`", row[0])}
    assert set(told) == set(metadata.tables)
    for name, table in metadata.tables.items():
        _, _, personal, how_long, who = told[name]
        assert personal.startswith("yes") is table.info["personal"], name
        words = (
            "while in use"
            if table.info["retention"] is Retention.WHILE_IN_USE
            else f"`{table.info['retention']}`"
        )
        assert how_long.startswith(words), name
        assert who, name


def test_every_file_that_settings_name_is_there() -> None:
    home = Path("/srv/toritsugi")
    settings = settings_from({"TORITSUGI_HOME": str(home)})
    told = " ".join(row[0] for row in table_under("Files"))
    for path in (
        settings.queue_log,
        settings.cel_log,
        settings.sip_log,
        settings.sounds,
        settings.recordings,
    ):
        assert str(path.relative_to(home)) in told
    assert settings.database_url.rpartition("/")[2] in told
    for side in SIDES:
        assert f"-{side}.wav" in told


def test_the_days_that_the_page_gives_are_the_codes() -> None:
    days = {int(number) for number in re.findall(r"(\d+) days", PAGE)}
    assert days == {RAW_LOG_DAYS}
