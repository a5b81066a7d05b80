"""Whether another organisation's language model is asked, and which."""

from __future__ import annotations

import json
from collections.abc import Callable

from core.errors import ToritsugiError
from core.ids import CallId
from core.settings import Settings
from notify.openai_http import OpenAiHttp
from runtime.instance import Instance
from services.providing import LanguageProvider, translated
from speech.conversation import Sentence
from speech.profile import ProviderTask, SpeechSection


def provider_of(settings: Settings, speech: SpeechSection, task: ProviderTask) -> LanguageProvider | None:
    """The provider for a task; None, and nothing leaves the machine, unless profile and settings both switch it on."""
    if task not in speech.provider.tasks or not settings.provider_url:
        return None
    return OpenAiHttp(
        settings.provider_url,
        model=speech.provider.model,
        key=settings.provider_key,
        timeout_s=speech.provider.timeout_s,
    )


async def translate_call(city: str | None, call: str, language: str, out: Callable[[str], None]) -> None:
    """A call's transcript with its translation, one JSON line a stretch.

    Raises:
        ToritsugiError: it is not switched on, there is no transcript, or no answer came.
    """
    instance = Instance.open(city=city)
    provider = provider_of(instance.settings, instance.profile.speech, ProviderTask.TRANSLATION)
    if provider is None:
        raise ToritsugiError(
            "翻訳は使わない設定です (文章はこの機械の外に出ません)",
            where="[speech.provider], TORITSUGI_PROVIDER",
            cure="使うなら、市の設定の tasks に translation を書き、TORITSUGI_PROVIDER に翻訳先のアドレスを書く",
        )
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        transcripts = await unit.transcripts.of_call(CallId(call))
    await instance.database.close()
    said = sorted(
        (
            Sentence(side=each.side, text=part["text"], start_s=part["start_s"], end_s=part["end_s"])
            for each in transcripts
            for part in each.segments
            if part["text"]
        ),
        key=lambda sentence: sentence.start_s,
    )
    if not said:
        raise ToritsugiError(
            f"文字起こしのない通話です: {call}", where="通話", cure="toritsugi cases で確かめる"
        )
    for sentence, text in await translated(provider, said, language):
        out(
            json.dumps(
                {"side": sentence.side, "start_s": sentence.start_s, "text": sentence.text, language: text},
                ensure_ascii=False,
            )
        )
