"""A muted copy is silent where it should be, the same elsewhere, and never half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.keys import KeyRing, key_source, new_key
from core.sealed import open_plain, seal_file, sealed_with
from core.settings import PROJECT_ROOT
from speech.audio import AudioUnreadable, write_telephone_wav
from speech.muting import PART_SUFFIX, joined, mute_file, quiet, remove_parts, widened
from speech.ports import Word
from speech.redact import Turn, find_secrets
from speech.words import Hidden, masked_words, text_of

pytestmark = pytest.mark.unit

RATE = 8000
LOUD = (np.random.default_rng(1).integers(1, 9000, 10 * RATE) * np.resize([1, -1], 10 * RATE)).astype(
    np.int16
)


def words(*told: str) -> list[Word]:
    return [
        Word(start_s=float(n), end_s=n + 0.8, text=text, confidence=0.4 if "?" in text else 0.9)
        for n, text in enumerate(told)
    ]


def test_whole_words_are_hidden_and_their_times_known() -> None:
    said = words(" 番号は", "1234", "5678", "9018です", "よ?")
    spans = find_secrets([Turn(side="citizen", text=text_of(said))])[0]
    kept, hidden = masked_words(said, spans, least=0.5)
    assert [word.text for word in kept] == [" 番号は", "［マイナンバー］", "です", "よ?"]
    assert [(word.start_s, word.unsure) for word in kept] == [(0, False), (1, False), (3, False), (4, True)]
    assert hidden == (Hidden(start_s=1.0, end_s=3.8, kind="my_number"),)


def test_near_stretches_are_one() -> None:
    assert joined([(5, 6), (1, 2), (2.3, 3)]) == ((1, 3), (5, 6))
    assert widened([(0.1, 1), (2, 3)], 0.4) == ((0.0, 3.4),)


def test_silent_there_and_the_same_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "c-1-citizen.wav"
    write_telephone_wav(path, LOUD)
    assert mute_file(path, [(1.0, 2.5), (9.5, 30.0)])
    after, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    expected = LOUD.copy()
    expected[RATE : RATE * 5 // 2] = 0
    expected[RATE * 19 // 2 :] = 0
    assert np.array_equal(after, expected)
    assert quiet(path, [(1.0, 2.5)])
    assert not quiet(path, [(0.5, 2.5)])
    before = path.read_bytes()
    assert mute_file(path, [(1.0, 2.5), (9.5, 30.0)])
    assert path.read_bytes() == before


def test_a_header_that_was_never_finished_is_whole_in_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "c-1-citizen.wav"
    write_telephone_wav(path, LOUD)
    data = bytearray(path.read_bytes())
    data[40:44] = bytes(4)
    path.write_bytes(data)
    assert mute_file(path, [(0.0, 1.0)])
    after, _ = soundfile.read(path, dtype="int16")
    assert len(after) == len(LOUD)
    assert not after[:RATE].any()
    assert np.array_equal(after[RATE:], LOUD[RATE:])


def test_what_is_not_there_or_no_sound_is_told(tmp_path: Path) -> None:
    assert not mute_file(tmp_path / "gone.wav", [(0, 1)])
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFFgarbage")
    with pytest.raises(AudioUnreadable):
        mute_file(bad, [(0, 1)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.wav"]


def test_an_encrypted_recording_stays_encrypted(tmp_path: Path) -> None:
    path, key = tmp_path / "c-1-citizen.wav", new_key(1.0)
    ring = KeyRing(keys=(key,))
    write_telephone_wav(path, LOUD)
    plain = path.read_bytes()
    seal_file(path, key, lambda: ring)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORITSUGI_HOME", str(tmp_path / "home"))
        key_source(tmp_path / "home").add(key, first=True)
        assert mute_file(path, [(1.0, 2.0)])
        assert sealed_with(path) == key.id
        with open_plain(path) as file:
            after = file.read()
    assert after[44 + 2 * RATE : 44 + 4 * RATE] == bytes(2 * RATE)
    assert after[: 44 + 2 * RATE] == plain[: 44 + 2 * RATE]
    assert after[44 + 4 * RATE :] == plain[44 + 4 * RATE :]


LOOP = """
import sys
from pathlib import Path
from speech.muting import mute_file
path, original = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()
print("ready", flush=True)
while True:
    mute_file(path, [(1.0, 2.0)])
    mute_file(path, [(1.0, 2.0)])
    fresh = path.with_name("fresh.wav")
    fresh.write_bytes(original)
    fresh.replace(path)
"""


def test_killed_at_any_moment_it_is_the_original_or_the_muted_copy(tmp_path: Path) -> None:
    path, original = tmp_path / "c-1-line.wav", tmp_path / "kept.wav"
    write_telephone_wav(original, LOUD)
    write_telephone_wav(path, LOUD)
    muted = LOUD.copy()
    muted[RATE : 2 * RATE] = 0
    chance = random.Random(7)
    seen: set[str] = set()
    kills = 0
    while kills < 8 or len(seen) < 2:
        kills += 1
        child = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(path), str(original)],
            cwd=PROJECT_ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.1))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        now, _ = soundfile.read(path, dtype="int16")
        seen.add("original" if np.array_equal(now, LOUD) else "muted")
        assert np.array_equal(now, LOUD) or np.array_equal(now, muted)
    remove_parts(tmp_path, time.time() + 60)
    assert not list(tmp_path.glob(f".*{PART_SUFFIX}"))
    assert path.exists()
