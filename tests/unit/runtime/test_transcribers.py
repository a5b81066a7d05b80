"""How many recordings a node transcribes side by side."""

from __future__ import annotations

import pytest

from core.errors import ToritsugiError
from runtime.transcribing import WORKERS_VARIABLE, workers_of_this_node

pytestmark = pytest.mark.unit


def test_a_node_may_leave_its_recordings_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS_VARIABLE, "0")
    assert workers_of_this_node() == 0
    monkeypatch.delenv(WORKERS_VARIABLE)
    assert workers_of_this_node() >= 1


@pytest.mark.parametrize("text", ["-1", "65", "二", "1.5"])
def test_what_is_no_number_of_workers_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(WORKERS_VARIABLE, text)
    with pytest.raises(ToritsugiError, match=WORKERS_VARIABLE):
        workers_of_this_node()
