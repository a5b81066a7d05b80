"""A city's directory against the rest of its profile: who receives whose calls, and what is told of other offices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acd.directory import open_moments
from acd.directory_profile import DirectoryEntry, ReferralSection
from acd.profile import AcdSection
from core.clock import Clock
from core.hours import OpeningHours
from core.ids import LineId
from core.profile_file import NumbersSection, ProfileProblem, RawProfile
from interactions.profile import InteractionsSection
from ivr.flow import Tell
from ivr.profile import IvrSection
from ivr.prompts import JAPANESE, REFERRAL, fill
from ivr.spoken import say_number


def lines_received(entry: DirectoryEntry, interactions: InteractionsSection) -> tuple[str, ...]:
    """Lines whose calls may be handed to `entry`, in the order of its list; empty for all.

    The switch knows a call's line, not what the talk turned out to be about. So a category counts by its line, and one
    that has none (a complaint) may come on every line.
    """
    lines = {category.id: category.line for category in interactions.categories}
    found: list[str] = []
    for name in entry.receives:
        line = lines.get(name, name)
        if line is None:
            return ()
        found.append(line)
    return tuple(dict.fromkeys(found))


def office_hours(acd: AcdSection, centre: OpeningHours, clock: Clock) -> dict[str, str]:
    """Extension to the moments at which it takes calls (`acd.directory.open_moments`), of those that have hours."""
    found = {entry.extension: entry.opening_hours(centre) for entry in acd.directory}
    return {extension: open_moments(hours, clock) for extension, hours in found.items() if hours is not None}


def referral_texts(
    referrals: tuple[ReferralSection, ...], texts: Mapping[str, str], language: str
) -> dict[str, str]:
    """Prompt to text of what is told of other offices; what the city has written itself stays."""
    japanese = language == JAPANESE
    made: dict[str, str] = {}
    for referral in referrals:
        hours = referral.hours_ja if japanese else referral.hours_en
        stop = "。" if japanese else ". "
        made[referral.prompt] = texts.get(referral.prompt) or fill(
            texts[REFERRAL],
            {
                "name": referral.name_ja if japanese else referral.name_en,
                "number": say_number(referral.number, language),
                "hours": f"{hours.rstrip('。. ')}{stop}" if hours else "",
            },
        )
    return made


def told_referrals(acd: AcdSection) -> dict[str, Tell]:
    """What a menu tells of another office, by the referral's id."""
    return {referral.id: Tell(referral.prompt, referral.number) for referral in acd.referrals}


def direct_lines(acd: AcdSection) -> dict[str, LineId]:
    """Extension to which a number of the city leads, and the line that takes the call in vain."""
    return {
        entry.extension: LineId(entry.direct_line)
        for entry in acd.directory
        if entry.direct and entry.direct_line
    }


def choice_problems(raw: RawProfile, ivr: IvrSection, acd: AcdSection) -> Iterator[ProfileProblem]:
    """Menu choices that lead to a referral or to somebody of the directory who is not there."""
    referrals = sorted(referral.id for referral in acd.referrals)
    extensions = sorted(entry.extension for entry in acd.directory)
    for number, menu in enumerate(ivr.menus):
        for key, choice in menu.choices.items():
            where = f"ivr.menus.{number}.choices.{key}"
            if choice.refer and choice.refer not in referrals:
                cure = f"acd.referrals にある id: {', '.join(referrals) or 'なし'}"
                yield raw.problem(where, f"ない案内先です: {choice.refer}", cure)
            if choice.staff and choice.staff not in extensions:
                cure = f"acd.directory にある extension: {', '.join(extensions) or 'なし'}"
                yield raw.problem(where, f"ない転送先です: {choice.staff}", cure)


def directory_problems(
    raw: RawProfile, acd: AcdSection, numbers: NumbersSection, interactions: InteractionsSection
) -> Iterator[ProfileProblem]:
    """Names in `receives` and `direct_line` that nothing has, and numbers that lead to two places."""
    lines = {line.id for line in acd.lines}
    names = lines | {category.id for category in interactions.categories}
    taken = [*numbers.service, *numbers.test]
    for number, entry in enumerate(acd.directory):
        where = f"acd.directory.{number}"
        for name in entry.receives:
            if name not in names:
                cure = f"回線か分類の id: {', '.join(sorted(names))}"
                yield raw.problem(f"{where}.receives", f"ない回線・分類です: {name}", cure)
        if entry.direct_line and entry.direct_line not in lines:
            cure = f"acd.lines にある id: {', '.join(sorted(lines))}"
            yield raw.problem(f"{where}.direct_line", f"ない回線です: {entry.direct_line}", cure)
        if entry.direct and entry.direct in taken:
            yield raw.problem(f"{where}.direct", f"番号が重なっています: {entry.direct}", "別の番号にする")
        taken += [entry.direct] if entry.direct else []
