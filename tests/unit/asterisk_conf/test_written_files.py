"""Files on disk: whole or not at all, readable by their owner only; hold music that can repeat."""

from __future__ import annotations

import os
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from switch_sample import sample_switch

from asterisk_conf.from_city import write_scripts
from asterisk_conf.hold_music import RATE, hold_music, write_hold_music
from asterisk_conf.render import HEADER, render, write

pytestmark = pytest.mark.unit


def test_every_file_is_written_and_kept_from_others(tmp_path: Path) -> None:
    files = render(sample_switch("ageo"))
    write(files, tmp_path / "etc")
    written = {str(p.relative_to(tmp_path / "etc")): p for p in (tmp_path / "etc").rglob("*.conf")}
    assert {name: path.read_text("utf-8") for name, path in written.items()} == files
    assert {path.stat().st_mode & 0o777 for path in written.values()} == {0o600}
    assert all(files[n].startswith(HEADER) for n in files if not n.startswith("dialplans/"))


def test_files_no_longer_rendered_go_away_and_others_stay(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    write({"a.conf": "1", "dialplans/b.conf": "2"}, etc)
    (etc / "note.txt").write_text("mine")
    write({"a.conf": "3"}, etc)
    assert sorted(str(p.relative_to(etc)) for p in etc.rglob("*") if p.is_file()) == ["a.conf", "note.txt"]
    assert (etc / "a.conf").read_text() == "3"
    assert not (tmp_path / "etc.new").exists()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """An open file keeps its old text to the end: the new one takes its name in one step."""
    etc = tmp_path / "etc"
    write({"a.conf": "old" * 1000}, etc)
    with (etc / "a.conf").open() as reader:
        first = reader.read(3)
        write({"a.conf": "new"}, etc)
        assert first + reader.read() == "old" * 1000
    assert (etc / "a.conf").read_text() == "new"


def test_what_an_interrupted_write_left_behind_is_cleared(tmp_path: Path) -> None:
    staging = tmp_path / "etc.new"
    staging.mkdir()
    (staging / "stale.conf").write_text("x")
    write({"a.conf": "1"}, tmp_path / "etc")
    assert [p.name for p in (tmp_path / "etc").iterdir()] == ["a.conf"]


def test_the_scripts_find_their_instance_without_the_engine(tmp_path: Path) -> None:
    from dataclasses import replace

    paths = replace(
        sample_switch("ageo").paths,
        fallback_script=tmp_path / "bin" / "fallback",
        recording_done=tmp_path / "bin" / "recording-done",
    )
    write_scripts(paths, python=Path("/bin/echo"), environment={"TORITSUGI_HOME": "/srv/here"})
    done = subprocess.run(
        [paths.recording_done, "/recordings", "c-n1-1.1"], capture_output=True, text=True, check=True, env={}
    )
    assert done.stdout.split()[0].endswith("agi_scripts/recording_done.py")
    assert done.stdout.split()[1:] == ["/recordings", "c-n1-1.1"]
    assert os.access(paths.fallback_script, os.X_OK)
    assert "export TORITSUGI_HOME='/srv/here'" in paths.fallback_script.read_text()


def test_hold_music_is_quiet_and_repeats_without_a_click() -> None:
    music = hold_music()
    assert 20 <= len(music) / RATE <= 30
    assert np.abs(music).max() <= 5000
    assert np.abs(music[-RATE // 4 :].astype(int)).max() < 200
    assert abs(int(music[0])) < 200
    assert np.abs(music).max() > 3000


def test_hold_music_is_made_once(tmp_path: Path) -> None:
    path = write_hold_music(tmp_path / "music")
    before = path.stat().st_mtime_ns
    assert write_hold_music(tmp_path / "music") == path
    assert path.stat().st_mtime_ns == before
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
    assert [p.name for p in path.parent.iterdir()] == ["hold.wav"]
