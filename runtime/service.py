"""`up`, `down`, `status`, and the engine process itself."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from core.keys import key_source
from core.settings import settings_from
from runtime.alert_commands import watch_engine
from runtime.instance import Instance, carried_environment, remember
from runtime.process import alive, read_json, require_free_ports, run_folder
from runtime.remembered import remembered_desk
from runtime.tools import bring_tools
from runtime.warden import Warden

DOWN_WITHIN_S = 30.0


async def serve(city: str | None, say: Callable[[str], None]) -> int:
    """Run one city's centre in the foreground until SIGTERM or Ctrl-C."""
    instance = Instance.open(city=city)
    running = read_json(run_folder(instance.settings) / "warden.json").get("pid")
    if alive(running):
        say(f"もう動いています (pid {running})。止めるには toritsugi down です。")
        return 1
    bring_tools("up", instance.settings.tools)
    os.umask(0o077)  # inherited by Asterisk, whose logs and recordings are personal data
    left = instance.asterisk().left_running()
    require_free_ports(instance.settings, but_asterisk=left is not None)
    chosen = str(city or instance.settings.city)
    remember(instance.settings, chosen)
    if not ipaddress.ip_address(instance.settings.sip_host).is_loopback:
        say("注意: 電話の音声と信号は暗号化されません。信頼できる網の中だけで使ってください。")
    if key_source(instance.settings.home).load().current is None:
        say(
            "注意: 鍵がないので、録音は暗号化されません。toritsugi keys create で作ると、すぐに暗号化が始まります。"
        )
    say(f"{instance.profile.city.name_ja}の準備をしています。")
    asterisk, prefix = await instance.prepare(say)
    await instance.database.close()
    environment = carried_environment(instance.settings) | {
        "TORITSUGI_CITY": str(city or instance.settings.city)
    }
    warden = Warden(instance.settings, asterisk, environment)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, warden.stop)
    announce = asyncio.create_task(_announce(warden, instance, prefix.version, say))
    watch = asyncio.create_task(watch_engine(instance))
    try:
        await warden.run()
    finally:
        announce.cancel()
        watch.cancel()
    say("止まりました。")
    return 0


async def _announce(warden: Warden, instance: Instance, version: str, say: Callable[[str], None]) -> None:
    await warden.ready.wait()
    settings = instance.settings
    numbers = "、".join(instance.profile.numbers.service)
    say(f"受付中です。Asterisk {version}、SIP {settings.sip_host}:{settings.sip_port}、着信番号 {numbers}")
    if settings.http_port:
        say(f"画面は {remembered_desk(settings).origin} です (利用者は toritsugi user add で加えます)。")


def stop_service(say: Callable[[str], None]) -> int:
    """End the running centre of this instance."""
    settings = settings_from()
    pid = int(read_json(run_folder(settings) / "warden.json").get("pid") or 0)
    if not alive(pid):
        say("動いていません。")
        return 1
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_WITHIN_S
    while alive(pid):
        if time.monotonic() > deadline:
            say(f"{DOWN_WITHIN_S:.0f} 秒たっても止まりません (pid {pid})。")
            return 1
        time.sleep(0.1)
    say("止めました。")
    return 0


async def status_of(city: str | None) -> dict[str, Any]:
    """What runs, what waits, the transcription backlog, and the recordings in which a secret is or was audible."""
    instance = Instance.open(city=city)
    folder = run_folder(instance.settings)
    warden, live = read_json(folder / "warden.json"), read_json(folder / "live.json")
    backlog: dict[str, int] = {}
    muting: dict[str, int] = {}
    with contextlib.suppress(Exception):
        async with instance.database.reading() as unit:
            backlog = {state.value: number for state, number in (await unit.jobs.counts()).items()}
            muting = await unit.mutes.counts(time.time())
    await instance.database.close()
    running = alive(warden.get("pid"))
    alerts, parent = read_json(folder / "alerts.json"), read_json(folder / "alerts-parent.json")
    age = round(time.time() - live["at"], 1) if "at" in live else None
    return {
        "city": instance.profile.city.id,
        "running": running,
        "processes": warden if running else {},
        "live": {**live, "age_s": age} if running and live else {},
        "transcription": backlog,
        "muting": muting,
        "alerts": {**alerts, "parent": parent} if running and alerts else {},
    }


async def run_engine(city: str | None) -> None:
    """The engine process: started by the parent, ends on SIGTERM."""
    instance = Instance.open(city=city)
    engine = await instance.engine()
    try:
        await engine.run()
    finally:
        await instance.database.close()
