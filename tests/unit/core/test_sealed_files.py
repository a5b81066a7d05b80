"""Encrypted files: what goes in comes out, from any place, and every change is noticed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.keys import Key, KeyProblem, KeyRing, KeySource, key_source, new_key, ring_from_text
from core.sealed import CHUNK, SealBroken, open_plain, plain_size, seal_file, sealed_with
from core.settings import PROJECT_ROOT

pytestmark = pytest.mark.unit

KEY = new_key(1.0)
RING = KeyRing(keys=(KEY,))
SIZES = (0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 77)


def sealed(path: Path, content: bytes, key: Key = KEY) -> Path:
    path.write_bytes(content)
    assert seal_file(path, key, lambda: RING)
    return path


def plain(path: Path, ring: KeyRing = RING) -> bytes:
    with open_plain(path, lambda: ring) as file:
        return file.read()


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    path = sealed(tmp_path / "a.wav", content)
    assert sealed_with(path) == KEY.id
    assert size < 100 or content not in path.read_bytes()
    assert plain(path) == content
    assert plain_size(path) == size
    assert not seal_file(path, KEY, lambda: RING)


def test_any_part_is_read_alone(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(5 * CHUNK + 123)
    path = sealed(tmp_path / "a.wav", content)
    rng = random.Random(2)
    with open_plain(path, lambda: RING) as file:
        for _ in range(200):
            start, count = rng.randrange(len(content) + 10), rng.randrange(2 * CHUNK)
            file.seek(start)
            assert file.read(count) == content[start : start + count]
        assert file.seek(0, os.SEEK_END) == len(content)


def test_two_files_of_the_same_content_differ(tmp_path: Path) -> None:
    first, second = (sealed(tmp_path / name, b"x" * 100).read_bytes() for name in ("a", "b"))
    assert first[36:] != second[36:]


def test_every_change_is_noticed(tmp_path: Path) -> None:
    path = sealed(tmp_path / "a.wav", random.Random(3).randbytes(3 * CHUNK))
    whole = path.read_bytes()
    step = CHUNK + 16
    first, second = whole[36 : 36 + step], whole[36 + step : 36 + 2 * step]
    damaged = {
        "a bit": whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
        "the header": whole[:20] + bytes([whole[20] ^ 1]) + whole[21:],
        "cut inside": whole[:-10],
        "cut at a chunk": whole[:-step],
        "a chunk taken out": whole[:36] + whole[36 + step :],
        "chunks swapped": whole[:36] + second + first + whole[36 + 2 * step :],
        "something behind": whole + b"x",
        "the header alone": whole[:36],
    }  # fmt: skip
    unnoticed = []
    for what, content in damaged.items():
        path.write_bytes(content)
        with contextlib.suppress(SealBroken):
            plain(path)
            unnoticed.append(what)
    assert unnoticed == []


def test_an_older_key_still_reads_and_is_replaced(tmp_path: Path) -> None:
    newer = new_key(2.0)
    ring = KeyRing(keys=(KEY, newer))
    path = sealed(tmp_path / "a.wav", b"voice")
    assert plain(path, ring) == b"voice"
    assert seal_file(path, newer, lambda: ring)
    assert sealed_with(path) == newer.id
    assert plain(path, ring) == b"voice"
    with pytest.raises(KeyProblem, match=newer.id):
        plain(path)


def test_the_time_of_a_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"voice")
    os.utime(path, (1000.0, 2000.0))
    seal_file(path, KEY, lambda: RING)
    assert path.stat().st_mtime == 2000.0
    assert path.stat().st_mode & 0o777 == 0o600


# ---- keys -----------------------------------------------------------------------------------------


def test_a_key_file_of_ours_alone(tmp_path: Path) -> None:
    source = KeySource(path=tmp_path / "deep" / "home.keys")
    assert source.load().current is None
    with pytest.raises(KeyProblem, match="まだありません"):
        source.add(KEY, first=False)
    source.add(KEY, first=True)
    assert source.path.stat().st_mode & 0o777 == 0o600
    newer = new_key(2.0)
    source.add(newer, first=False)
    assert source.load() == KeyRing(keys=(KEY, newer))
    assert source.load().current == newer
    with pytest.raises(KeyProblem, match="もうあります"):
        source.add(new_key(3.0), first=True)
    source.path.chmod(0o640)
    with pytest.raises(KeyProblem, match="640"):
        source.load()


def test_keys_from_a_command(tmp_path: Path) -> None:
    KeySource(path=tmp_path / "k").add(KEY, first=True)
    command = KeySource(path=tmp_path / "none", command=f"cat {tmp_path / 'k'}")
    assert command.load() == RING
    with pytest.raises(KeyProblem, match="コマンド"):
        command.add(new_key(2.0), first=False)
    with pytest.raises(KeyProblem, match="失敗"):
        KeySource(path=tmp_path / "none", command="false").load()


def test_a_key_store_is_not_asked_for_every_stretch_of_a_recording(tmp_path: Path) -> None:
    KeySource(path=tmp_path / "k").add(KEY, first=True)
    script = tmp_path / "ask"
    script.write_text(f"#!/bin/sh\necho x >> {tmp_path / 'asked'}\ncat {tmp_path / 'k'}\n")
    script.chmod(0o700)
    source = KeySource(path=tmp_path / "none", command=str(script))
    assert [source.load() for _ in range(5)] == [RING] * 5
    assert (tmp_path / "asked").read_text() == "x\n"


@pytest.mark.parametrize("text", ["", "{}", '{"keys": [{"id": "a", "created_at": 1, "key": "YQ=="}]}', "[]"])
def test_what_is_no_key_is_told(text: str) -> None:
    with pytest.raises(KeyProblem, match="読めません"):
        ring_from_text(text, "here")


def test_keys_lie_outside_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert not key_source(home, {}).path.is_relative_to(home)
    assert key_source(home, {"TORITSUGI_KEYS": str(tmp_path / "k")}).path == tmp_path / "k"
    assert KEY.secret.hex() not in repr(RING)


# ---- killed in the middle -------------------------------------------------------------------------

_SEAL_ALL = """
import sys
from pathlib import Path
from core.keys import KeySource
from core.sealed import seal_file
ring = KeySource(path=Path(sys.argv[1])).load()
print("go", flush=True)
for path in sorted(Path(sys.argv[2]).glob("*.wav")):
    seal_file(path, ring.current, lambda: ring)
"""


def test_killed_at_any_moment_a_file_is_whole_and_no_clear_copy_is_left(tmp_path: Path) -> None:
    keys, folder = tmp_path / "keys", tmp_path / "recordings"
    KeySource(path=keys).add(KEY, first=True)
    folder.mkdir()
    contents = {f"c-{number}.wav": random.Random(number).randbytes(700_000) for number in range(40)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    between = 0
    for round_ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", _SEAL_ALL, str(keys), str(folder)],
            cwd=PROJECT_ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        while sum(sealed_with(folder / name) is not None for name in contents) < 4 * round_ + 1:
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        sealed_now = {name for name in contents if sealed_with(folder / name)}
        between += 0 < len(sealed_now) < len(contents)
        for name, content in contents.items():
            assert plain(folder / name) == content
        for path in folder.iterdir():
            if path.name not in contents:
                assert path.read_bytes()[:8] in (b"", b"TRSEAL1\n")
    assert between, "no kill fell between the first file and the last"
    command = [sys.executable, "-c", _SEAL_ALL, str(keys), str(folder)]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True)
    assert all(sealed_with(folder / name) == KEY.id for name in contents)
