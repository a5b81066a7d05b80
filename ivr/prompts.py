"""Prompts by name and language: which must exist, which are made on the spot, and how text is read aloud."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.hours import ClosedReason

JAPANESE = "ja"

EVERY_LANGUAGE = (
    "greeting",
    "invalid",
    "silence_retry",
    "after_tell",
    "connecting",
    "goodbye",
    *(f"closed_{reason}" for reason in ClosedReason if reason is not ClosedReason.EMERGENCY),
    "closed_next",
    "closed_static",
    "emergency_closed",
    "overflow_full",
    "overflow_nobody",
    "overflow_wait",
    "technical_difficulty",
    "refused_transfer",
    "transfer_busy",
    "transfer_no_answer",
    "transfer_unreachable",
    "transfer_closed",
    "transfer_not_received",
    "straight_failed",
    "wait_position",
    "wait_position_only",
    "wait_stay",
    "callback_offer",
    "callback_intro",
    "callback_number",
    "callback_confirm",
    "callback_ask_number",
    "callback_bad_number",
    "callback_back",
    "callback_unavailable",
    "callback_booked",
    "callback_soon",
    "callback_later",
    "callback_hello",
    "long_call_1",
    "long_call_2",
    "long_call_end",
    "notice_emergency",
    *(f"digit_{digit}" for digit in range(10)),
)
"""Names that every language of every city must have, beside the menus' and announcements' own."""

JAPANESE_ONLY = (
    "op_signed_in", "op_signed_out", "op_ready", "op_paused", "op_reserve", "op_refused",
    "op_callback", "op_callback_missed", "op_refused_transfer", "op_transfer_busy", "op_transfer_no_answer",
    "op_transfer_unreachable", "op_transfer_closed", "op_transfer_not_received", "op_transfer_to",
    "op_relay", "op_confirm_close", "op_done_close", "op_confirm_reopen", "op_done_reopen", "op_confirm_notice",
    "op_done_notice", "op_confirm_notice_over", "op_done_notice_over", "op_help", "op_watched", "op_staff_summary",
    "op_recording_paused", "op_recording_again",
)  # fmt: skip
"""What operators hear."""

EMERGENCY_PREFIX = "emergency_"
"""A city may have more of these, for a typhoon or a power cut; the one who closes the centre names one."""

NOTICE_PREFIX = "notice_"
"""And of these: what every caller hears before the menu while the centre stays open."""

DYNAMIC: Mapping[str, frozenset[str]] = {
    "closed_next": frozenset({"next"}),
    "wait_position": frozenset({"position", "minutes"}),
    "wait_position_only": frozenset({"position"}),
    "callback_soon": frozenset({"minutes"}),
    "callback_later": frozenset({"next"}),
}
"""Prompts spoken on the spot, and what must be filled in."""

REFERRAL = "referral"
"""The pattern of what is told of another office; it is no prompt itself."""
PATTERNS: Mapping[str, frozenset[str]] = {REFERRAL: frozenset({"name", "number", "hours"})}
"""Texts of which prompts are made when the profile is loaded, and what must be filled in."""

FIXED = frozenset({"city", "centre", "weekly_hours", "desk_hours", "callback_key"})
"""Placeholders filled when the profile is loaded; usable in every prompt."""


def placeholders(text: str) -> set[str]:
    """The `{names}` in a prompt's text.

    Raises:
        ValueError: a brace stands alone.
    """
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with the placeholders named in `values` replaced; others stay.

    A value that ends in a full stop (a.m.) does not make two of them.
    """
    for name, value in values.items():
        text = text.replace(f"{{{name}}}.", f"{{{name}}}" if value.endswith(".") else f"{{{name}}}.")
        text = text.replace(f"{{{name}}}", value)
    return text


@dataclass(frozen=True, slots=True)
class PromptBook:
    """All texts of one city, fixed placeholders filled in; those in `DYNAMIC` still hold theirs."""

    texts: Mapping[str, Mapping[str, str]]
    """Language to name to text."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """Japanese surface to kana, for words that a synthesiser reads wrongly."""

    def static(self, language: str) -> dict[str, str]:
        """Name to text of everything that can be synthesised beforehand."""
        return {name: text for name, text in self.texts[language].items() if name not in DYNAMIC}

    def templates(self, language: str) -> dict[str, str]:
        """Name to text of everything that is made on the spot."""
        return {name: text for name, text in self.texts[language].items() if name in DYNAMIC}


def placeholder_fault(name: str, text: str) -> tuple[str, str] | None:
    """What is wrong with the placeholders of the prompt `name`, as (message, cure); None when all is well."""
    try:
        used = placeholders(text) - FIXED
    except ValueError:
        return "波括弧が閉じていません", "{名前} の形にする"
    wanted = DYNAMIC.get(name) or PATTERNS.get(name, frozenset())
    if used == wanted:
        return None
    shown = " ".join(f"{{{item}}}" for item in sorted(wanted)) or "なし"
    return f"差し込みが違います: {', '.join(sorted(used)) or 'なし'}", f"この文に要る差し込み: {shown}"


def required_names(language: str, default: str, own: Iterable[str]) -> set[str]:
    """The names that `language` must have, given the menus' and announcements' `own` names.

    `language` (「For English, press nine.」) is needed in every language but the `default` one.
    """
    names = {*EVERY_LANGUAGE, *own}
    if language != default:
        names.add("language")
    return names | set(JAPANESE_ONLY) if language == JAPANESE else names
