"""Transcription: time, memory and errors of ours against the bare engines, on the same files, one core each.

Sentences of a call centre are spoken by two voices, sent through a telephone channel (300–3400 Hz, 8 kHz mu-law), and
laid out twice: one file a sentence, and as one side of a call, where the other side's turns are silence. Each
measurement is a process of its own (peak memory), with one thread; at last several of ours side by side share the
calls. The sentences lie outside this repository (`../shared/data/speech`); without them the Japanese part is left out
and the result says so.

Synthetic voices in a quiet room: real callers are harder for every engine.
Run as `python -m benchmarks.transcription OUT`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from core.settings import PROJECT_ROOT, settings_from
from speech import kokoro
from speech.audio import from_pcm, open_recording, telephone_channel, write_telephone_wav
from speech.engines import VOCABULARY, EngineKind, Engines, choose
from speech.kana import Errors, character_errors, kana_errors, total, word_errors
from speech.models import models_dir
from speech.ports import RECOGNISER_RATE, Voice
from speech.read_back import read_back
from speech.synthesis import citizen_voices, render

SENTENCES = PROJECT_ROOT.parent / "shared" / "data" / "speech" / "call_centre_sentences_ja.txt"
ENGLISH = (
    "Hello, I would like to make an appointment to pick up my card.",
    "Which documents do I need to bring with me?",
    "I lost my card yesterday, what should I do now?",
    "Can somebody else collect the card for my mother?",
    "I have moved to a new house and need to change my address.",
    "I forgot my password and the card does not work any more.",
    "Could you please say that again more slowly?",
    "Thank you very much for your help, goodbye.",
)
PAUSE_S = 6.0
"""Silence between the turns of one side of a call."""
POOLS = (1, 2, 3)
"""Processes side by side."""
GATES = {"call_rtf_to_bare": 1.0, "call_error_points_over_bare": 1.0}
"""On the side of a call: at most so many times the bare engine's real-time factor, and at most so many points (of 100
kana, in English words) more errors; one English word is 0.6 points."""


def _voices(language: str) -> Mapping[str, Voice]:
    if language == "en":
        return {voice.speaker: voice for voice in citizen_voices("en")}
    if kokoro.installed():
        return {"mei": Voice(engine="open-jtalk"), "jf_alpha": Voice(engine="kokoro", speaker="jf_alpha")}
    return {"mei": Voice(engine="open-jtalk"), "mei-4": Voice(engine="open-jtalk", half_tone=-4.0)}


def _speak(folder: Path, language: str, sentences: Sequence[str]) -> list[dict[str, str]]:
    """Write the files of both layouts; each with its voice, layout and reference."""
    files = []
    for name, voice in _voices(language).items():
        pause = np.zeros(round(PAUSE_S * 8000), np.int16)
        turns = []
        for number, text in enumerate(sentences):
            pcm = telephone_channel(from_pcm(render(text, voice, language=language)), 8000)
            path = folder / f"{language}-{name}-{number:02d}.wav"
            write_telephone_wav(path, pcm)
            files.append({"path": str(path), "text": text, "voice": name, "layout": "sentence"})
            turns += [pause, pcm]
        for half, first in enumerate(range(0, len(sentences), 10)):
            path = folder / f"{language}-{name}-call-{half}.wav"
            write_telephone_wav(path, np.concatenate([*turns[2 * first : 2 * first + 20], pause]))
            text = " ".join(sentences[first : first + 10])
            files.append({"path": str(path), "text": text, "voice": name, "layout": "call"})
    return files


def _bare(engine: str, model: Path, language: str) -> Callable[[Path], str]:
    """The engine as its own documentation uses it."""
    if engine == EngineKind.VOSK:
        import vosk

        vosk.SetLogLevel(-1)
        loaded = vosk.Model(str(model))

        def recognise(path: Path) -> str:
            pcm = open_recording(path).read(0, float("inf"), RECOGNISER_RATE)
            recogniser = vosk.KaldiRecognizer(loaded, RECOGNISER_RATE)
            texts = []
            for first in range(0, len(pcm), 4000):
                if recogniser.AcceptWaveform(pcm[first : first + 4000].tobytes()):
                    texts.append(json.loads(recogniser.Result())["text"])
            texts.append(json.loads(recogniser.FinalResult())["text"])
            return " ".join(texts)

        return recognise
    from faster_whisper import WhisperModel

    whisper = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)

    def transcribe(path: Path) -> str:
        pcm = open_recording(path).read(0, float("inf"), RECOGNISER_RATE)
        found, _ = whisper.transcribe(from_pcm(pcm), language=language)
        return "".join(segment.text for segment in found)

    return transcribe


def _ours(engine: str, language: str, vocabulary: bool) -> Callable[[Path], str]:
    engines = Engines(_folders(), engine=engine, vocabulary=VOCABULARY if vocabulary else {})
    recogniser = engines.recogniser(language)
    assert recogniser is not None
    return lambda path: read_back(path, recogniser)


def _folders() -> list[Path]:
    return [models_dir(settings_from().tools)]


def _child(plan: Mapping[str, Any]) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    began = time.process_time()
    if plan["who"] == "bare":
        recognise = _bare(plan["engine"], Path(plan["model"]), plan["language"])
    else:
        recognise = _ours(plan["engine"], plan["language"], plan["who"] == "ours")
    load_s = time.process_time() - began
    rows = []
    for file in plan["files"]:
        began, started = time.process_time(), time.perf_counter()
        heard = recognise(Path(file["path"]))
        spent = {"cpu_s": time.process_time() - began, "wall_s": time.perf_counter() - started}
        rows.append({**file, "heard": heard, **spent})
    return {"load_cpu_s": round(load_s, 2), "peak_mb": _peak_mb(), "rows": rows}


def _peak_mb() -> int:
    """This process's own peak; `ru_maxrss` would begin with the parent's, which has voices loaded."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024)


def _measure(who: str, engine: str, model: Path, language: str, files: list[dict[str, str]]) -> Any:
    plan = {"who": who, "engine": engine, "model": str(model), "language": language, "files": files}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.transcription", "--child"],
        input=json.dumps(plan),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=PROJECT_ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def _pool(engine: str, model: Path, language: str, files: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Several of our processes side by side on the same files: seconds of audio that they do in a second."""
    audio_s = sum(open_recording(Path(file["path"])).duration_s for file in files)
    found = []
    for workers in POOLS:
        parts = [files[number::workers] for number in range(workers)]
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(lambda part: _measure("ours", engine, model, language, part), parts))
        longest = max(sum(row["wall_s"] for row in each["rows"]) for each in done)
        found.append(
            {
                "processes": workers,
                "audio_s_per_s": round(audio_s / longest, 2),
                "cpu_s_per_audio_s": round(
                    sum(row["cpu_s"] for each in done for row in each["rows"]) / audio_s, 3
                ),
                "peak_mb_together": sum(each["peak_mb"] for each in done),
            }
        )
    return [{**row, "times_one": round(row["audio_s_per_s"] / found[0]["audio_s_per_s"], 2)} for row in found]


def _summary(measured: Mapping[str, Any], language: str) -> dict[str, Any]:
    result: dict[str, Any] = {"load_cpu_s": measured["load_cpu_s"], "peak_mb": measured["peak_mb"]}
    for layout in ("sentence", "call"):
        rows = [row for row in measured["rows"] if row["layout"] == layout]
        audio_s = sum(open_recording(Path(row["path"])).duration_s for row in rows)
        result[layout] = {
            "audio_s": round(audio_s, 1),
            "real_time_factor": round(sum(row["cpu_s"] for row in rows) / audio_s, 3),
            **_errors(rows, language),
            "by_voice": {
                voice: _errors([row for row in rows if row["voice"] == voice], language)
                for voice in dict.fromkeys(row["voice"] for row in rows)
            },
        }
    return result


def _errors(rows: Sequence[Mapping[str, str]], language: str) -> dict[str, float]:
    kinds: dict[str, Callable[[str, str], Errors]] = (
        {"character_error": character_errors, "kana_error": kana_errors}
        if language == "ja"
        else {"word_error": word_errors}
    )
    return {
        kind: round(total(count(row["text"], row["heard"]) for row in rows).rate, 4)
        for kind, count in kinds.items()
    }


def _language(language: str, sentences: Sequence[str], folder: Path) -> dict[str, Any]:
    choice = choose(language, _folders())
    if choice.model is None:
        return {"skipped": f"no model for {language}"}
    files = _speak(folder, language, sentences)
    whos = ["bare", "ours"]
    if choice.kind is EngineKind.WHISPER:
        whos.append("ours_without_vocabulary")
    figures = {
        who: _summary(_measure(who, choice.kind, choice.model, language, files), language) for who in whos
    }
    kind = "kana_error" if language == "ja" else "word_error"
    bare, ours = figures["bare"]["call"], figures["ours"]["call"]
    ratios = {
        "call_rtf_to_bare": round(ours["real_time_factor"] / bare["real_time_factor"], 3),
        "call_error_points_over_bare": round(100 * (ours[kind] - bare[kind]), 2),
    }
    return {
        "engine": choice.kind.value,
        "model": choice.model.name,
        "sentences": len(sentences),
        "voices": list(_voices(language)),
        "figures": figures,
        "ratios": ratios,
        "pool": _pool(choice.kind, choice.model, language, [f for f in files if f["layout"] == "call"]),
        "gates": {name: {"most": most, "met": ratios[name] <= most} for name, most in GATES.items()},
    }


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Measure, write `out/transcription.json`, return the same."""
    result: dict[str, Any] = {
        "name": "transcription",
        "machine": {
            "cpus": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
            "threads_used": 1,
        },
    }
    with tempfile.TemporaryDirectory() as name:
        if SENTENCES.exists():
            lines = [line for line in SENTENCES.read_text(encoding="utf-8").splitlines() if line.strip()]
            result["ja"] = _language("ja", lines[: 6 if quick else None], Path(name))
        else:
            result["ja"] = {"skipped": f"the sentences are not there: {SENTENCES}"}
        result["en"] = _language("en", ENGLISH[: 3 if quick else None], Path(name))
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (out / "transcription.json").write_text(text + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(_child(json.load(sys.stdin)), ensure_ascii=False))
    else:
        print(json.dumps(run(Path(sys.argv[1]), quick="--quick" in sys.argv), indent=2, ensure_ascii=False))
