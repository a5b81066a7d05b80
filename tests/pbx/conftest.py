"""Stories on real Asterisk. One centre serves all stories of a run; those that break it make their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from centre import Centre, free_ports

from storage.database import Database

SKILLS = {"card": 4, "portal": 4}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A story's time includes the start of its centre, which may have to make prompts first."""
    for item in items:
        if "pbx" in item.keywords and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


async def new_centre(home: Path, operators: tuple[str, ...] = ("101", "102", "103")) -> Centre:
    home.mkdir(exist_ok=True)
    centre = Centre(
        home=home,
        ports=free_ports(5),
        database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
    )
    await centre.start(dict.fromkeys(operators, SKILLS))
    return centre


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    """One centre for all stories that break nothing."""
    home = tmp_path_factory.mktemp("centre")
    made = await new_centre(home)
    yield made
    await made.stop()
    _keep(home)


@pytest_asyncio.fixture(loop_scope="session")
async def centre(shared_centre: Centre) -> AsyncIterator[Centre]:
    """The shared centre. A story leaves it as it found it: nobody signed in, nobody waiting."""
    yield shared_centre
    await shared_centre.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def own_centre(tmp_path: Path) -> AsyncIterator[Centre]:
    """A centre for one story that kills, stops or restarts parts of it."""
    made = await new_centre(tmp_path / "centre")
    yield made
    await made.stop()
    _keep(tmp_path / "centre")


def _keep(home: Path) -> None:
    kept = os.environ.get("TORITSUGI_KEEP_TEST_LOGS")
    if kept:
        shutil.copytree(home, Path(kept) / home.parent.name, dirs_exist_ok=True)
