"""Prompts made once: a file for each text, found again by what it would sound like."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from speech import kokoro
from speech.audio import open_recording, write_telephone_wav
from speech.ports import Voice
from speech.recorded import check_recorded_prompt
from speech.spoken import spoken_text
from speech.synthesis import RENDERING, dynamic_voice, engine_of, prompt_voice, render_spoken

Progress = Callable[[int, int, str], None]
"""(done, of how many, name of the prompt just finished)."""

_WORTH_A_PROCESS = 12
"""Fewer missing prompts than this are made at once: a second process takes a second to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReport:
    """What `build_prompts` did."""

    made: int
    """Synthesised now."""
    cached: int
    """Found in the cache."""
    recorded: int
    """Supplied by the city."""
    seconds: float
    """Length of all prompts together."""
    files: Mapping[tuple[str, str], Path]
    """(language, name) → file."""


def cache_path(cache_dir: Path, spoken: str, voice: Voice) -> Path:
    """Where the sound of `spoken` by `voice` lies, or would lie, under `cache_dir`."""
    engine = engine_of(voice)
    identity = [
        RENDERING,
        engine.name,
        engine.version,
        voice.speaker,
        round(voice.speed, 3),
        round(voice.half_tone, 3),
        spoken,
    ]
    digest = hashlib.sha256(json.dumps(identity, ensure_ascii=False).encode()).hexdigest()
    return cache_dir / "prompts" / digest[:2] / f"{digest}.wav"


def _make(spoken: str, voice: Voice, path: Path) -> None:
    write_telephone_wav(path, render_spoken(spoken, voice))


def speak(
    text: str,
    *,
    language: str,
    voice: Voice,
    cache_dir: Path,
    readings: Mapping[str, str] | None = None,
) -> Path:
    """The file of `text` spoken by `voice`, made now unless it is in the cache. From any thread.

    Raises:
        ToritsugiError: the text says nothing, or the engine cannot be had.
    """
    spoken = spoken_text(text, language, readings)
    path = cache_path(cache_dir, spoken, voice)
    if not path.exists():
        _prepare([voice], cache_dir)
        _make(spoken, voice, path)
    return path


def speak_dynamic(
    text: str, language: str, *, cache_dir: Path, readings: Mapping[str, str] | None = None
) -> Path:
    """A sentence made during a call (numbers, times, waits), by the fast voice. From any thread.

    About 0.1 s for a short sentence the first time; afterwards only a look-up.
    """
    return speak(
        text, language=language, voice=dynamic_voice(language), cache_dir=cache_dir, readings=readings
    )


def build_prompts(
    texts: Mapping[tuple[str, str], str],
    *,
    city: str,
    out_dir: Path,
    cache_dir: Path,
    readings: Mapping[str, str] | None = None,
    voices: Mapping[str, Voice] | None = None,
    overrides: Path | None = None,
    on_progress: Progress | None = None,
    processes: int = 2,
) -> PromptReport:
    """Write `<out_dir>/<language>/<city>/<name>.wav` for every (language, name) of `texts`.

    Args:
        voices: language → voice, in place of `prompt_voice`.
        overrides: folder with the city's own `<language>/<name>.wav`, which win.
        processes: how many synthesise side by side.

    Raises:
        ToritsugiError: an override is unfit, a text says nothing, or an engine cannot be had.
    """
    recorded = _recorded(texts, overrides)
    wanted: dict[tuple[str, str], tuple[str, Voice, Path]] = {}
    for key, text in texts.items():
        if key not in recorded:
            voice = (voices or {}).get(key[0]) or prompt_voice(key[0])
            spoken = spoken_text(text, key[0], readings if key[0] == "ja" else None)
            wanted[key] = (spoken, voice, cache_path(cache_dir, spoken, voice))
    missing = {path: (spoken, voice) for spoken, voice, path in wanted.values() if not path.exists()}
    _prepare([voice for _, voice in missing.values()], cache_dir)
    names = {path: f"{key[0]}/{key[1]}" for key, (_, _, path) in wanted.items()}
    for done, path in enumerate(_make_all(missing, processes), start=1):
        if on_progress:
            on_progress(done, len(missing), names[path])
    sources = recorded | {key: path for key, (_, _, path) in wanted.items()}
    files = {}
    for (language, name), source in sources.items():
        files[language, name] = out_dir / language / city / f"{name}.wav"
        _place(source, files[language, name])
    return PromptReport(
        made=len(missing),
        cached=len(wanted) - sum(path in missing for _, _, path in wanted.values()),
        recorded=len(recorded),
        seconds=sum(open_recording(path).duration_s for path in files.values()),
        files=files,
    )


def _prepare(voices: Iterable[Voice], cache_dir: Path) -> None:
    if any(voice.engine in (kokoro.NAME, kokoro.ENGLISH_NAME) for voice in voices):
        kokoro.keep_model_in(cache_dir / "kokoro")


def _recorded(texts: Iterable[tuple[str, str]], overrides: Path | None) -> dict[tuple[str, str], Path]:
    found = {}
    if overrides is not None:
        for language, name in texts:
            path = overrides / language / f"{name}.wav"
            if path.exists():
                check_recorded_prompt(path)
                found[language, name] = path
    return found


def _make_all(missing: Mapping[Path, tuple[str, Voice]], processes: int) -> Iterator[Path]:
    if len(missing) < _WORTH_A_PROCESS or processes < 2:
        for path, (spoken, voice) in missing.items():
            _make(spoken, voice, path)
            yield path
        return
    # spawned, not forked: the caller may have threads
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = {pool.submit(_make, spoken, voice, path): path for path, (spoken, voice) in missing.items()}
        try:
            for job in as_completed(jobs):
                job.result()
                yield jobs[job]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _place(source: Path, target: Path) -> None:
    """`target` becomes `source`, at once; a hard link where the file system allows one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.samefile(source):
        return
    fresh = target.with_name(f".{target.stem}.{secrets.token_hex(4)}")
    try:
        os.link(source, fresh)
    except OSError:
        shutil.copyfile(source, fresh)
    fresh.replace(target)
