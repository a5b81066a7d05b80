"""What papers tell of the knowledge base and of the service, from the records of this instance."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from core.clock import TOKYO
from faq_kb.article import State
from faq_kb.usage import success
from reports.evenness import sentence
from reports.sections.faq import Changed, FaqUse, Lacking, Ranked, ReviewDue
from reports.sections.service import ServiceMaterial, TrainingTheme, WeekSpread
from runtime.faq import faq_search
from runtime.floor_papers import evenness_of
from runtime.instance import Instance
from services.faq_loop import found_gaps
from services.faq_ports import UseKind
from services.figure_searches import how_it_went
from services.ports import UnitOfWork
from speech.quality import themes
from speech.redact import redact_text

SOON = timedelta(days=60)
"""An entry whose validity ends so soon after the period is to be looked at."""
UNREAD = timedelta(days=365)
"""想定: an entry that nobody changed for so long is to be looked at; no specification names a time."""
MOST_RANKED = 50
WORST_NAMED = 3


async def faq_use(instance: Instance, since: float, until: float) -> FaqUse:
    """The knowledge base in `[since, until)`, epoch seconds, against the equally long period before."""
    moment = instance.clock.city_time_of
    earlier = since - (until - since)
    async with instance.database.reading() as unit:
        searches = await unit.faq.searches(since, until)
        before = await unit.faq.searches(earlier, since)
        uses, old_uses = await unit.faq.uses(since, until), await unit.faq.uses(earlier, since)
        latest, states = await unit.faq.latest(), await unit.faq.states()
        articles = await unit.faq.articles()
        due = await _due(unit, datetime.fromtimestamp(until - 1.0, TOKYO).date())
        gaps, looked, unanswered = await found_gaps(
            unit, faq_search(instance.settings, lambda _: None), since, until
        )
    told = success([how_it_went(each) for each in searches])

    def question(entry: str) -> str:
        return latest[entry].content.question if entry in latest else "（削除された項目）"

    counts = {kind: Counter(use.article_id for use in uses if use.kind is kind) for kind in UseKind}
    old = Counter(use.article_id for use in old_uses if use.kind is UseKind.USED)
    names = sorted(
        {use.article_id for use in uses},
        key=lambda each: (-counts[UseKind.USED][each], -counts[UseKind.SHOWN][each], each),
    )
    return FaqUse(
        searches=told.searches,
        searches_before=len(before),
        zero_hit=told.zero_hit,
        no_strict_hit=told.no_strict_hit,
        used=told.used,
        in_vain=[(redact_text(words), number) for words, number in told.in_vain],
        entries=[
            Ranked(
                entry=each, question=question(each), told=counts[UseKind.USED][each], told_before=old[each],
                shown=counts[UseKind.SHOWN][each],
            )
            for each in names[:MOST_RANKED]
        ],
        looked=looked,
        unanswered=unanswered,
        gaps=[
            Lacking(
                words="、".join(gap.words), calls=gap.calls, last=moment(gap.last_at),
                example=redact_text(gap.examples[0]) if gap.examples else "",
            )
            for gap in gaps
        ],
        due=due,
        changes=sorted(
            (
                Changed(
                    at=moment(step.at), entry=article.article_id, question=question(article.article_id),
                    state=step.state.label_ja, by=step.by,
                )
                for article in articles
                for step in article.steps
                if since <= step.at < until
            ),
            key=lambda each: (each.at, each.entry),
        ),
        states=[(state.label_ja, states[state]) for state in State if states.get(state)],
    )  # fmt: skip


async def _due(unit: UnitOfWork, last_day: date) -> list[ReviewDue]:
    found = []
    for entry, version in (await unit.faq.in_force()).items():
        content = version.content
        year_over = datetime.fromtimestamp(version.made_at, TOKYO).date() + UNREAD
        why, until = "", last_day
        if content.valid_until is not None and content.valid_until <= last_day + SOON:
            over = content.valid_until < last_day
            why, until = "有効期限が過ぎている" if over else "有効期限が近い", content.valid_until
        elif year_over <= last_day:
            why, until = "1年、改められていない", year_over
        if why:
            found.append(
                ReviewDue(
                    entry=entry, question=content.question, department=content.department, why=why, until=until
                )
            )  # fmt: skip
    return sorted(found, key=lambda each: (each.until, each.entry))


async def service_material(
    instance: Instance, first_day: date, last_day: date, since: float, until: float
) -> ServiceMaterial:
    """Quality checks of the calls of a period, and the evenness of each week that begins in it."""
    async with instance.database.reading() as unit:
        checks = await unit.quality.between(since, until)
        names = {str(each.id): each.name for each in await unit.operators.list()}
    scores = [check.score for check in checks if check.score is not None]
    found = []
    for theme in themes((c.call_id, c.operator, c.record, c.overruled) for c in checks):
        worst = [(who, missed) for who, (missed, _) in theme.operators.items() if missed][:WORST_NAMED]
        found.append(
            TrainingTheme(
                theme=theme.theme,
                missed=theme.missed,
                checked=theme.applied,
                item=theme.item,
                operators="、".join(f"{names.get(who, who)} {missed}件" for who, missed in worst),
            )
        )
    weeks = []
    monday = first_day + timedelta(days=-first_day.weekday() % 7)
    while monday <= last_day:
        report = await evenness_of(instance.profile, instance.database, instance.clock, monday)
        weeks += [
            WeekSpread(
                monday=monday, skill=part.group.name_ja, group=part.group.id, offers=part.offers, spread=part.evenness,
                words=sentence(part, report.load_by),
            )
            for part in report.parts
        ]  # fmt: skip
        monday += timedelta(days=7)
    return ServiceMaterial(
        checked=len(checks),
        mean_score=sum(scores) / len(scores) if scores else None,
        themes=found,
        weeks=weeks,
    )
