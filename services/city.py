"""One city as a whole: every context's section of its profile, checked against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from acd.profile import AcdSection
from core.errors import ToritsugiError
from core.holidays import holiday_name, holidays_between
from core.hours import OpeningHours
from core.hours_profile import HoursSection
from core.ids import LineId
from core.profile_file import (
    PROFILES,
    CitySection,
    NumbersSection,
    ProfileInvalid,
    ProfileProblem,
    RawProfile,
    Section,
    load_profile_text,
    section,
    unknown_sections,
)
from demo.profile import DemoSection
from interactions.profile import InteractionsSection
from ivr.compiled import dump_plan
from ivr.flow import Flow, LineQueues, Tell, ToLine, ToMenu, ToStaff
from ivr.profile import IvrSection, PromptsSection, ReadingsSection
from ivr.prompts import (
    EMERGENCY_PREFIX,
    NOTICE_PREFIX,
    PATTERNS,
    PromptBook,
    fill,
    placeholder_fault,
    required_names,
)
from ivr.session import CallPlan
from ivr.spoken import say_key, say_timetable
from reports.profile import ReportsSection
from services.city_directory import (
    choice_problems,
    direct_lines,
    directory_problems,
    referral_texts,
    told_referrals,
)
from speech.profile import SpeechSection

SHARED_PROMPTS = "shared/prompts.toml"
SECTIONS = (
    "city", "numbers", "hours", "acd", "ivr", "prompts", "readings", "interactions", "reports", "speech", "demo",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CityProfile:
    """A valid profile. `hours` and `flow` are the forms that the running system works with."""

    path: Path
    city: CitySection
    numbers: NumbersSection
    calendar: HoursSection
    hours: OpeningHours
    """When the telephone is staffed."""
    desk: OpeningHours | None
    """When the other desk of the contract is staffed."""
    acd: AcdSection
    ivr: IvrSection
    flow: Flow
    prompts: PromptBook
    interactions: InteractionsSection
    reports: ReportsSection
    speech: SpeechSection
    demo: DemoSection

    @property
    def plan(self) -> CallPlan:
        """What an IVR session needs."""
        templates = {language: self.prompts.templates(language) for language in self.ivr.languages}
        return CallPlan(flow=self.flow, hours=self.hours, templates=templates)

    @property
    def emergency_messages(self) -> tuple[str, ...]:
        """Prompts that may be named when the centre is closed by hand: those that every language has."""
        return self._named(EMERGENCY_PREFIX)

    @property
    def notices(self) -> tuple[str, ...]:
        """Prompts that every caller may be made to hear before the menu."""
        return self._named(NOTICE_PREFIX)

    def _named(self, prefix: str) -> tuple[str, ...]:
        texts = [set(self.prompts.texts[language]) for language in self.ivr.languages]
        return tuple(sorted(name for name in set.intersection(*texts) if name.startswith(prefix)))

    def compiled_plan(self, today: date) -> str:
        """The plan for the fallback script, with the holidays from last year to the year after next."""
        first, last = date(today.year - 1, 1, 1), date(today.year + 2, 12, 31)
        return dump_plan(self.plan, holidays_between(first, last))


def list_cities(folder: Path = PROFILES) -> list[str]:
    """Names that `load_city` knows."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def profile_path(name_or_path: str | Path, folder: Path = PROFILES) -> Path:
    """The file of a city given by name, or the path itself when it ends in `.toml`.

    Raises:
        ToritsugiError: no such city.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return path
    if str(name_or_path) in list_cities(folder):
        return folder / f"{name_or_path}.toml"
    raise ToritsugiError(
        f"知らない市です: {name_or_path}", cure=f"次のどれかを書く: {', '.join(list_cities(folder))}"
    )


def load_city(name_or_path: str | Path) -> CityProfile:
    """The profile of a city, by name (`ageo`) or by path.

    Raises:
        ToritsugiError: no such city or file.
        ProfileInvalid: the profile has faults; all of them are listed.
    """
    raw = load_profile_text(profile_path(name_or_path))
    profile, problems = _assemble(raw)
    if profile is None or problems:
        raise ProfileInvalid(problems)
    return profile


def check_city(name_or_path: str | Path) -> list[ToritsugiError]:
    """Everything wrong with a profile; empty when it can be used."""
    try:
        return _assemble(load_profile_text(profile_path(name_or_path)))[1]
    except ToritsugiError as problem:
        return [problem]


_S = TypeVar("_S", bound=Section)


def _assemble(raw: RawProfile) -> tuple[CityProfile | None, list[ToritsugiError]]:
    problems: list[ToritsugiError] = list(unknown_sections(raw, SECTIONS))

    def read(name: str, model: type[_S]) -> _S | None:
        try:
            return section(raw, name, model)
        except ProfileInvalid as invalid:
            problems.extend(invalid.problems)
            return None

    city = read("city", CitySection)
    numbers = read("numbers", NumbersSection)
    calendar = read("hours", HoursSection)
    acd = read("acd", AcdSection)
    ivr = read("ivr", IvrSection)
    interactions = read("interactions", InteractionsSection)
    reports = read("reports", ReportsSection)
    demo = read("demo", DemoSection)
    texts = read("prompts", PromptsSection)
    readings = read("readings", ReadingsSection) if "readings" in raw.values else ReadingsSection()
    speech = read("speech", SpeechSection) if "speech" in raw.values else SpeechSection()
    if not (city and numbers and calendar and acd and ivr and interactions and reports and demo):
        return None, problems
    if texts is None or readings is None or speech is None:
        return None, problems
    shared = load_profile_text(PROFILES / SHARED_PROMPTS)
    shared_texts = section(shared, "prompts", PromptsSection).texts()
    problems += _placeholder_problems(shared, shared_texts)
    problems += _placeholder_problems(raw, texts.texts())
    problems += choice_problems(raw, ivr, acd)
    if problems:
        return None, problems
    hours, desk = calendar.opening_hours(holiday_name), calendar.desk_hours(holiday_name)
    merged = {
        language: {**shared_texts.get(language, {}), **texts.texts().get(language, {})}
        for language in ivr.languages
    }
    profile = CityProfile(
        path=raw.path,
        city=city,
        numbers=numbers,
        calendar=calendar,
        hours=hours,
        desk=desk,
        acd=acd,
        ivr=ivr,
        flow=ivr.flow(
            {LineId(line.id): LineQueues(line.languages, line.priority) for line in acd.lines},
            told_referrals(acd),
            direct_lines(acd),
        ),
        prompts=PromptBook(
            _filled(merged, city, hours, desk, acd),
            {**section(shared, "readings", ReadingsSection).readings(), **readings.readings()},
        ),
        interactions=interactions,
        reports=reports,
        speech=speech,
        demo=demo,
    )
    problems.extend(problem for check in _CHECKS for problem in check(profile, raw))
    return profile, problems


def _filled(
    texts: Mapping[str, Mapping[str, str]],
    city: CitySection,
    hours: OpeningHours,
    desk: OpeningHours | None,
    acd: AcdSection,
) -> dict[str, dict[str, str]]:
    """The texts with the placeholders of `FIXED` replaced; the others stay."""
    filled: dict[str, dict[str, str]] = {}
    for language, named in texts.items():
        japanese = language == "ja"
        values = {
            "city": city.name_ja if japanese else city.name_en,
            "centre": city.centre_ja if japanese else city.centre_en,
            "weekly_hours": say_timetable(hours, language),
            "desk_hours": say_timetable(desk, language) if desk else "",
            "callback_key": say_key(acd.callback.key, language),
        }
        ready = {name: fill(text, values) for name, text in named.items()}
        ready |= referral_texts(acd.referrals, ready, language)
        filled[language] = {name: text for name, text in ready.items() if name not in PATTERNS}
    return filled


def _placeholder_problems(
    raw: RawProfile, texts: Mapping[str, Mapping[str, str]]
) -> Iterator[ProfileProblem]:
    for language, named in texts.items():
        for name, text in named.items():
            if fault := placeholder_fault(name, text):
                yield raw.problem(f"prompts.{language}.{name}", *fault)


def _check_lines(profile: CityProfile, raw: RawProfile) -> Iterator[ProfileProblem]:
    lines = {line.id for line in profile.acd.lines}
    known = f"acd.lines にある id: {', '.join(sorted(lines))}"
    if profile.ivr.fallback_line not in lines:
        yield raw.problem("ivr.fallback_line", f"ない回線です: {profile.ivr.fallback_line}", known)
    for number, menu in enumerate(profile.ivr.menus):
        for key, choice in menu.choices.items():
            if choice.line and choice.line not in lines:
                yield raw.problem(f"ivr.menus.{number}.choices.{key}", f"ない回線です: {choice.line}", known)
    for number, category in enumerate(profile.interactions.categories):
        if category.line and category.line not in lines:
            key = f"interactions.categories.{number}.line"
            yield raw.problem(key, f"ない回線です: {category.line}", known)
    for line in sorted(lines):
        if profile.interactions.category_of(line) is None:
            yield raw.problem("interactions.categories", f"分類のない回線です: {line}", "line を書き足す")
    for number, operator in enumerate(profile.demo.operators):
        for line in sorted(set(operator.lines) - lines):
            yield raw.problem(f"demo.operators.{number}.lines", f"ない回線です: {line}", known)
    for number, line_section in enumerate(profile.acd.lines):
        for language in line_section.languages:
            if language not in profile.ivr.languages:
                key = f"acd.lines.{number}.languages"
                yield raw.problem(key, f"ない言語です: {language}", "ivr.languages に書き足す")


def _check_prompts(profile: CityProfile, raw: RawProfile) -> Iterator[ProfileProblem]:
    own = profile.ivr.own_prompts() | {referral.prompt for referral in profile.acd.referrals}
    for language in profile.ivr.languages:
        texts = profile.prompts.texts[language]
        wanted = required_names(language, profile.ivr.languages[0], own)
        for name in sorted(wanted - set(texts)):
            yield raw.problem(f"prompts.{language}.{name}", "文言がありません", "この名前で文を書き足す")
        for name in sorted(set(texts) - wanted):
            if name.startswith((EMERGENCY_PREFIX, NOTICE_PREFIX)):
                continue
            yield raw.problem(f"prompts.{language}.{name}", "使われない文言です", "消すか、綴りを確かめる")
        for name, text in texts.items():
            if "個人番号カード" in text:
                key = f"prompts.{language}.{name}"
                yield raw.problem(key, "市民に使わない呼び名です", "「マイナンバーカード」と書く")
    if "{desk_hours}" in str(raw.values["prompts"]) and profile.desk is None:
        yield raw.problem("hours.desk", "{desk_hours} の窓口がありません", "[hours.desk] を書き足す")
    for language in sorted(set(raw.values["prompts"]) - set(profile.ivr.languages)):
        yield raw.problem(f"prompts.{language}", "使わない言語です", "ivr.languages に書き足すか、消す")


def _check_numbers(profile: CityProfile, raw: RawProfile) -> Iterator[ProfileProblem]:
    numbers = [*profile.numbers.service, *profile.numbers.test]
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        yield raw.problem("numbers", f"番号が重なっています: {number}", "一つずつ違う番号にする")
    if raw.path.stem != profile.city.id:
        yield raw.problem("city.id", f"ファイル名と違います: {profile.city.id}", f"{raw.path.stem} にする")


def _check_demo(profile: CityProfile, raw: RawProfile) -> Iterator[ProfileProblem]:
    demo, calendar = profile.demo, profile.calendar
    if not calendar.contract_from <= demo.date <= calendar.contract_to:
        yield raw.problem("demo.date", "契約期間の外です", f"{calendar.contract_from} 以後の日にする")
    plan = profile.hours.plan(demo.date)
    if not plan.intervals:
        yield raw.problem("demo.date", "休みの日です", "開いている日にする")
    for hour in demo.hour_weights:
        minutes = range(int(hour) * 60, int(hour) * 60 + 60)
        if plan.intervals and not any(
            part.opens <= m < part.closes for part in plan.intervals for m in minutes
        ):
            yield raw.problem("demo.hour_weights", f"開いていない時間です: {hour}時", "消す")
    if len(demo.operators) > profile.acd.seats:
        yield raw.problem("demo.operators", "席より多い人数です", f"{profile.acd.seats} 人までにする")
    for number, intent in enumerate(demo.intents):
        if not _keys_lead_somewhere(profile.flow, intent.keys):
            key = f"demo.intents.{number}.keys"
            yield raw.problem(key, f"メニューで行き先のないキーです: {intent.keys}", "メニューに合わせる")


def _keys_lead_somewhere(flow: Flow, keys: str) -> bool:
    menu = flow.menus[flow.start]
    for place, key in enumerate(keys):
        match menu.choices.get(key):
            case ToMenu(name):
                menu = flow.menus[name]
            case ToLine() | Tell() | ToStaff():
                return place == len(keys) - 1
            case _:
                return False
    return False


def _check_directory(profile: CityProfile, raw: RawProfile) -> Iterator[ProfileProblem]:
    yield from directory_problems(raw, profile.acd, profile.numbers, profile.interactions)


_CHECKS: tuple[Callable[[CityProfile, RawProfile], Iterator[ProfileProblem]], ...] = (
    _check_lines,
    _check_prompts,
    _check_numbers,
    _check_demo,
    _check_directory,
)
