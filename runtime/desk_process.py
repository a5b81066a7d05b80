"""The desk's own process: the web server on the instance's database and floor. Its death costs no call."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import logging
import os
import signal
import ssl
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.errors import ToritsugiError
from desk.app import make_app
from desk.hub import Hub
from desk.looks import Looks
from desk.secrets_kept import Passwords, Sealer
from desk.settings import OWN_CERTIFICATE, DeskSettings, desk_settings_from
from desk.sign_in import SignIn
from desk.throttle import Throttle
from desk.visit import Desk
from reports.answer_rates import rule_named
from runtime.alert_senses import AnswersSoFar
from runtime.alerting import DESKS_KINDS, keeper_for, notifiers
from runtime.case_commands import case_desk
from runtime.desk_control import EngineControl
from runtime.desk_papers import CityPapers
from runtime.faq import faq_search
from runtime.guess_watch import GuessWatch
from runtime.install.web import ensure_web
from runtime.instance import Instance
from runtime.live_floor import LiveFloor
from runtime.process import BEAT_EVERY_S, beat, beat_path
from runtime.records import deadline
from services.alerting import Channel
from services.faq_desk import FaqDesk

log = logging.getLogger(__name__)

CERTIFICATE_DAYS = 397
"""The longest that browsers accept."""
GRACE_S = 2.0


def desk_for(instance: Instance, settings: DeskSettings, passwords: Passwords | None = None) -> Desk:
    """The desk of an instance, not yet served."""
    profile, clock, database = instance.profile, instance.clock, instance.database
    rule = rule_named(profile.reports.rule_on(clock.city_now().date()), profile.acd.targets.short_abandon_s)
    live, answers = LiveFloor(instance.settings), AnswersSoFar(database.reading, clock, rule)
    cases = case_desk(instance)
    return Desk(
        settings=settings,
        profile=profile,
        clock=clock,
        reading=database.reading,
        uow=database.uow,
        sign_in=SignIn(
            uow=database.uow,
            reading=database.reading,
            clock=clock,
            settings=settings,
            passwords=passwords or Passwords(),
            sealer=Sealer(instance.secret("desk")),
            throttle=Throttle(),
            centre=profile.city.centre_ja,
        ),
        control=EngineControl(instance),
        cases=cases,
        papers=CityPapers(profile),
        live=live,
        answers=answers.now,
        due_of=lambda moment: deadline(profile.hours, clock, moment),
        recordings=instance.settings.recordings,
        looks=Looks(profile, ensure_web(instance.settings.tools), clock.city_time_of),
        hub=Hub(
            live=live,
            reading=database.reading,
            clock=clock,
            profile=profile,
            rule=rule,
            answers=answers.now,
        ),
        faq=FaqDesk(
            reading=database.reading,
            uow=database.uow,
            clock=clock,
            search=faq_search(instance.settings, log.info),
            cases=cases,
        ),
        wire=f"http://127.0.0.1:{instance.settings.wire_port}/ws",
    )


def guess_watch(instance: Instance) -> GuessWatch:
    """Tells of guessing, on the channels of the alerts."""
    settings, profile, clock = instance.settings, instance.profile, instance.clock
    keeper = keeper_for(
        profile,
        DESKS_KINDS,
        reading=instance.database.reading,
        uow=instance.database.uow,
        clock=clock,
        channels=[Channel(each, clock) for each in notifiers(settings, profile, clock, instance.secret)],
    )
    return GuessWatch(keeper, clock)


async def run_desk(city: str | None) -> None:
    """The process: started by the parent, ends on SIGTERM."""
    instance = Instance.open(city=city)
    settings = desk_settings_from(instance.settings.http_port)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await instance.database.migrate()
    desk = desk_for(instance, settings)
    watch = guess_watch(instance)
    desk.sign_in.on_guessing = watch.hear
    watching = asyncio.create_task(watch.run(), name="guesses")
    runner = web.AppRunner(
        make_app(desk),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=GRACE_S,
    )
    await runner.setup()
    try:
        site = web.TCPSite(
            runner, settings.host, settings.port, ssl_context=_tls(settings, instance.settings.home)
        )
        await site.start()
        path = beat_path(instance.settings, "desk")
        while not stop.is_set():
            beat(path)
            try:
                async with asyncio.timeout(BEAT_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                pass
    finally:
        watching.cancel()
        await runner.cleanup()
        await instance.database.close()


def _tls(settings: DeskSettings, home: Path) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    certificate, key = Path(settings.certificate), Path(settings.certificate_key)
    if settings.certificate == OWN_CERTIFICATE:
        certificate = key = own_certificate(home, settings)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise ToritsugiError(
            f"証明書が読めません: {problem}",
            where="TORITSUGI_TLS_CERT, TORITSUGI_TLS_KEY",
            cure="PEM 形式で、証明書と鍵が組になっているか確かめる",
        ) from problem
    return context


def own_certificate(home: Path, settings: DeskSettings) -> Path:
    """A certificate signed by itself, with its key in one file for its owner's eyes; made anew before it ends."""
    path = home / "secrets" / "desk-tls.pem"
    now = dt.datetime.now(dt.UTC)
    if path.exists():
        kept = x509.load_pem_x509_certificate(path.read_bytes())
        names = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if kept.not_valid_after_utc > now + dt.timedelta(days=14) and _named(settings) in list(names):
            return path
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, settings.host_name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([_named(settings)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
    partial.replace(path)
    return path


def _named(settings: DeskSettings) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(settings.host_name))
    except ValueError:
        return x509.DNSName(settings.host_name)
