"""What the configuration cannot carry is refused before it is stored: it would keep the centre from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ToritsugiError
from runtime.people import add_operator, add_trunk, list_operators, list_trunks

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path))
    monkeypatch.delenv("TORITSUGI_DATABASE_URL", raising=False)


def silent(_text: str) -> None:
    """Nobody reads it."""


@pytest.mark.parametrize(
    ("number", "skill"),
    [
        ("１０１", "card=3"),
        ("١٢٣", "card=3"),
        ("101\n", "card=3"),
        ("1", "card=3"),
        ("101", "card=²"),
        ("101", "card=３"),
    ],
)
async def test_an_operator(number: str, skill: str) -> None:
    with pytest.raises(ToritsugiError):
        await add_operator("matsusaka", number, "青木", [skill], ("ja",), silent, silent)
    assert await list_operators("matsusaka") == []


@pytest.mark.parametrize("name", ["x]y", "a\n[b]", "op101", "transport-udp", "回線", "", "x" * 65])
async def test_a_trunk(name: str) -> None:
    with pytest.raises(ToritsugiError):
        await add_trunk("matsusaka", name, "192.0.2.1", "", silent)
    assert await list_trunks("matsusaka") == []


async def test_a_new_home_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path / "home"))
    await list_operators("matsusaka")
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0
