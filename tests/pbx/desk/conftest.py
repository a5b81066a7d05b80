"""One centre for all stories of a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from handover import Handover


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Handover]:
    made = await Handover.open(tmp_path_factory.mktemp("handover"))
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def city(shared: Handover) -> AsyncIterator[Handover]:
    yield shared
    await shared.centre.leave()
