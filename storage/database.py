"""The database of one instance: engine, migrations, unit of work."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import ToritsugiError
from interactions.search import INDEX_FORM
from interactions.search_words import PLAIN, Normaliser
from storage.account_stores import SqlSessions, SqlTokens, SqlUsers
from storage.alert_stores import SqlAlerts
from storage.audit_store import SqlAudit
from storage.callback_stores import SqlCallbacks
from storage.case_stores import SqlCases
from storage.desk_stores import SqlOperators, SqlSettings, SqlStaffPhones, SqlTrunks
from storage.erasure import SqlErasures
from storage.faq_stores import SqlFaq
from storage.floor_stores import SqlOffers
from storage.insight_stores import SqlInsights, SqlMutes, SqlQuality
from storage.ledger_stores import SqlCalls, SqlFacts, SqlTails
from storage.outbox_store import SqlOutbox
from storage.retention import SqlRetention
from storage.speech_stores import SqlJobs, SqlRecordings, SqlTranscripts
from storage.ticket_stores import SqlTickets

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
BUSY_TIMEOUT_MS = 15_000
_READ_ONLY = "toritsugi_read_only"
_INDEXED_BY = "cases.indexed_by"
_MERGED_PAGES = 500
_MERGE_PAUSE_S = 0.02
_LOCK = 0x7019  # any number of ours: one migration at a time on PostgreSQL


@dataclass(frozen=True, slots=True)
class SqlUnitOfWork:
    """`services.ports.UnitOfWork` on one connection."""

    connection: AsyncConnection
    facts: SqlFacts
    calls: SqlCalls
    tails: SqlTails
    recordings: SqlRecordings
    jobs: SqlJobs
    transcripts: SqlTranscripts
    mutes: SqlMutes
    insights: SqlInsights
    quality: SqlQuality
    cases: SqlCases
    operators: SqlOperators
    trunks: SqlTrunks
    staff_phones: SqlStaffPhones
    tickets: SqlTickets
    offers: SqlOffers
    audit: SqlAudit
    callbacks: SqlCallbacks
    settings: SqlSettings
    alerts: SqlAlerts
    faq: SqlFaq
    retention: SqlRetention
    outbox: SqlOutbox
    erasures: SqlErasures
    users: SqlUsers
    sessions: SqlSessions
    tokens: SqlTokens


class Database:
    """One database. `uow()` writes, `reading()` sees one moment of it and holds nobody up."""

    def __init__(self, url: str, normalise: Normaliser = PLAIN) -> None:
        """Nothing is opened yet.

        Args:
            url: SQLAlchemy async URL.
            normalise: makes notation variants one in the search of cases; another one has the index made anew.

        Raises:
            ToritsugiError: the URL cannot be read.
        """
        self.url, self._normalise = url, normalise
        self.engine = _engine(url)

    @asynccontextmanager
    async def uow(self) -> AsyncIterator[SqlUnitOfWork]:
        """One writing transaction: leaving the block commits, an exception undoes everything."""
        async with _said_plainly(self.url), self.engine.begin() as connection:
            unit = _unit(connection, self._normalise)
            yield unit
            await unit.audit.flush()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlUnitOfWork]:
        """One reading transaction; what is written in it is undone."""
        async with _said_plainly(self.url), self.engine.connect() as plain:
            connection = await plain.execution_options(**{_READ_ONLY: True})
            async with connection.begin() as transaction:
                yield _unit(connection, self._normalise)
                await transaction.rollback()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """One moment of the whole database, for as long as it takes to read it; nobody is held up."""
        async with _said_plainly(self.url), self.engine.connect() as plain:
            options = {"isolation_level": "REPEATABLE READ"} if plain.dialect.name == "postgresql" else {}
            connection = await plain.execution_options(**{_READ_ONLY: True}, **options)
            async with connection.begin() as transaction:
                yield connection
                await transaction.rollback()

    async def migrate(self, revision: str = "head") -> None:
        """Bring the tables to a version's form, by default to this one's; does nothing when they have it.

        Raises:
            ToritsugiError: the revision is not known here: it is of a newer version.
        """
        if revision == "head" and await self._is_newest():
            return
        async with _said_plainly(self.url), self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_upgrade, revision)
            if revision == "head":
                await self._index_cases(_unit(connection, self._normalise))

    async def _index_cases(self, unit: SqlUnitOfWork) -> None:
        """Make the index of cases anew when it is not of this form: after a migration, or with another normaliser."""
        form = f"{INDEX_FORM}/{self._normalise.name}"
        if await unit.settings.get(_INDEXED_BY) == form:
            return
        await unit.cases.index.clear()
        async for page in unit.cases.stream(float("-inf"), float("inf")):
            await unit.cases.reindex([case.case_id for case in page])
        await unit.settings.put(_INDEXED_BY, form)

    async def forget_words(self) -> None:
        """Have SQLite's index of words lose what was deleted from it, in short writes; see ADR 24."""
        if self.engine.dialect.name != "sqlite":
            return
        pages = -_MERGED_PAGES
        while True:
            async with _said_plainly(self.url), self.engine.begin() as connection:
                before = await connection.scalar(text("SELECT total_changes()"))
                await connection.execute(
                    text("INSERT INTO search_fts (search_fts, rank) VALUES ('merge', :pages)"),
                    {"pages": pages},
                )
                after = await connection.scalar(text("SELECT total_changes()"))
            # One change is the command itself (SQLite's manual of FTS5, 6.8).
            if (after or 0) - (before or 0) < 2:
                return
            pages = _MERGED_PAGES
            await asyncio.sleep(_MERGE_PAUSE_S)

    async def revision(self) -> str | None:
        """The form that the tables have; None when there are none."""
        from alembic.migration import MigrationContext

        async with _said_plainly(self.url), self.engine.connect() as connection:
            return await connection.run_sync(
                lambda plain: MigrationContext.configure(plain).get_current_revision()
            )

    async def index_again(self) -> None:
        """Make the indices anew out of the tables, after rows came in from outside."""
        async with self.uow() as unit:
            await unit.settings.put(_INDEXED_BY, "")
        await self.migrate()

    async def _is_newest(self) -> bool:
        """Whether the tables have this version's form and the cases' index is of this normaliser."""
        async with _said_plainly(self.url), self.engine.connect() as plain:
            connection = await plain.execution_options(**{_READ_ONLY: True})
            if not await connection.run_sync(lambda each: inspect(each).has_table("alembic_version")):
                return False
            found = await connection.scalars(text("SELECT version_num FROM alembic_version"))
            return (
                list(found) == [_newest()]
                and await SqlSettings(connection).get(_INDEXED_BY) == self._normalise.name
            )

    async def empty_wal(self) -> bool:
        """Write SQLite's log into its file and cut it, so that nothing deleted is left in either.

        Returns:
            False when a reader held it up; the next run does it. PostgreSQL overwrites by its own rules.
        """
        if self.engine.dialect.name != "sqlite":
            return True
        async with _said_plainly(self.url), self.engine.connect() as connection:
            # Not through SQLAlchemy's cursor: that would begin a transaction, in which this is refused.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                busy, _log, _moved = await cursor.fetchone()
        return not busy

    async def vacuum(self) -> None:
        """Write the database anew without unused space; on PostgreSQL dead rows are given up for overwriting."""
        async with _said_plainly(self.url), self.engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute("VACUUM")

    async def close(self) -> None:
        await self.engine.dispose()


async def migrate(url: str) -> None:
    """Bring the database at `url` to this version's form.

    Raises:
        ToritsugiError: it cannot be opened.
    """
    database = Database(url)
    try:
        await database.migrate()
    finally:
        await database.close()


def _newest() -> str:
    """The last revision of the chain: the one that no other one follows."""
    texts = [path.read_text(encoding="utf-8") for path in (MIGRATIONS / "versions").glob("[0-9]*.py")]
    named = {key: {m[1] for each in texts if (m := re.search(rf'^{key} = "(.+)"', each, re.MULTILINE))}
             for key in ("revision", "down_revision")}  # fmt: skip
    (last,) = named["revision"] - named["down_revision"]
    return last


def _upgrade(connection: Connection, revision: str) -> None:
    # Alembic starts slowly, and nearly every command finds nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as problem:
        raise ToritsugiError(
            f"知らない版のデータベースです: {revision}", where="データベース", cure="新しい版の取次で開く"
        ) from problem


def _unit(connection: AsyncConnection, normalise: Normaliser) -> SqlUnitOfWork:
    return SqlUnitOfWork(
        connection=connection,
        facts=SqlFacts(connection),
        calls=SqlCalls(connection),
        tails=SqlTails(connection),
        recordings=SqlRecordings(connection),
        jobs=SqlJobs(connection),
        transcripts=SqlTranscripts(connection),
        mutes=SqlMutes(connection),
        insights=SqlInsights(connection),
        quality=SqlQuality(connection),
        cases=SqlCases(connection, normalise),
        operators=SqlOperators(connection),
        trunks=SqlTrunks(connection),
        staff_phones=SqlStaffPhones(connection),
        tickets=SqlTickets(connection),
        offers=SqlOffers(connection),
        audit=SqlAudit(connection),
        callbacks=SqlCallbacks(connection),
        settings=SqlSettings(connection),
        alerts=SqlAlerts(connection),
        retention=SqlRetention(connection, normalise),
        outbox=SqlOutbox(connection),
        erasures=SqlErasures(connection, normalise),
        users=SqlUsers(connection),
        sessions=SqlSessions(connection),
        tokens=SqlTokens(connection),
        faq=SqlFaq(connection),
    )


@asynccontextmanager
async def _said_plainly(url: str) -> AsyncIterator[None]:
    """Turn a lost or unreachable database into an error that says which one, without its password."""
    try:
        yield
    except (OSError, DBAPIError) as problem:
        if isinstance(problem, DBAPIError) and not _is_outage(problem):
            raise
        raise ToritsugiError(
            f"データベースが使えません: {type(problem).__name__}",
            where=make_url(url).render_as_string(hide_password=True),
            cure="データベースの起動、空き容量、TORITSUGI_DATABASE_URL を確かめる",
        ) from problem


def _is_outage(problem: DBAPIError) -> bool:
    return problem.connection_invalidated or type(problem).__name__ in {"OperationalError", "InterfaceError"}


def _engine(url: str) -> AsyncEngine:
    # A statement that fails names its values otherwise, and they are names, numbers and what citizens said.
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            pool = {}
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
                # One or two connections do the work, and the others' page caches (2 MB each) stay small.
                pool = {"pool_use_lifo": True}
            engine = create_async_engine(parsed, hide_parameters=True, **pool)
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
            return engine
        return create_async_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError) as problem:
        raise ToritsugiError(
            "データベースの指定が読めません",
            where="TORITSUGI_DATABASE_URL",
            cure="例: sqlite+aiosqlite:////srv/toritsugi/toritsugi.db, postgresql+asyncpg://…",
        ) from problem


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        # What is deleted is overwritten with zeros, or a caller's number would stay in unused pages for years.
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts reading and then writes fails at once when another has written in between;
    # taking the write lock first waits for it instead.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
