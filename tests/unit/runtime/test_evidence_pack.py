"""The file of one call's evidence: whole, hashed, the same each time, for its owner alone."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from runtime.evidence import write_pack

pytestmark = pytest.mark.unit


def made(folder: Path, name: str) -> tuple[Path, str]:
    recording = folder / "c-1-citizen.wav"
    recording.write_bytes(b"RIFF" * 1000)
    target = folder / name
    return target, write_pack(target, {"call.json": b"{}"}, {"recordings/c-1-citizen.wav": recording})


def test_every_member_has_its_hash_and_the_whole_has_one(tmp_path: Path) -> None:
    target, digest = made(tmp_path, "a.zip")
    assert digest == hashlib.sha256(target.read_bytes()).hexdigest()
    with zipfile.ZipFile(target) as pack:
        sums = dict(reversed(line.split("  ", 1)) for line in pack.read("SHA256SUMS").decode().splitlines())
        assert set(sums) == {"call.json", "recordings/c-1-citizen.wav"}
        assert all(hashlib.sha256(pack.read(name)).hexdigest() == value for name, value in sums.items())
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_the_same_content_makes_the_same_file(tmp_path: Path) -> None:
    assert made(tmp_path, "a.zip")[1] == made(tmp_path, "b.zip")[1]


def test_a_recording_that_cannot_be_read_leaves_nothing_behind_under_the_name(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    with pytest.raises(FileNotFoundError):
        write_pack(target, {"call.json": b"{}"}, {"recordings/x.wav": tmp_path / "x.wav"})
    assert not target.exists()
