"""The marker of a finished recording is made where it belongs, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agi_scripts import recording_done

pytestmark = pytest.mark.unit


def test_the_marker_is_empty_and_may_be_made_twice(tmp_path: Path) -> None:
    for _ in range(2):
        assert recording_done.main([str(tmp_path), "c-n1-1795227072.15"]) == 0
    assert (tmp_path / "c-n1-1795227072.15.done").read_bytes() == b""


@pytest.mark.parametrize("base", ["", "../x", "a/b", "/etc/x", ".hidden", "a b", "a\nb", "x" * 300, "a;rm"])
def test_other_names_are_refused(tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert recording_done.main([str(tmp_path / "in"), base]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "needed" in capsys.readouterr().err


def test_relative_folders_and_missing_arguments_are_refused(tmp_path: Path) -> None:
    assert recording_done.main(["recordings", "c-1"]) == 2
    assert recording_done.main([str(tmp_path)]) == 2
    assert recording_done.main([]) == 2


def test_a_link_in_the_markers_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "c-1.done").symlink_to(tmp_path / "elsewhere")
    assert recording_done.main([str(tmp_path), "c-1"]) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_it_runs_alone(tmp_path: Path) -> None:
    """Nothing of ours and nothing installed is needed."""
    assert recording_done.__file__ is not None
    command = [sys.executable, "-I", "-S", recording_done.__file__, str(tmp_path), "c-1"]
    assert subprocess.run(command, check=False, timeout=30).returncode == 0
    assert (tmp_path / "c-1.done").exists()
