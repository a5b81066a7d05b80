"""Our distribution against app_queue's strategies on identical days: five cities, three loads.

Every day's callers, conversations and patience are drawn once (`_cities`), then played with each policy on the
simulated switch; ours is the production floor. Compared are

- the answer rate: answered over all who reached a queue; the difference to the best built-in strategy, paired by day,
  with its 95 % interval;
- evenness: (max - min) / mean of the load among the operators who hold a skill, for each skill with at least 100
  offers, over all days (judged), and as the mean over weeks. Load is handled minutes (talk and wrap-up) per signed-in
  hour; handled calls per signed-in hour stand beside it. "Half of the best built-in's" is judged on minutes;
- waits of all callers: mean, 90 % quantile, share over 300 s;
- the clairvoyant bounds of `_bounds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from acd.order import LoadRule
from acd.simulation.centre import Centre, Play, Strategy
from acd.simulation.measures import LoadMeasure, carried, estimate, quantile, unevenness_by_skill
from acd.simulation.outcome import Day, End
from acd.simulation.play import play
from acd.simulation.trace import Trace
from acd.view import Load
from benchmarks._bounds import least_uneven, most_answered, offers_by_skill
from benchmarks._cities import calls_a_weekday, centre_of, open_days, trace_of
from core.ids import OperatorId, QueueName
from services.city import list_cities, load_city

LOADS = (0.7, 1.0, 1.3)
WEEKS_LEAST_DAYS = 20
LONG_WAIT_S = 300.0
BUILT_IN = (Strategy.LEASTRECENT, Strategy.RRMEMORY, Strategy.FEWESTCALLS, Strategy.RANDOM)


def run(out: Path, quick: bool) -> dict[str, Any]:
    """All cities and loads; quick: one city, one load, one week."""
    cities = ["ageo"] if quick else list_cities()
    rows = [row(city, load, one_week=quick) for city in cities for load in ((1.0,) if quick else LOADS)]
    if not quick:
        out.mkdir(parents=True, exist_ok=True)
        (out / "distribution.md").write_text(table(rows), encoding="utf-8")
    return {
        "rows": rows,
        "answer_rate_not_below_best": sum(each["answer_rate_not_below_best"] for each in rows),
        "at_most_half_as_uneven": sum(each["at_most_half_as_uneven"] for each in rows),
        "of": len(rows),
    }


def row(city: str, load: float, *, one_week: bool = False) -> dict[str, Any]:
    """One city at one load."""
    profile = load_city(city)
    centre = centre_of(profile)
    week = open_days(profile)
    days = week if one_week else week * -(-WEEKS_LEAST_DAYS // week)
    traces = [trace_of(profile, load=load, seed=seed) for seed in range(days)]
    played = {strategy.value: _played(centre, traces, strategy, LoadRule.MINUTES) for strategy in BUILT_IN}
    # The other rules are shown at the specification's load.
    for rule in LoadRule if load == 1.0 else (LoadRule.MINUTES,):
        played[f"ours, {rule.value}"] = _played(centre, traces, Strategy.OURS, rule)
    policies = {name: _figures(found, week) for name, found in played.items()}
    ours = f"ours, {LoadRule.MINUTES.value}"
    best = max((s.value for s in BUILT_IN), key=lambda name: policies[name]["answer_rate"])
    difference = estimate(
        [_rate(mine) - _rate(theirs) for mine, theirs in zip(played[ours], played[best], strict=True)]
    )
    evenest = min(policies[s.value]["uneven_minutes"] for s in BUILT_IN)
    return {
        "city": city,
        "load": load,
        "days": days,
        "calls_a_day": round(load * calls_a_weekday(profile), 1),
        "policies": policies,
        "best_built_in_by_answers": best,
        "answer_rate_difference": [round(v, 5) for v in (difference.mean, difference.low, difference.high)],
        "answer_rate_not_below_best": difference.high >= 0.0,
        "uneven_best_built_in": evenest,
        "uneven_ratio": round(policies[ours]["uneven_minutes"] / evenest, 3),
        "at_most_half_as_uneven": policies[ours]["uneven_minutes"] <= evenest / 2.0,
        "bound_answer_rate": round(
            sum(most_answered(centre, trace) for trace in traces) / sum(len(trace.calls) for trace in traces),
            4,
        ),
        "bound_uneven_minutes": round(_bound_uneven(centre, played[ours]), 4),
    }


def _played(centre: Centre, traces: Sequence[Trace], strategy: Strategy, rule: LoadRule) -> list[Day]:
    last_shifts: dict[OperatorId, Load] = {}
    return [
        play(centre, trace, Play(strategy=strategy, seed=seed), load_rule=rule, last_shifts=last_shifts)
        for seed, trace in enumerate(traces)
    ]


def _rate(day: Day) -> float:
    return day.answered / len(day.callers)


def _offers(days: Sequence[Day]) -> dict[str, int]:
    return offers_by_skill(
        [(caller.demand, caller.offers) for day in days for caller in day.callers.values()]
    )


def _figures(days: Sequence[Day], week: int) -> dict[str, Any]:
    waits = sorted(wait for day in days for wait in day.waits())
    weeks = [days[begin : begin + week] for begin in range(0, len(days), week)]
    figures: dict[str, Any] = {
        "answer_rate": round(sum(day.answered for day in days) / sum(len(day.callers) for day in days), 5),
        "overflow": sum(day.count(End.OVERFLOW) for day in days),
        "wait_mean_s": round(fmean(waits), 2),
        "wait_p90_s": round(quantile(waits, 0.9), 1),
        "waits_over_300_s": round(sum(wait > LONG_WAIT_S for wait in waits) / len(waits), 5),
        "offers": sum(day.offers for day in days),
    }
    for measure in LoadMeasure:
        pooled = unevenness_by_skill(days, _offers(days), measure)
        weekly = [
            value for part in weeks for value in unevenness_by_skill(part, _offers(part), measure).values()
        ]
        figures[f"uneven_{measure.value}"] = round(fmean(pooled.values()), 4)
        figures[f"uneven_{measure.value}_by_skill"] = {s: round(v, 4) for s, v in pooled.items()}
        figures[f"uneven_{measure.value}_weekly"] = round(fmean(weekly), 4) if weekly else None
    return figures


def _bound_uneven(centre: Centre, days: Sequence[Day]) -> float:
    """Mean over the skills that count, for the work that our policy's operators did."""
    rules = centre.by_demand()
    work: dict[QueueName, float] = {}
    for day in days:
        for caller in day.callers.values():
            if caller.end is End.ANSWERED:
                done = caller.talk_s + rules[caller.demand].wrap_up_s
                work[caller.demand] = work.get(caller.demand, 0.0) + done
    people = carried(days)
    counted = unevenness_by_skill(days, _offers(days), LoadMeasure.MINUTES)
    return fmean(least_uneven(centre, work, people, skill) for skill in counted)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The figures for reading."""
    lines = [
        "# Distribution: ours against app_queue's strategies, identical days",
        "",
        "Uneven: (max - min) / mean of handled minutes per signed-in hour among the holders of a skill, mean over the"
        " skills with at least 100 offers; in brackets the mean over weeks. `calls`: the same for handled calls.",
        "",
        "| city | load | calls/day | policy | answered | mean wait s | p90 s | > 300 s | uneven | calls |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in rows:
        for name, found in each["policies"].items():
            weekly = found["uneven_minutes_weekly"]
            lines.append(
                f"| {each['city']} | {each['load']} | {each['calls_a_day']} | {name} "
                f"| {100 * found['answer_rate']:.2f} % | {found['wait_mean_s']} | {found['wait_p90_s']} "
                f"| {100 * found['waits_over_300_s']:.2f} % | {found['uneven_minutes']:.3f} "
                f"({'–' if weekly is None else format(weekly, '.3f')}) | {found['uneven_calls']:.3f} |"
            )
        lines.append(
            f"| {each['city']} | {each['load']} | | *bound* | {100 * each['bound_answer_rate']:.2f} % | | | "
            f"| {each['bound_uneven_minutes']:.3f} | |"
        )
    lines += [
        "",
        "| city | load | days | answered, ours − best built-in, points (95 %) | best | uneven, ours ÷ best |",
        "|---|---|---|---|---|---|",
    ]
    for each in rows:
        mean, low, high = (100 * value for value in each["answer_rate_difference"])
        lines.append(
            f"| {each['city']} | {each['load']} | {each['days']} | {mean:+.2f} ({low:+.2f} … {high:+.2f}) "
            f"| {each['best_built_in_by_answers']} | {each['uneven_ratio']:.2f} |"
        )
    return "\n".join(lines) + "\n"
