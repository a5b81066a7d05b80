"""A centre for load and for compressed days: a city made on the spot, prompts of a quarter of a second."""

from __future__ import annotations

import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks._stories import make_importable
from core.settings import PROJECT_ROOT
from services.city import load_city

make_importable()
from centre import Centre

NUMBER = "0120000901"
RTP_PORTS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSpec:
    """One line of the made city; it is reached by its place in the menu, from 1."""

    id: str
    asks: Sequence[tuple[int, Mapping[str, int]]] = ()
    """(after seconds, least levels)."""
    ring_s: int = 20
    wrap_up_s: int = 1
    wait_limit_s: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class CitySpec:
    """The made city."""

    id: str
    lines: Sequence[LineSpec]
    operators: Mapping[str, Mapping[str, int]]
    """Operator to skills."""
    limit_s: int = 300
    even_by: str = "minutes"


@dataclass
class LoadCentre(Centre):
    """The centre of the stories with room for many calls at once."""

    first_rtp: int = 30000
    more: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        return (
            super().environment()
            | {
                "TORITSUGI_RTP_RANGE": f"{self.first_rtp}-{self.first_rtp + RTP_PORTS - 1}",
            }
            | self.more
        )

    def recount(self) -> None:
        """Left out: the second count of the stories is simple, and takes hours over half an hour of load."""


def write_profile(folder: Path, city: CitySpec) -> Path:
    """The city as a profile, on the pattern of the stories' city."""
    text = (PROJECT_ROOT / "tests" / "pbx" / "shiken.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[prompts.en]")
    text = head + rest[rest.index("[interactions]") :]
    before, _, after = text.partition("[[acd.lines]]")
    tail = after[after.index("[[acd.directory]]") :]
    # Those with rules of their own name lines that this city has not.
    tail = tail[: tail.index('[[acd.directory]]\nextension = "704"')] + tail[tail.index("[ivr]") :]
    lines = "".join(_line(line) for line in city.lines)
    acd = before.replace("answer_rate = 0.90", f"answer_rate = 0.90\nwait_alert_s = {city.limit_s}")
    acd = acd.replace("seats = 4", f'seats = {max(4, len(city.operators))}\neven_by = "{city.even_by}"')
    text = acd + lines + tail
    text = _between(
        text,
        "[ivr.menus.choices]",
        "[prompts.ja]",
        "".join(
            f'{n} = {{ line = "{line.id}", topic = "試験" }}\n' for n, line in enumerate(city.lines, start=1)
        )
        + "0 = { repeat = true }\n\n",
    )
    text = _between(
        text,
        "[interactions]",
        "[interactions.retention_days]",
        "".join(
            f'[[interactions.categories]]\nid = "{line.id}"\nname_ja = "試験"\nline = "{line.id}"\n\n'
            for line in city.lines
        ),
    )
    text = text[: text.index("[[demo.intents]]")]
    text += (
        '[[demo.intents]]\nid = "any"\nname_ja = "試験"\nper_month = 100\nkeys = "1"\nmean_talk_s = 60\n\n'
    )
    text += '[[demo.operators]]\nid = "201"\nname_ja = "甲"\nlanguages = ["ja"]\n'
    text += f"lines = {{ {city.lines[0].id} = 5 }}\n"
    for old, new in (
        ('id = "shiken"', f'id = "{city.id}"'),
        ('languages = ["ja", "en"]', 'languages = ["ja"]'),
        ('language_keys = { 9 = "en" }', ""),
        ("english = 0.1", "english = 0.0"),
        ('fallback_line = "card"', f'fallback_line = "{city.lines[0].id}"'),
        ('info_bring = "本人確認書類をお持ちください。"\n', ""),
        ('refer_national = "国の窓口をご案内します。"\n', ""),
        ('handover_numbers = ["0120-000-972"] # 転送を認めた番号\n', ""),
    ):
        if old not in text:
            raise RuntimeError(f"shiken.toml no longer says {old!r}")
        text = text.replace(old, new)
    path = folder / f"{city.id}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _line(line: LineSpec) -> str:
    asks = ", ".join(
        f"{{ after_s = {after}, least = {{ {', '.join(f'{skill} = {level}' for skill, level in least.items())} }} }}"
        for after, least in line.asks
    )
    return (
        f'[[acd.lines]]\nid = "{line.id}"\nname_ja = "試験"\nname_en = "Test"\nlanguages = ["ja"]\n'
        f"ring_s = {line.ring_s}\nwrap_up_s = {line.wrap_up_s}\nmax_waiting = 200\n"
        f"wait_limit_s = {line.wait_limit_s}\nfirst_word_s = 600\n"
        + (f"asks = [{asks}]\n" if asks else "")
        + "\n"
    )


def _between(text: str, start: str, end: str, new: str) -> str:
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{new}{rest[rest.index(end) :]}"


def short_prompts(home: Path, profile: Path) -> None:
    """A quarter of a second of tone for every prompt, so that a call is mostly decisions."""
    folder = home / "recorded-prompts" / "ja"
    folder.mkdir(parents=True)
    tone = (6000 * np.sin(2 * np.pi * 440 * np.arange(2000) / 8000)).astype("<i2")
    for name in load_city(profile).prompts.static("ja"):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(tone.tobytes())
