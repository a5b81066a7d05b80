"""Stories on real Asterisk. One centre serves all stories of a run; those that break it make their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from centre import PROFILE, Centre, eventually, free_ports

from services.city import load_city
from storage.database import Database

GUARDED_PROFILE = Path(__file__).parent / "mihari.toml"
SKILLS = {"card": 4, "portal": 4}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A story's time includes the start of its centre, which may have to make prompts first."""
    for item in items:
        if "pbx" in item.keywords and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


async def new_centre(
    home: Path,
    operators: tuple[str, ...] = ("101", "102", "103"),
    *,
    profile: Path = PROFILE,
    skills: Mapping[str, Mapping[str, int]] | None = None,
    groups: Mapping[str, str] | None = None,
) -> Centre:
    """`skills` names the operators and what they know, instead of `operators`."""
    home.mkdir(exist_ok=True)
    centre = Centre(
        home=home,
        ports=free_ports(5),
        database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        profile=str(profile),
    )
    await centre.start(skills or dict.fromkeys(operators, SKILLS), groups)
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


GUARDED = {
    "101": {"stages": 5, "early": 5, "crowd": 5, "ladder": 5},
    "102": {"stages": 3, "early": 1, "crowd": 5, "ladder": 1},
    "103": {"stages": 1, "early": 1},
    "104": {"stages": 1},
    "301": {"crowd": 5},
    "302": {"crowd": 5},
    "303": {"ladder": 5},
}
GROUPS = {"301": "booth", "302": "booth", "303": "responsible"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    home = tmp_path_factory.mktemp("guarded")
    made = await new_centre(home, profile=GUARDED_PROFILE, skills=GUARDED, groups=GROUPS)
    yield made
    await made.stop()
    _keep(home)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def consulting_alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    made = await new_centre(tmp_path_factory.mktemp("consulting"), skills={"101": {"consult": 4}})
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def consulting(consulting_alone: Centre) -> AsyncIterator[Centre]:
    """One operator, of the line that lets its callers wait longest; left as it was found."""
    yield consulting_alone
    await consulting_alone.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(shared_guarded: Centre) -> AsyncIterator[Centre]:
    """One centre for the stories of relaxing and guarding; left as it was found."""
    yield shared_guarded
    await shared_guarded.leave()
    await eventually(lambda: not shared_guarded.live().get("called_in"), what="no group called in")


@pytest_asyncio.fixture(loop_scope="session")
async def own_guarded(tmp_path: Path) -> AsyncIterator[Centre]:
    """As `guarded`, for one story that breaks it."""
    made = await new_centre(tmp_path / "guarded", profile=GUARDED_PROFILE, skills=GUARDED, groups=GROUPS)
    yield made
    await made.stop()
    _keep(tmp_path / "guarded")


@pytest_asyncio.fixture(loop_scope="session")
async def ube(tmp_path: Path) -> AsyncIterator[Centre]:
    """The city of Ube with its seven operators, as its profile has them."""
    city = load_city("ube")
    skills = {operator.id: operator.lines for operator in city.demo.operators}
    made = await new_centre(tmp_path / "ube", profile=city.path, skills=skills)
    yield made
    await made.stop()
    _keep(tmp_path / "ube")


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
