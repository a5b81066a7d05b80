"""A city's profile in words, for the clerk who has to check it against the contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from acd.directory_profile import DirectoryEntry
from core.clock import TOKYO
from core.errors import ToritsugiError
from core.hours import ClosedReason, Emergency, HoursState, OpeningHours
from core.hours_profile import WEEKDAYS_JA
from ivr.announcements import as_text, closed_announcement
from ivr.flow import Repeat, Target, Tell, ToLine, ToMenu, ToStaff
from ivr.prompts import JAPANESE
from services.city import CityProfile

_LANGUAGES_JA = {"ja": "日本語", "en": "英語"}


def describe_hours(
    profile: CityProfile, at: datetime, language: str = JAPANESE, emergency: Emergency | None = None
) -> str:
    """What a caller hears at the aware moment `at`, and why.

    Raises:
        ToritsugiError: the profile lacks the language.
    """
    if language not in profile.ivr.languages:
        raise ToritsugiError(
            f"この市にない言語です: {language}", cure=f"次のどれか: {', '.join(profile.ivr.languages)}"
        )
    now = at.astimezone(TOKYO)
    state = profile.hours.state_at(now, emergency)
    lines = [f"{profile.city.name_ja} {_moment(now)}: {'受付中' if state.open else '受付をしていない'}"]
    lines.append(f"理由: {_why(profile, state, now)}")
    calendar = profile.calendar
    if not calendar.contract_from <= now.date() <= calendar.contract_to:
        lines.append(f"注意: 契約期間({calendar.contract_from} から {calendar.contract_to})の外の日です")
    if state.next_opening:
        lines.append(f"次の受付: {_moment(state.next_opening)}")
    texts = profile.prompts.texts[language]
    heard = texts["greeting"]
    if state.open:
        heard = _join(heard, texts[profile.flow.menus[profile.flow.start].prompt])
    else:
        templates = profile.plan.templates
        heard = _join(heard, as_text(closed_announcement(templates, state, now, language), profile.prompts))
    lines.append(f"聞こえる案内({_LANGUAGES_JA.get(language, language)}): {heard}")
    return "\n".join(lines)


def _join(first: str, second: str) -> str:
    return f"{first} {second}" if second.isascii() else first + second


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}({WEEKDAYS_JA[moment.weekday()]}){moment:%H:%M}"


def _why(profile: CityProfile, state: HoursState, now: datetime) -> str:
    if state.reason is None:
        special = profile.hours.plan(now.date()).name
        until = f"({state.closes_at:%H:%M}まで)" if state.closes_at else ""
        return f"{f'特定日({special})の' if special else ''}受付時間内{until}"
    label = state.reason.label_ja
    if state.emergency is not None:
        until = f"、{_moment(state.emergency.until)}まで" if state.emergency.until else ""
        return f"{label}({state.emergency.reason}{until})"
    if state.reason is ClosedReason.YEAR_END and (year_end := profile.hours.year_end):
        (month1, day1), (month2, day2) = year_end.first, year_end.last
        return f"{label}({month1}月{day1}日から{month2}月{day2}日)"
    return f"{label}({state.name})" if state.name else label


def show_city(profile: CityProfile) -> str:
    """Everything in the profile, in Japanese."""
    return "\n".join(_sections(profile))


def _sections(profile: CityProfile) -> Iterator[str]:
    city, numbers = profile.city, profile.numbers
    yield f"■ {city.name_ja}({city.reading}、{city.name_en})"
    yield f"  名乗り: {city.centre_ja} / {city.centre_en}"
    yield f"  根拠: {city.spec}"
    yield f"  所管: {city.department}"
    yield f"  着信番号: {'、'.join(numbers.service)}  発信者番号: {numbers.outbound}"
    yield f"  試験用の番号: {'、'.join(numbers.test) or 'なし'}"
    yield from _hours(profile)
    yield from _acd(profile)
    yield from _ivr(profile)
    yield from _records(profile)
    yield from _demo(profile)
    yield from _prompts(profile)


def _hours(profile: CityProfile) -> Iterator[str]:
    calendar = profile.calendar
    yield "■ 受付時間"
    yield f"  契約期間: {calendar.contract_from} から {calendar.contract_to}"
    yield "  電話:"
    yield from _timetable(profile.hours)
    for day, special in sorted(profile.hours.special_days.items()):
        spans = "、".join(_span(part.opens, part.closes) for part in special.intervals) or "休み"
        yield f"    {day} {special.name}: {spans}"
    if profile.desk and calendar.desk:
        yield f"  {calendar.desk.name_ja}:"
        yield from _timetable(profile.desk)


def _span(opens: int, closes: int) -> str:
    return f"{opens // 60}:{opens % 60:02}-{closes // 60}:{closes % 60:02}"


def _timetable(hours: OpeningHours) -> Iterator[str]:
    for period in hours.periods:
        days = [
            f"{name} {'、'.join(_span(part.opens, part.closes) for part in intervals) or '休み'}"
            for name, intervals in zip(WEEKDAYS_JA, period.week, strict=True)
        ]
        since = "毎週" if period.valid_from == date.min else f"{period.valid_from} から"
        yield f"    {since}: {' / '.join(days)}"
    yield f"    祝日: {'休み' if hours.closed_on_holidays else '受付'}"
    if hours.year_end:
        (month1, day1), (month2, day2) = hours.year_end.first, hours.year_end.last
        yield f"    年末年始: {month1}月{day1}日から{month2}月{day2}日まで休み"
    else:
        yield "    年末年始: 休みの定めなし"


def _acd(profile: CityProfile) -> Iterator[str]:
    acd, targets = profile.acd, profile.acd.targets
    yield "■ 電話の分配"
    yield f"  席: {acd.seats}  同時に受ける通話: {acd.max_calls or '定めなし'}"
    rate = f"{targets.answer_rate:.0%}以上" if targets.answer_rate is not None else "定めなし"
    short = f"{targets.short_abandon_s}秒以内" if targets.short_abandon_s else "なし"
    yield f"  応答率: {rate}  分母から除く早切れ: {short}"
    yield (
        f"  警報: 待ち{f'{targets.wait_alert_s}秒' if targets.wait_alert_s else 'なし'}"
        f"、待ち人数{f'{targets.waiting_alert}人を超えたとき' if targets.waiting_alert else 'なし'}"
    )
    yield f"  続けて出られないと離席にする回数: {acd.missed_offers_before_pause}"
    yield f"  離席の理由: {'、'.join(f'{code[-1]} {name}' for code, name in acd.pause_reasons.items())}"
    for line in acd.lines:
        yield (
            f"  回線 {line.id} {line.name_ja}({line.name_en}): {'・'.join(_names(line.languages))}"
            f"、呼出{line.ring_s}秒、後処理{line.wrap_up_s}秒、待ち{line.max_waiting}人まで"
            f"、待ち{line.wait_limit_s}秒まで、優先{line.priority}"
        )
    yield from _guard(profile)
    for entry in acd.directory:
        yield from _directory_entry(profile, entry)
    for referral in acd.referrals:
        how = "つなぐ" if referral.hand_over else "番号を伝える"
        dialled = f"{referral.extension} で{how}" if referral.extension else "メニューだけ"
        yield f"  案内先 {referral.id} {referral.name_ja} {referral.number}({dialled}): {referral.about}"
    if acd.handover_numbers:
        yield f"  市が転送を認めた番号: {'、'.join(acd.handover_numbers)}"


def _directory_entry(profile: CityProfile, entry: DirectoryEntry) -> Iterator[str]:
    names = {line.id: line.name_ja for line in profile.acd.lines}
    names |= {category.id: category.name_ja for category in profile.interactions.categories}
    people = f"({'、'.join(entry.people)})" if entry.people else ""
    yield (
        f"  転送先 {entry.extension} {entry.name_ja}{people}({entry.department}) "
        f"{entry.number or f'電話機 {entry.endpoint}'}{f': {entry.note}' if entry.note else ''}"
    )
    yield f"    受ける用件: {'、'.join(names[name] for name in entry.receives) or 'すべて'}"
    yield f"    出ないときの代わり: {entry.deputy or 'なし'}"
    if entry.direct:
        yield f"    直通の番号: {entry.direct}(だれも出ないときは回線 {entry.direct_line})"
    hours = entry.opening_hours(profile.hours)
    if hours is None:
        yield "    受付時間: いつでも"
    else:
        yield from _timetable(hours)


def _guard(profile: CityProfile) -> Iterator[str]:
    guard = profile.acd.guard
    if not guard.steps:
        yield "  待ち時間の番: なし"
        return
    limit = guard.limit_s or profile.acd.targets.wait_alert_s
    yield (
        f"  待ち時間の番: 上限 {f'{limit}秒' if limit else 'なし'}"
        f"、落ち着いて{guard.calm_s}秒たてば待機に戻す、次の段まで{guard.settle_s}秒"
    )
    for place, step in enumerate(guard.steps, start=1):
        when = [
            *([f"上限まで{step.within_s}秒で、超える見込みのとき"] if step.within_s is not None else []),
            *([f"{step.waited_s}秒待ったとき"] if step.waited_s is not None else []),
            *(
                [f"{'回線ごとの' if step.counted == 'line' else ''}待ちが{step.waiting}人を超えたとき"]
                if step.waiting is not None
                else []
            ),
        ]
        whom = f"({guard.groups[step.group]})" if step.group else ""
        lines = f"、回線 {'・'.join(step.lines)}" if step.lines else ""
        yield f"    {place}段: {'、または'.join(when)} → {step.act.label_ja}{whom}{lines}"


def _names(languages: tuple[str, ...]) -> list[str]:
    return [_LANGUAGES_JA.get(language, language) for language in languages]


def _ivr(profile: CityProfile) -> Iterator[str]:
    ivr = profile.ivr
    yield "■ 音声案内"
    keys = "、".join(f"{key}={_names((language,))[0]}" for key, language in ivr.language_keys.items())
    yield f"  言語: {'・'.join(_names(ivr.languages))}  選ぶキー: {keys or 'なし'}(待ち {ivr.language_timeout_s:g}秒)"
    yield (
        f"  誤り・無操作 {ivr.tries}回、または操作 {ivr.max_steps}回で {ivr.fallback_line} へ"
        f"(キーの待ち {ivr.digit_timeout_s:g}秒)"
    )
    for menu in ivr.menus:
        yield f"  メニュー {menu.id}{'(始まり)' if menu.id == ivr.start else ''}:"
        for key, choice in menu.choices.items():
            target = profile.flow.menus[menu.id].choices[key]
            yield f"    {key}: {choice.topic or 'もう一度'} → {_target(target)}"


def _target(target: Target) -> str:
    match target:
        case ToLine(line):
            return f"回線 {line}"
        case ToMenu(menu):
            return f"メニュー {menu}"
        case Tell(prompt, None):
            return f"案内 {prompt}"
        case Tell(prompt, number):
            return f"案内 {prompt}({number} を紹介)"
        case ToStaff(extension, line):
            return f"転送先 {extension}(だれも出ないときは回線 {line})"
        case Repeat():
            return "くり返し"


def _records(profile: CityProfile) -> Iterator[str]:
    interactions, days = profile.interactions, profile.interactions.retention_days
    yield "■ 記録と報告"
    for category in interactions.categories:
        yield f"  分類 {category.id} {category.name_ja}{f'(回線 {category.line})' if category.line else ''}"
    yield (
        f"  保存: 録音{days.recordings}日、書き起こし{days.transcripts}日、通話{days.calls}日"
        f"、発信者番号{days.caller_numbers}日"
    )
    rules = [rule if begin == date.min else f"{begin} から {rule}" for begin, rule in profile.reports.rules]
    yield f"  応答率の数え方: {'、'.join(rules)}"
    for paper in profile.reports.papers:
        yield f"  報告 {paper.kind} {paper.name_ja}: {paper.due_ja()}"


def _demo(profile: CityProfile) -> Iterator[str]:
    demo = profile.demo
    yield "■ 模擬の一日"
    yield f"  日: {demo.date}  平均の我慢: {demo.mean_patience_s:g}秒"
    yield (
        f"  英語 {demo.english:.0%}、押し間違い {demo.mispress:.0%}、無操作 {demo.silent:.0%}"
        f"、非通知 {demo.withheld:.0%}"
    )
    yield f"  時間帯の重み: {'、'.join(f'{hour}時 {weight:g}' for hour, weight in demo.hour_weights.items())}"
    for intent in demo.intents:
        yield (
            f"  用件 {intent.id} {intent.name_ja}: 月{intent.per_month}件、キー {intent.keys}"
            f"、平均通話 {intent.mean_talk_s:g}秒"
        )
    for operator in demo.operators:
        skills = "、".join(f"{line} {level}" for line, level in operator.lines.items())
        yield f"  {operator.id} {operator.name_ja}: {skills}({'・'.join(_names(operator.languages))})"


def _prompts(profile: CityProfile) -> Iterator[str]:
    for language in profile.ivr.languages:
        yield f"■ 文言({_names((language,))[0]})"
        for name, text in profile.prompts.texts[language].items():
            yield f"  {name}: {text}"
    yield "■ 読み"
    yield f"  {'、'.join(f'{surface}={kana}' for surface, kana in profile.prompts.readings.items())}"
