"""What another organisation's model is asked, when a city has switched it on: a summary in new words, a translation.

Only sentences of the masked transcript leave, masked once more on the way out and on the way back; never sound, never a
number, never who called. A provider that is slow, wrong or away costs its answer and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from core.errors import ToritsugiError
from core.ids import CallId
from services.ports import UnitOfWorkFactory
from speech.conversation import CITIZEN, Sentence
from speech.redact import Turn, redact_text, redact_turns

log = logging.getLogger(__name__)

LONGEST = 12_000
"""Characters of a conversation that are sent; a longer one is cut in its middle."""
MOST_ANSWER = 4_000
LANGUAGES = {
    "en": "English",
    "zh": "中文",
    "ko": "한국어",
    "vi": "Tiếng Việt",
    "pt": "Português",
    "ja": "日本語",
}
_SUMMARY = (
    "市役所のコールセンターの通話を要約してください。市民の用件、案内した内容、結果を、三文以内の日本語で書きます。"
    "書かれていないことを足さず、［ ］で伏せたところはそのまま残してください。"
)
_TRANSLATION = (
    "次の各行を {language} に訳してください。行の数と順を変えず、行頭の番号を残し、"
    "［ ］で伏せたところはそのまま残してください。"
)


class ProviderFailed(ToritsugiError):
    """No usable answer came."""

    code = "speech.provider_failed"


class LanguageProvider(Protocol):
    """A language model somewhere else; `notify.openai_http` is one."""

    @property
    def name(self) -> str:
        """Who it is, as stored with what it said."""
        ...

    async def ask(self, instruction: str, text: str) -> str:
        """Its answer to a text.

        Raises:
            ProviderFailed: none came in time, or none that can be read.
        """
        ...


def outgoing(conversation: Sequence[Sentence]) -> str:
    """The conversation as it leaves: masked again, whoever speaks in front, cut to `LONGEST`."""
    texts = redact_turns([Turn(side=each.side, text=each.text) for each in conversation])
    lines = [
        f"{'市民' if each.side == CITIZEN else '窓口'}: {text}"
        for each, text in zip(conversation, texts, strict=True)
        if text.strip()
    ]
    whole = "\n".join(lines)
    if len(whole) <= LONGEST:
        return whole
    half = LONGEST // 2
    return f"{whole[:half]}\n…\n{whole[-half:]}"


async def provided_summary(provider: LanguageProvider, conversation: Sequence[Sentence]) -> str:
    """A summary in new words, masked.

    Raises:
        ProviderFailed: see `LanguageProvider.ask`; or the answer is empty.
    """
    answer = redact_text((await provider.ask(_SUMMARY, outgoing(conversation)))[:MOST_ANSWER]).strip()
    if not answer:
        raise ProviderFailed("空の答えです", where=provider.name)
    return answer


async def translated(
    provider: LanguageProvider, conversation: Sequence[Sentence], language: str
) -> list[tuple[Sentence, str]]:
    """Each sentence with its translation, masked.

    Raises:
        ToritsugiError: a language that we do not offer.
        ProviderFailed: see `LanguageProvider.ask`; or lines are missing.
    """
    if language not in LANGUAGES:
        raise ToritsugiError(
            f"訳せない言語です: {language}", where="--to", cure=f"次のどれか: {', '.join(LANGUAGES)}"
        )
    texts = redact_turns([Turn(side=each.side, text=each.text) for each in conversation])
    asked = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, start=1))
    answer = await provider.ask(_TRANSLATION.format(language=LANGUAGES[language]), asked)
    lines = dict(_numbered(answer))
    if set(lines) != set(range(1, len(texts) + 1)):
        raise ProviderFailed(f"{len(texts)} 行のうち {len(lines)} 行だけが返りました", where=provider.name)
    return [(each, redact_text(lines[number])) for number, each in enumerate(conversation, start=1)]


def _numbered(answer: str) -> list[tuple[int, str]]:
    found = []
    for line in answer.splitlines():
        number, dot, text = line.strip().partition(".")
        if dot and number.isdecimal():
            found.append((int(number), text.strip()))
    return found


async def keep_provided_summary(
    uow: UnitOfWorkFactory, call: CallId, provider: LanguageProvider, conversation: Sequence[Sentence]
) -> bool:
    """Ask for a summary and keep it beside ours, named after its maker; whether there is one. Never raises for it."""
    try:
        text = await provided_summary(provider, conversation)
    except ProviderFailed as problem:
        log.warning("no summary of %s from outside: %s", call, problem)
        return False
    async with uow() as unit:
        insight = (await unit.insights.of_calls([call])).get(call)
        if insight is not None:
            provided: dict[str, Any] = {"summary": text, "by": provider.name}
            await unit.insights.put(replace(insight, record={**insight.record, "provided": provided}))
    return insight is not None
