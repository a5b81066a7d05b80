"""`[speech]` of a profile: what of a recording is muted, and the city's own words."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated

from pydantic import Field, model_validator

from core.profile_file import Section
from speech.quality_profile import QualitySection
from speech.redact import Secret

Kana = Annotated[str, Field(pattern=r"^[ぁ-ゖァ-ヺー]+$")]
Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\s、。,]+$")]


class MuteSection(Section):
    """`[speech.mute]`: from when on a spoken secret is silence in the recording too."""

    within_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """After the call's end; a recording that is late is told by `recordings mute` and `status`."""
    kinds: tuple[Secret, ...] = tuple(Secret)
    """Which secrets."""
    margin_s: Annotated[float, Field(ge=0.0, le=2.0)] = 0.3
    """Muted before and behind a word: recognisers place words only roughly."""


@unique
class ProviderTask(StrEnum):
    """What another organisation's model may be asked for."""

    SUMMARY = "summary"
    """A summary in new words, beside ours."""
    TRANSLATION = "translation"
    """A transcript in another language, when somebody asks for it."""


class ProviderSection(Section):
    """`[speech.provider]`: masked text leaves the machine for these tasks, to the address in `TORITSUGI_PROVIDER`."""

    tasks: tuple[ProviderTask, ...] = ()
    """Empty, and so is the default: nothing leaves the machine."""
    model: str = ""
    """The model's name there."""
    timeout_s: Annotated[float, Field(ge=1, le=300)] = 30.0

    @model_validator(mode="after")
    def _named(self) -> ProviderSection:
        if self.tasks and not self.model:
            raise ValueError("tasks があるのに model がありません。モデルの名前を書く")
        return self


class SpeechSection(Section):
    """`[speech]`."""

    mute: MuteSection = MuteSection()
    quality: QualitySection = QualitySection()
    provider: ProviderSection = ProviderSection()
    dictionary: dict[Word, Kana] = Field(default_factory=dict)
    """The city's words with their readings: places, buildings, what people call the card's papers."""
