"""Draft, checked, delivered, amended: what may follow what, and what an amendment changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from month_papers import calls_of, paper

from core.errors import ToritsugiError
from reports.delivery import State, Version, begun, cells_of, differences, moved
from reports.formats import Format
from runtime.kept_papers import diff, keep, load_versions, move

pytestmark = pytest.mark.unit
AT = "2025-01-06T09:00:00+09:00"
SECTIONS = ("counts", "days", "long_waits")


def drafted(versions: tuple[Version, ...] = (), note: str = "", **cells: str) -> tuple[Version, ...]:
    return begun(
        versions, at=AT, by="青木", note=note, data_version="a1", rule="offered_v1", files={}, cells=cells
    )


def delivered(**cells: str) -> tuple[Version, ...]:
    checked = moved(drafted(**cells), State.CHECKED, at=AT, by="石川")
    return moved(checked, State.DELIVERED, at=AT, by="石川")


def test_a_paper_goes_its_way_step_by_step() -> None:
    versions = delivered()
    assert [step.state for step in versions[0].steps] == [State.DRAFT, State.CHECKED, State.DELIVERED]
    for state in State:
        with pytest.raises(ToritsugiError, match="できません"):
            moved(versions, state, at=AT, by="青木")
    with pytest.raises(ToritsugiError, match="できません"):
        moved(drafted(), State.DELIVERED, at=AT, by="青木")
    with pytest.raises(ToritsugiError, match="案がありません"):
        moved((), State.CHECKED, at=AT, by="青木")
    with pytest.raises(ToritsugiError, match="だれが"):
        moved(drafted(), State.CHECKED, at=AT, by=" ")


def test_a_new_draft_replaces_a_draft_and_amends_what_is_delivered() -> None:
    assert len(drafted(drafted())) == 1
    checked = moved(drafted(), State.CHECKED, at=AT, by="石川")
    with pytest.raises(ToritsugiError, match="確認済み"):
        drafted(checked)
    assert len(drafted(moved(checked, State.DRAFT, at=AT, by="石川"))) == 1
    with pytest.raises(ToritsugiError, match="理由"):
        drafted(delivered())
    amended = drafted(delivered(), note="遅れて届いた記録")
    assert [version.number for version in amended] == [1, 2]
    assert amended[0] == delivered()[0]


def test_an_amendment_shows_every_cell_that_differs() -> None:
    before, after = delivered(a="1", b="2", gone="3"), drafted(delivered(), note="x", a="1", b="5", new="7")
    found = {(each.where, each.before, each.after) for each in differences(before[0], after[-1])}
    assert found == {("b", "2", "5"), ("new", None, "7"), ("gone", "3", None)}


def test_every_figure_has_a_place_of_its_own() -> None:
    made = paper(calls_of(60, 3), ("counts", "rates", "times", "meter", "days", "hours", "lines", "grid"))
    cells = cells_of(made)
    shown = 0
    for table in made.tables():
        for row in (*table.rows, table.foot() or ()):
            shown += sum(value is not None for value in row[1:])
    assert len(cells) == shown


def test_kept_files_are_proved_and_never_half_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = (Format.HTML, Format.CSV)
    calls = calls_of(60, 3)
    keep(tmp_path, paper(calls, SECTIONS), AT, by="青木", note="", formats=formats)
    move(tmp_path, State.CHECKED, AT, by="石川")
    move(tmp_path, State.DELIVERED, AT, by="石川")
    first = (tmp_path / "v1.csv").read_bytes()
    keep(tmp_path, paper(calls[:-1], SECTIONS), AT, by="青木", note="一件の取り違え", formats=formats)
    assert (tmp_path / "v1.csv").read_bytes() == first
    assert {path.name for path in tmp_path.iterdir()} == {
        "v1.html", "v1.csv", "v2.html", "v2.csv", "versions.json",
    }  # fmt: skip
    changed = {each.where for each in diff(tmp_path)}
    assert "入電の内訳/入電/件数" in changed

    def dies(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("runtime.period_papers.write_format", dies)
    with pytest.raises(ToritsugiError, match="書けません"):
        keep(tmp_path, paper(calls, SECTIONS), AT, by="青木", note="", formats=formats)
    assert len(load_versions(tmp_path)) == 2
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]
    (tmp_path / "v1.csv").write_bytes(first + b"1")
    with pytest.raises(ToritsugiError, match="違います"):
        load_versions(tmp_path)
    (tmp_path / "versions.json").write_text("[{", encoding="utf-8")
    with pytest.raises(ToritsugiError, match="壊れて"):
        load_versions(tmp_path)
