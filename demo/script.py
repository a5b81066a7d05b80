"""What citizens and operators say: a fixed script by topic, so that recordings and transcripts are real speech.

Speech is made elsewhere, once, from `script_lines`; people get it back as sound by the same names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

from demo.talks import TALKS, Planted


@unique
class Role(StrEnum):
    CITIZEN = "citizen"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance. `name` is its key everywhere: ASCII, usable as a file name."""

    name: str
    text: str
    language: str
    role: Role


GREETING = "greeting"
"""Topic of the words that every operator begins with."""
GENERAL = "ask"
"""Talk of those whose topic has none."""

_GREETINGS: Mapping[str, str] = {
    "ja": "お電話ありがとうございます。{centre}です。",
    "en": "Thank you for calling {centre}.",
}


def _line_name(topic: str, language: str, role: Role, number: int) -> str:
    return f"{topic}_{language}_{role.value}_{number}"


def greeting_name(language: str) -> str:
    """Name of the operator's first words."""
    return _line_name(GREETING, language, Role.OPERATOR, 1)


def greeting_names() -> tuple[str, ...]:
    return tuple(greeting_name(language) for language in _GREETINGS)


def _script_of(topic: str, language: str) -> tuple[str, str]:
    """The name and language of the talk that is held about `topic`, the general one where it has none."""
    if (topic, language) in TALKS:
        return topic, language
    return GENERAL, language if (GENERAL, language) in TALKS else "ja"


def dialogue(topic: str, language: str) -> tuple[Line, ...]:
    """The lines of a talk after the operator's greeting, citizen first, in turn.

    A topic or language without a script of its own gets the general one.
    """
    key = _script_of(topic, language)
    roles = (Role.CITIZEN, Role.OPERATOR)
    return tuple(
        Line(_line_name(*key, roles[index % 2], index // 2 + 1), text, key[1], roles[index % 2])
        for index, text in enumerate(TALKS[key].lines)
    )


def planted_lines() -> dict[str, tuple[Planted, ...]]:
    """Names of the lines in which somebody says a number, with the numbers."""
    found: dict[str, tuple[Planted, ...]] = {}
    for (name, language), talk in TALKS.items():
        for place, line in enumerate(dialogue(name, language)):
            if said := tuple(each for each in talk.planted if each.line == place):
                found[line.name] = said
    return found


def talk_in(said: Sequence[str]) -> tuple[str, str]:
    """Name and language of the talk of which lines were said (`TruthRecord.said`), empty when there were none."""
    if not said:
        return "", ""
    name, language, _role, _number = said[0].rsplit("_", 3)
    return name, language


def all_lines(centre_ja: str, centre_en: str) -> tuple[Line, ...]:
    """Every line of the script for the centre of these names."""
    centres = {"ja": centre_ja, "en": centre_en}
    greetings = tuple(
        Line(greeting_name(language), text.format(centre=centres[language]), language, Role.OPERATOR)
        for language, text in _GREETINGS.items()
    )
    return greetings + tuple(line for topic, language in TALKS for line in dialogue(topic, language))


def script_lines(
    centre_ja: str = "松阪市マイナンバーカード予約センター",
    centre_en: str = "the Matsusaka City My Number Card centre",
) -> dict[str, tuple[str, str, str]]:
    """Name to (text, language, role) of everything that must be synthesised."""
    lines = all_lines(centre_ja, centre_en)
    return {line.name: (line.text, line.language, line.role.value) for line in lines}
