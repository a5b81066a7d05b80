"""`operator` and `trunk` commands: who may work, and where calls may come from."""

from __future__ import annotations

import getpass
import ipaddress
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from acd.channels import Channel, caps_of
from acd.directory_profile import DirectoryEntry
from asterisk_conf.embedded import AsteriskDown
from asterisk_conf.from_city import paths_for
from asterisk_conf.model import Trunk
from core.errors import ToritsugiError
from core.hours import at_minute
from core.ids import OperatorId
from runtime.install.asterisk import ensure_asterisk
from runtime.instance import CALLED_IN_BY_HAND, OPERATORS_VERSION, Instance, new_operator
from services.ports import AuditEntry, OperatorAccount, StaffPhone, TrunkPeer, UnitOfWork


def _skills(texts: Sequence[str]) -> dict[str, int]:
    skills: dict[str, int] = {}
    for text in texts:
        line, sign, level = text.partition("=")
        if not sign or not re.fullmatch(r"[0-9]{1,3}", level):
            raise ToritsugiError(f"読めません: {text!r}", where="--skill", cure="技能=レベル。例: booking=3")
        skills[line] = int(level)
    return skills


async def _apply(instance: Instance, say: Callable[[str], None]) -> None:
    """Make a running Asterisk take up what was just stored; without one the next start does."""
    prefix = ensure_asterisk(instance.settings.tools)
    paths = paths_for(instance.settings, modules=prefix.modules, data=prefix.data)
    if not paths.etc.exists():
        return
    await instance.render(paths)
    asterisk = instance.asterisk()
    try:
        for command in ("module reload res_pjsip.so", "dialplan reload"):
            await asterisk.cli(command)
    except AsteriskDown:
        say("いまは動いていません。次に始めた時から効きます。")


async def _changed(
    unit: UnitOfWork,
    instance: Instance,
    action: str,
    account: OperatorAccount,
    detail: dict[str, Any],
    actor: str = "",
) -> None:
    """Write down who changed what (by default who is at this terminal), and let the running engine know."""
    actor = actor or whoever()
    await unit.audit.add(
        AuditEntry(at=instance.clock.epoch(), actor=actor, action=action, subject=account.id, detail=detail)
    )
    await unit.settings.put(OPERATORS_VERSION, secrets.token_hex(8))


async def add_operator(
    city: str | None,
    number: str,
    name: str,
    skill: Sequence[str],
    languages: tuple[str, ...],
    out: Callable[[str], None],
    say: Callable[[str], None],
    *,
    group: str = "",
    browser: bool = False,
) -> None:
    instance = Instance.open(city=city)
    await instance.database.migrate()
    account = new_operator(instance.profile, number, name, _skills(skill), languages, group)
    account = replace(account, browser=browser)
    async with instance.database.uow() as unit:
        if await unit.operators.get(account.id) is not None:
            raise ToritsugiError(f"もうある番号です: {number}", where="番号", cure="別の番号にする")
        await unit.operators.put(account)
        await _changed(
            unit, instance, "operator.add", account,
            {"skills": dict(account.skills), "group": group, "telephone": _telephone(account)},
        )  # fmt: skip
    await _apply(instance, say)
    await instance.database.close()
    _tell_telephone(instance, account, out, say)


def _telephone(account: OperatorAccount) -> str:
    return "browser" if account.browser else "sip"


def _tell_telephone(
    instance: Instance, account: OperatorAccount, out: Callable[[str], None], say: Callable[[str], None]
) -> None:
    """How the operator comes to a telephone."""
    settings = instance.settings
    if account.browser:
        say("電話機は要りません。画面にサインインし、「電話を開く」を押してください。")
        say(
            f"まだ利用者でなければ: toritsugi user add NAME --role operator --name 氏名 --operator {account.id}"
        )
        return
    say("電話機 (SIP) には次の値を入れてください。合言葉を示すのは今だけです。")
    out(f"server: {settings.sip_host}:{settings.sip_port}")
    out(f"user: op{account.id}")
    out(f"password: {account.sip_secret}")
    say("登録できたら *11 でサインイン、*12 で終了、*13 で受付可、*21 から *29 で離席です。")


async def _account(unit: UnitOfWork, number: str) -> OperatorAccount:
    """Raises ToritsugiError when nobody has this number."""
    account = await unit.operators.get(OperatorId(number))
    if account is None:
        raise ToritsugiError(
            f"いない番号です: {number}", where="番号", cure="toritsugi operator list で確かめる"
        )
    return account


async def _change(
    instance: Instance,
    number: str,
    what: str,
    changed: Callable[[OperatorAccount], OperatorAccount],
    shown: Callable[[OperatorAccount], Any],
    actor: str = "",
) -> None:
    """Change an account, write down what `shown` says of it before and after, and let the engine know."""
    await instance.database.migrate()
    async with instance.database.uow() as unit:
        account = await _account(unit, number)
        new = changed(account)
        await unit.operators.put(new)
        await _changed(
            unit,
            instance,
            f"operator.{what}",
            account,
            {"before": shown(account), "after": shown(new)},
            actor,
        )


async def set_skills(city: str | None, number: str, skill: Sequence[str], say: Callable[[str], None]) -> None:
    instance = Instance.open(city=city)
    await change_skills(instance, number, _skills(skill), say)
    await instance.database.close()
    say("改めました。サインイン中の人にも、次の呼び出しから効きます。")


async def change_skills(
    instance: Instance, number: str, skills: dict[str, int], say: Callable[[str], None], *, actor: str = ""
) -> None:
    """Give an operator these skills and no others, also in a running Asterisk.

    Raises:
        ToritsugiError: nobody has this number, or the city has no such skill or level.
    """

    def changed(account: OperatorAccount) -> OperatorAccount:
        checked = new_operator(instance.profile, number, account.name, skills, account.languages)
        return replace(account, skills=checked.skills)

    await _change(instance, number, "skills", changed, lambda account: dict(account.skills), actor)
    await _apply(instance, say)


async def set_group(city: str | None, number: str, group: str, say: Callable[[str], None]) -> None:
    """Let an operator stand by in a group; an empty one ends it."""
    instance = Instance.open(city=city)

    def changed(account: OperatorAccount) -> OperatorAccount:
        new_operator(instance.profile, number, account.name, dict(account.skills), account.languages, group)
        return replace(account, group=group)

    await _change(instance, number, "group", changed, lambda account: account.group)
    await _apply(instance, say)
    await instance.database.close()
    say(f"応援の組「{group}」で待機します。" if group else "待機をやめ、いつも受付をします。")


async def set_supervisor(city: str | None, number: str, supervisor: bool, say: Callable[[str], None]) -> None:
    instance = Instance.open(city=city)
    await _change(
        instance, number, "role", lambda account: replace(account, supervisor=supervisor),
        lambda account: "supervisor" if account.supervisor else "operator",
    )  # fmt: skip
    await _apply(instance, say)
    await instance.database.close()
    say("監督者にしました。" if supervisor else "監督者から外しました。")


async def set_browser(
    city: str | None, number: str, browser: bool, out: Callable[[str], None], say: Callable[[str], None]
) -> None:
    """Make a browser at the desk somebody's telephone, or a SIP telephone again; the old password ends either way."""
    instance = Instance.open(city=city)
    secret = secrets.token_urlsafe(18)
    await _change(
        instance, number, "telephone",
        lambda account: replace(account, browser=browser, sip_secret=secret), _telephone,
    )  # fmt: skip
    await _apply(instance, say)
    async with instance.database.reading() as unit:
        account = await _account(unit, number)
    await instance.database.close()
    _tell_telephone(instance, account, out, say)


def _counts(texts: Sequence[str], example: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for text in texts:
        name, sign, count = text.partition("=")
        if not sign or not re.fullmatch(r"[0-9]", count):
            raise ToritsugiError(
                f"読めません: {text!r}", where="件数", cure=f"チャネル=件数(0–9)。例: {example}"
            )
        counts[name] = int(count)
    return counts


async def set_caps(city: str | None, number: str, caps: Sequence[str], say: Callable[[str], None]) -> None:
    """How much an operator may have in hand at once, by channel; none named makes it the default again."""
    wanted = _counts(caps, "video=2")
    try:
        caps_of(wanted)
    except ValueError as problem:
        raise ToritsugiError(
            f"上限にできません: {problem}", where="件数",
            cure="telephone は 0 か 1、video は 0 から 9、together (合わせて) は 1 から 9",
        ) from problem  # fmt: skip
    instance = Instance.open(city=city)
    await _change(
        instance,
        number,
        "caps",
        lambda account: replace(account, caps=wanted),
        lambda account: dict(account.caps),
    )
    await instance.database.close()
    say("改めました。サインイン中の人にも、次の呼び出しから効きます。")


async def set_in_hand(
    city: str | None, number: str, counts: Sequence[str], say: Callable[[str], None]
) -> None:
    """What an operator serves now on channels other than the telephone."""
    wanted = _counts(counts, "video=1")
    others = sorted(channel.value for channel in Channel if channel is not Channel.TELEPHONE)
    for name in wanted:
        if name not in others:
            raise ToritsugiError(
                f"電話のほかのチャネルではありません: {name}",
                where="件数",
                cure=f"次のどれか: {', '.join(others)}",
            )
    instance = Instance.open(city=city)
    in_hand = {name: count for name, count in wanted.items() if count}
    await _change(
        instance, number, "in_hand", lambda account: replace(account, in_hand=in_hand),
        lambda account: dict(account.in_hand),
    )  # fmt: skip
    await instance.database.close()
    say("電話のほかの受持ちを控えました。" if in_hand else "電話のほかの受持ちはありません。")


def whoever() -> str:
    """Who is at this terminal."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


async def called_in_by_hand(instance: Instance, group: str, called: bool, by: str) -> str:
    """Call a group in, or leave it to the guard again; a running engine sees it within a second.

    Returns:
        the group's name.

    Raises:
        ToritsugiError: there is no such group.
    """
    groups = instance.profile.acd.guard.groups
    if group not in groups:
        raise ToritsugiError(
            f"ない組です: {group}",
            where="組",
            cure=f"次のどれか: {', '.join(sorted(groups))}"
            if groups
            else "プロファイルの [acd.guard] に groups を書く",
        )
    async with instance.database.uow() as unit:
        known = set(json.loads(await unit.settings.get(CALLED_IN_BY_HAND) or "[]"))
        wanted = known | {group} if called else known - {group}
        await unit.settings.put(CALLED_IN_BY_HAND, json.dumps(sorted(wanted)))
        await unit.audit.add(
            AuditEntry(
                at=instance.clock.epoch(),
                actor=by,
                action="guard.by_hand" if called else "guard.by_hand_over",
                subject=group,
            )
        )
    return groups[group]


async def call_in_by_hand(city: str | None, group: str, called: bool, say: Callable[[str], None]) -> None:
    """`guard call-in` and `guard release`."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    name = await called_in_by_hand(instance, group, called, whoever())
    await instance.database.close()
    say(f"{name}を呼び込みます。" if called else f"{name}は、落ち着いたら待機に戻ります。")


async def audit_rows(city: str | None, since: date, until: date | None) -> list[dict[str, Any]]:
    """Who changed what, and the guard's steps, from the day `since` to the day before `until`."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        entries = await unit.audit.between(
            at_minute(since, 0).timestamp(),
            at_minute(until, 0).timestamp() if until else instance.clock.epoch() + 1,
        )
    await instance.database.close()
    return [
        {
            "at": round(entry.at, 3),
            "time": instance.clock.city_time_of(entry.at).isoformat(timespec="seconds"),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": dict(entry.detail),
        }
        for entry in entries
    ]


async def list_operators(city: str | None) -> list[dict[str, Any]]:
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        accounts = await unit.operators.list()
    await instance.database.close()
    return [
        {
            "id": account.id,
            "name": account.name,
            "skills": dict(account.skills),
            "languages": list(account.languages),
            "active": account.active,
            "group": account.group,
            "caps": dict(account.caps),
            "in_hand": dict(account.in_hand),
            "telephone": _telephone(account),
        }
        for account in accounts
    ]


async def add_staff(
    city: str | None, endpoint: str, out: Callable[[str], None], say: Callable[[str], None]
) -> None:
    """A telephone of a city office; a new password when there is one already."""
    instance = Instance.open(city=city)
    known = sorted(entry.endpoint for entry in instance.profile.acd.directory if entry.endpoint)
    if endpoint not in known:
        raise ToritsugiError(
            f"転送先一覧にない電話機です: {endpoint}", where="電話機",
            cure=f"次のどれか: {', '.join(known)}" if known else "プロファイルの [[acd.directory]] に endpoint を書く",
        )  # fmt: skip
    await instance.database.migrate()
    phone = StaffPhone(endpoint=endpoint, sip_secret=secrets.token_urlsafe(18))
    async with instance.database.uow() as unit:
        await unit.staff_phones.put(phone)
    await _apply(instance, say)
    await instance.database.close()
    say("電話機 (SIP) には次の値を入れてください。合言葉を示すのは今だけです。")
    out(f"server: {instance.settings.sip_host}:{instance.settings.sip_port}")
    out(f"user: {endpoint}")
    out(f"password: {phone.sip_secret}")


def is_open(entry: DirectoryEntry, instance: Instance) -> bool:
    """Whether a department takes calls at this moment of the city's clock."""
    hours = entry.opening_hours(instance.profile.hours)
    return hours is None or hours.state_at(instance.clock.city_now()).open


async def list_staff(city: str | None) -> list[dict[str, Any]]:
    """The directory: who takes which calls when, and whether a telephone of ours has its password."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        ready = {phone.endpoint for phone in await unit.staff_phones.list()}
    await instance.database.close()
    return [
        {"extension": entry.extension, "name": entry.name_ja, "telephone": entry.endpoint,
         "number": entry.number, "people": list(entry.people), "receives": list(entry.receives),
         "open": is_open(entry, instance), "deputy": entry.deputy, "direct": entry.direct,
         "ready": entry.endpoint is None or entry.endpoint in ready}
        for entry in instance.profile.acd.directory
    ]  # fmt: skip


async def add_trunk(
    city: str | None, name: str, match: str, contact: str, say: Callable[[str], None]
) -> None:
    try:
        ipaddress.ip_network(match, strict=False)
    except ValueError as problem:
        raise ToritsugiError(
            f"アドレスではありません: {match!r}", where="--match", cure="例: 192.0.2.10 または 192.0.2.0/28"
        ) from problem
    # Checked before it is stored: a name that cannot be rendered would keep the centre from starting ever after.
    Trunk(name=name, match=(match,), contact=contact)
    if re.match(r"op[0-9]|transport-", name):
        raise ToritsugiError(
            f"電話機などの名前と重なります: {name}", where="名前", cure="別の名前にする。例: carrier"
        )
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.uow() as unit:
        await unit.trunks.put(TrunkPeer(name=name, match=match, contact=contact))
    await _apply(instance, say)
    await instance.database.close()
    say(f"{match} からの電話を受けます。")
    if contact:
        say(f"転送と折り返しの電話は {contact} へかけます。")


async def list_trunks(city: str | None) -> list[dict[str, Any]]:
    instance = Instance.open(city=city)
    await instance.database.migrate()
    async with instance.database.reading() as unit:
        trunks = await unit.trunks.list()
    await instance.database.close()
    return [{"name": trunk.name, "match": trunk.match, "contact": trunk.contact} for trunk in trunks]
