"""The databases that the storage contract runs on: SQLite always, PostgreSQL where a server is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.settings import settings_from
from runtime.install.errors import InstallError
from runtime.install.postgres import find_postgres, without_root
from storage.database import Database

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "ledger"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a throw-away PostgreSQL server."""
    programs = find_postgres(settings_from().tools)
    if programs is None:
        pytest.skip("no PostgreSQL server installed: the storage contract ran on SQLite only")
    folder = Path(tempfile.mkdtemp(prefix="toritsugi-pg-"))
    try:
        prefix = without_root(programs, folder)
    except InstallError as error:
        pytest.skip(f"the storage contract ran on SQLite only: {error.english}")
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"cwd": folder, "env": {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}}
    subprocess.run(
        [
            *prefix,
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "toritsugi",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
        ],
        check=True,
        capture_output=True,
        **quiet,  # type: ignore[call-overload]
    )
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    control = [*prefix, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    log = str(folder / "log")
    subprocess.run([*control, "-l", log, "-o", options, "start"], check=True, capture_output=True, **quiet)  # type: ignore[call-overload]
    try:
        yield f"postgresql+asyncpg://toritsugi@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], capture_output=True, **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'new' / 'toritsugi.db'}"
    server: str = request.getfixturevalue("postgresql")
    name = f"t{uuid4().hex}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return server.rpartition("/")[0] + f"/{name}"


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    """A database with our tables."""
    database = Database(empty_url)
    await database.migrate()
    yield database
    await database.close()
