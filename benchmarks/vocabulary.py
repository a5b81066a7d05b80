"""Whether a city's dictionary lowers the recognisers' errors on its own words, and what it costs on the others.

Sentences with one word of the dictionary each, spoken by Open JTalk with the word's right reading, at telephone
quality. Whisper: without hints, with the common words, with the city's too. Vosk has no hints for open speech: its
grammar allows the listed words alone, so it is measured with the English model, on its own words and around them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.settings import settings_from
from services.city import load_city
from speech.audio import from_pcm, open_recording, telephone_channel, write_telephone_wav
from speech.dictionary import heard, hints
from speech.engines import VOCABULARY, EngineKind, Engines, choose
from speech.kana import kana_errors, total, word_errors
from speech.models import models_dir
from speech.ports import RECOGNISER_RATE, Voice
from speech.read_back import read_back
from speech.synthesis import citizen_voices, render

CITIES = ("inzai", "matsusaka", "ube")
FRAMES = (
    "{}の窓口は何時まで開いていますか。",
    "{}に引っ越したので、住所を変えたいです。",
    "{}の支所でカードを受け取れますか。",
)
ENGLISH_WORDS = ("inzai", "residence card", "my number card", "health insurance", "password", "pickup")
ENGLISH_FRAMES = ("please tell me about {}", "i have a question about {} and the opening hours")


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Measure, write `out/vocabulary.json` and `.md`, return the figures."""
    folders = [models_dir(settings_from().tools)]
    result: dict[str, Any] = {"name": "vocabulary"}
    with tempfile.TemporaryDirectory() as name:
        result["ja"] = _japanese(Path(name), folders, CITIES[:1] if quick else CITIES)
        result["en"] = _english(Path(name), folders)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (out / "vocabulary.json").write_text(text + "\n", encoding="utf-8")
    (out / "vocabulary.md").write_text(_table(result), encoding="utf-8")
    return result


def _japanese(folder: Path, folders: Sequence[Path], cities: Sequence[str]) -> dict[str, Any]:
    choice = choose("ja", folders)
    if choice.kind is not EngineKind.WHISPER:
        return {"skipped": f"hints are Whisper's; here serves {choice.kind.value}"}
    common = VOCABULARY["ja"]
    rows: list[dict[str, Any]] = []
    counts: dict[str, Any] = {}
    for city in cities:
        dictionary = load_city(city).speech.dictionary
        for number, (word, kana) in enumerate(dictionary.items()):
            frame = FRAMES[number % len(FRAMES)]
            path = folder / f"{city}-{number}.wav"
            voice = Voice(engine="open-jtalk", half_tone=-3.0 * (number % 2))
            pcm = render(frame.format(kana), voice, language="ja")
            write_telephone_wav(path, telephone_channel(from_pcm(pcm), 8000))
            rows.append(
                {
                    "city": city,
                    "path": path,
                    "word": word,
                    "text": frame.format(word),
                    "said": frame.format(kana),
                }
            )
        counts[city] = hints(dictionary)
    hinted: Mapping[str, Callable[[str], Sequence[str]]] = {
        "none": lambda city: (),
        "common": lambda city: common,
        "city": lambda city: counts[city],
    }
    figures: dict[str, Any] = {}
    for name, words in hinted.items():
        right, errors, spoiled = 0, [], []
        for city in cities:
            recogniser = Engines(folders, engine="whisper", vocabulary={"ja": words(city)}).recogniser("ja")
            assert recogniser is not None
            for row in (row for row in rows if row["city"] == city):
                text = read_back(row["path"], recogniser)
                right += heard([row["word"]], text)
                spoiled.append(heard([w for w in counts[city] if w not in row["text"]], text))
                errors.append(kana_errors(row["said"], text))
        figures[name] = {
            "words": len(rows),
            "right": right,
            "word_error": round(1 - right / len(rows), 3),
            "kana_error": round(total(errors).rate, 4),
            "words_nobody_said": sum(spoiled),
        }
    return {
        "engine": choice.kind.value,
        "hints": {city: len(words) for city, words in counts.items()},
        "figures": figures,
    }


def _english(folder: Path, folders: Sequence[Path]) -> dict[str, Any]:
    choice = choose("en", folders, "vosk")
    if choice.model is None:
        return {"skipped": "no Vosk model for en"}
    import vosk

    vosk.SetLogLevel(-1)
    model = vosk.Model(str(choice.model))
    voice = citizen_voices("en")[0]
    grammar = json.dumps([*ENGLISH_WORDS, "[unk]"])
    figures: dict[str, Any] = {}
    for name in ("open", "grammar"):
        right, errors, said = 0, [], 0
        for number, word in enumerate(ENGLISH_WORDS):
            for place, frame in enumerate(("{}", *ENGLISH_FRAMES)):
                path = folder / f"en-{number}-{place}.wav"
                if not path.exists():
                    pcm = render(frame.format(word), voice, language="en")
                    write_telephone_wav(path, telephone_channel(from_pcm(pcm), 8000))
                recogniser = vosk.KaldiRecognizer(
                    model, RECOGNISER_RATE, *([grammar] if name == "grammar" else [])
                )
                recogniser.AcceptWaveform(open_recording(path).read(0, 60, RECOGNISER_RATE).tobytes())
                text = json.loads(recogniser.FinalResult())["text"]
                right, said = right + heard([word], text), said + 1
                errors.append(word_errors(frame.format(word), text.replace("[unk]", "")))
        figures[name] = {
            "words": said,
            "right": right,
            "word_error": round(1 - right / said, 3),
            "all_words_error": round(total(errors).rate, 3),
        }
    return {"engine": "vosk", "figures": figures}


def _table(result: dict[str, Any]) -> str:
    lines = ["# Hints from a city's dictionary", ""]
    for language, part in result.items():
        if not isinstance(part, dict) or "figures" not in part:
            continue
        lines += [
            f"## {language}, {part['engine']}",
            "",
            "| hints | own words right | own words' error | error on all |",
            "|---|---|---|---|",
        ]
        for name, row in part["figures"].items():
            all_error = row.get("kana_error", row.get("all_words_error"))
            lines.append(
                f"| {name} | {row['right']} of {row['words']} | {row['word_error']:.3f} | {all_error:.3f} |"
            )
        lines.append("")
    return "\n".join(lines) + "\n"
