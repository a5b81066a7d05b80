"""The `webhooks` commands: the systems that are told of cases and calls."""

from __future__ import annotations

import secrets
from typing import Any

from core.errors import ToritsugiError
from interactions.profile import WebhookSection
from notify.event_post import EventPoster
from runtime.instance import Instance
from services.alerting import NotTold
from services.case_events import SCHEMA
from services.case_ports import EventState
from services.event_sender import revived

SHOWN = 200


async def webhook_rows(city: str | None, *, dead: bool) -> list[dict[str, Any]]:
    """The profile's systems with what waits for them; with `dead` the events that were given up."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        counts = await unit.outbox.counts()
        given_up = await unit.outbox.listed([EventState.DEAD], SHOWN) if dead else []
    await instance.database.close()
    if dead:
        return [
            {
                "event": each.event_id,
                "webhook": each.endpoint,
                "kind": each.kind,
                "subject": each.subject,
                "at": each.at,
                "tries": each.tries,
                "error": each.error,
            }
            for each in given_up
        ]
    return [
        {
            "webhook": each.id,
            "url": _host_of(each),
            "events": [kind.value for kind in each.events],
            "personal_data": each.personal_data,
            "secret_file": str(instance.settings.home / "secrets" / f"webhook-{each.id}"),
            **{state.value: counts.get((each.id, state), 0) for state in EventState},
        }
        for each in instance.profile.interactions.webhooks
    ]


def _host_of(endpoint: WebhookSection) -> str:
    """The address without its query, which may hold a token."""
    return endpoint.url.partition("?")[0]


async def try_webhook(city: str | None, name: str) -> dict[str, Any]:
    """One trial event to one system, or to all; what became of it."""
    instance = Instance.open(city=city)
    endpoint = _endpoint(instance, name)
    poster = EventPoster(lambda each: instance.secret(f"webhook-{each}"), instance.clock)
    event = {
        "schema": SCHEMA,
        "event_id": f"test-{secrets.token_hex(8)}",
        "kind": "test",
        "at": instance.clock.epoch(),
        "city": instance.profile.city.id,
        "data": {},
    }
    try:
        await poster.post(endpoint, event)
    except NotTold as problem:
        return {"webhook": name, "ok": False, "problem": str(problem)}
    return {"webhook": name, "ok": True, "problem": ""}


async def retry_webhook(city: str | None, event_id: str) -> int:
    """Have one given-up event, or all, tried anew; how many."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    now = instance.clock.epoch()
    count = 0
    async with instance.database.uow() as unit:
        if event_id != "all":
            event = await unit.outbox.get(event_id)
            if event is None or event.state is not EventState.DEAD:
                raise ToritsugiError(
                    f"諦めた知らせの中にありません: {event_id}",
                    where="event",
                    cure="toritsugi webhooks list --dead で確かめる",
                )
            await unit.outbox.put(revived(event, now))
            count = 1
        else:
            while given_up := await unit.outbox.listed([EventState.DEAD], SHOWN):
                for event in given_up:
                    await unit.outbox.put(revived(event, now))
                count += len(given_up)
    await instance.database.close()
    return count


def _endpoint(instance: Instance, name: str) -> WebhookSection:
    known = {each.id: each for each in instance.profile.interactions.webhooks}
    if name not in known:
        raise ToritsugiError(
            f"ない送り先です: {name}",
            where="送り先",
            cure=f"次のどれか: {', '.join(known)}"
            if known
            else "プロファイルに [[interactions.webhooks]] を書く",
        )
    return known[name]
