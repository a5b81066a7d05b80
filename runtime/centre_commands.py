"""`close`, `reopen` and `notice` from a terminal; they need no engine."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable

from acd.commands import Act, Asker, Command, Role
from core.errors import ToritsugiError
from runtime.centre_switches import DEFAULT_NOTICE, SPOKEN, throw
from runtime.instance import Instance
from runtime.prompts import cache_folder
from services.ports import AuditEntry
from speech.prompt_cache import build_prompts


def spoken_notice(text: str, text_en: str, say: Callable[[str], None]) -> str:
    """Have a notice's own words made into a prompt; its name. A language without words has its standing notice.

    Raises:
        ToritsugiError: no words in the city's first language, or words that cannot be spoken.
    """
    instance = Instance.open()
    profile, settings = instance.profile, instance.settings
    words = {"ja": text.strip(), "en": text_en.strip()}
    first = profile.ivr.languages[0]
    if not words.get(first):
        raise ToritsugiError("お知らせの文がありません", where="--text", cure="日本語の文を書く")
    say("お知らせの音声を作っています。")
    build_prompts(
        {
            (language, SPOKEN): words.get(language) or profile.prompts.texts[language][DEFAULT_NOTICE]
            for language in profile.ivr.languages
        },
        city=profile.city.id,
        out_dir=settings.sounds,
        cache_dir=cache_folder(settings),
        readings=profile.prompts.readings,
    )
    return SPOKEN


async def switch_centre(
    act: Act, say: Callable[[str], None], *, to: str = "", reason: str = "", until: str = ""
) -> None:
    """Close, reopen, say a notice or end it from a terminal, and note who did.

    Raises:
        ToritsugiError: an unknown message, or a moment that cannot be read.
    """
    instance = Instance.open()
    asker = Asker(name=os.environ.get("SUDO_USER") or getpass.getuser(), role=Role.SUPERVISOR)
    throw(
        instance.settings, instance.profile, Command(act=act, asker=asker, to=to, reason=reason, until=until)
    )
    entry = AuditEntry(
        at=instance.clock.epoch(), actor=asker.name, action=f"centre.{act.value}", subject="centre",
        detail={name: value for name, value in (("to", to), ("reason", reason), ("until", until)) if value},
    )  # fmt: skip
    try:
        await instance.database.migrate()
        async with instance.database.uow() as unit:
            await unit.audit.add(entry)
    except Exception as problem:
        # In an emergency the database may be what is broken: what was asked for holds all the same.
        say(f"操作の記録に残せませんでした ({type(problem).__name__})。切り替えは済んでいます。")
    finally:
        await instance.database.close()
