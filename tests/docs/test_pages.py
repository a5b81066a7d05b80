"""The pages of `docs/` name everything that the code has: settings, commands, metrics, the dialplan's words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from acd.commands import Act, Asked, Outcome, Role
from core.facts.dialplan import (
    ENTERED,
    ManagerEvent,
    Next,
    PauseReason,
    SeatVariable,
    StepResult,
    UserEvent,
    Variable,
)
from core.settings import PROJECT_ROOT
from reports.answer_rates import ANSWER_RATE_RULES
from reports.definitions import DEFINITIONS
from runtime.cli import app

pytestmark = pytest.mark.docs

DOCS = PROJECT_ROOT / "docs"
CODE = (
    "acd", "agi_scripts", "asterisk_conf", "benchmarks", "core", "demo", "desk", "faq_kb", "interactions", "ivr",
    "ledger", "reports", "notify", "runtime", "services", "speech", "storage", "telephony", "tests",
)  # fmt: skip
INHERITED_WORDS = {variable.value for variable in Variable} | {"TORITSUGI_OPERATOR", "TORITSUGI_"}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def sources() -> Iterator[Path]:
    for folder in CODE:
        yield from (PROJECT_ROOT / folder).rglob("*.py")
    yield PROJECT_ROOT / "toritsugi"


def words(text: str, prefix: str) -> set[str]:
    return set(re.findall(rf"\b{prefix}[A-Z_]*[A-Z]\b", text))


# ---- settings -------------------------------------------------------------------------------------


def test_every_setting_is_on_the_page_and_no_other() -> None:
    used = set[str]()
    for path in sources():
        used |= words(path.read_text(encoding="utf-8"), "TORITSUGI_")
    told = set(re.findall(r"^\| `(TORITSUGI_[A-Z_]+)`", page("settings.md"), re.MULTILINE))
    assert told == used - INHERITED_WORDS


def test_the_settings_page_tells_the_defaults() -> None:
    from core.settings import settings_from

    text = page("settings.md")
    settings = settings_from({})
    for name, value in (
        ("SIP_PORT", settings.sip_port), ("AMI_PORT", settings.ami_port), ("AGI_PORT", settings.agi_port),
        ("HEP_PORT", settings.hep_port), ("HTTP_PORT", settings.http_port),
        ("WIRE_PORT", settings.wire_port), ("NODE", settings.node),
        ("CITY", settings.city), ("SIP_HOST", settings.sip_host),
        ("RTP_RANGE", "-".join(str(port) for port in settings.rtp_range)),
    ):  # fmt: skip
        assert f"| `TORITSUGI_{name}` | `{value}` |" in text


# ---- the dialplan's words -------------------------------------------------------------------------


def dialplan_text() -> str:
    texts = [path.read_text("utf-8") for path in sorted((PROJECT_ROOT / "dialplans").glob("*.conf"))]
    return "\n".join(texts)


@pytest.mark.parametrize(
    "word",
    [*Variable, *SeatVariable, ENTERED, *UserEvent, *ManagerEvent, *Next, *StepResult, *PauseReason],
)
def test_every_word_of_the_contract_is_on_its_page(word: str) -> None:
    assert f"`{word}`" in page("dialplan-contract.md")


def test_the_dialplan_says_no_other_words() -> None:
    text = dialplan_text()
    assert words(text, "TS_") <= {*UserEvent, *ManagerEvent}
    assert words(text, "TORITSUGI_") <= INHERITED_WORDS


def test_the_contract_page_names_no_event_that_is_gone() -> None:
    told = set(re.findall(r"`(TS_[A-Z_]+)`", page("dialplan-contract.md")))
    assert told == {*UserEvent, *ManagerEvent}


@pytest.mark.parametrize("word", [*SeatVariable, ENTERED, *ManagerEvent])
def test_the_dialplan_knows_what_the_engine_hands_it(word: str) -> None:
    assert re.search(rf"\b{word}\b", dialplan_text())


@pytest.mark.parametrize("word", [*Act, *Role, *Asked, *Outcome])
def test_every_word_of_a_desk_is_on_its_page(word: str) -> None:
    assert f"`{word}`" in page("control-socket.md")


def test_globals_of_a_seat_are_on_the_page() -> None:
    """What the locked lines of the operators' side remember of each seat."""
    used = set(re.findall(r"GLOBAL\((T_[A-Z]+_)", dialplan_text()))
    assert used == {
        "T_STATE_",
        "T_TALK_",
        "T_CALL_",
        "T_LINE_",
        "T_LEG_",
        "T_CITIZEN_",
        "T_TAKER_",
        "T_AFTER_",
        "T_RELAY_",
        "T_SAYING_",
        "T_WHY_",
    }
    assert all(f"`{name}op…`" in page("dialplan-contract.md") for name in used)


def test_payload_keys_are_those_of_the_page() -> None:
    text = page("dialplan-contract.md")
    for name, payload in re.findall(r"CELGenUserEvent\((TS_[A-Z_]+),(.*)\)", dialplan_text()):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        for key in re.findall(r"(?:^|&)([a-z_]+)=", payload):
            assert f"`{key}`" in row, f"{name} writes {key}"


# ---- commands -------------------------------------------------------------------------------------


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Name and command of every command that is shown; typer's own click is not the installed one, hence `Any`."""
    command = command or get_command(app)
    subcommands = getattr(command, "commands", None)
    if subcommands is not None:
        for name, sub in subcommands.items():
            yield from commands(sub, (*path, name))
    elif not command.hidden:
        yield " ".join(path), command


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_is_on_the_page_with_its_options(name: str, command: Any) -> None:
    row = next((r for r in page("commands.md").splitlines() if r.startswith(f"| `{name}` |")), "")
    assert row, f"docs/commands.md has no row for {name}"
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert f"`{parameter.opts[0]}`" in row


def test_the_page_names_no_command_that_is_gone() -> None:
    told = re.findall(r"^\| `([a-z -]+)` \|", page("commands.md"), re.MULTILINE)
    assert sorted(told) == sorted(name for name, _ in commands())


# ---- metrics --------------------------------------------------------------------------------------

METRICS_HEAD = """# Metrics

Every figure of the reports, with the wording that is printed beside it. Intervals are half-open, in Asia/Tokyo, by the
call's arrival; test calls never count. A changed definition gets a new version and never rewrites a delivered report.
Made from `reports/definitions.py` and `reports/answer_rates.py`: `TORITSUGI_UPDATE_GOLDEN=1 ./toritsugi test
tests/docs` writes it anew.

| id | name | definition | unit | at the edges | function | source |
|---|---|---|---|---|---|---|
"""
RULES_HEAD = """
## Denominators of 応答率

The contract's one is named by the profile's `[reports] answer_rate_definition`; papers show all of them beside it. A
city's own limit for short abandons (`[acd.targets] short_abandon_s`) goes before the rule's.

A definition that changes gets a day: `answer_rate_definition = [{ from = 2026-04-01, rule = "offered_v1" },
{ from = 2026-06-16, rule = "open_hours_v1" }]`. A paper shows the one of its last day; where a change lies within its
period, a table sets both beside each other, for the days before, the days from then on and the whole. Delivered papers
stay as they are. The running centre's alerts and desk take a new definition at their next start.

| id | name | formula | source |
|---|---|---|---|
"""


def metrics_page() -> str:
    rows = [
        f"| `{each.key}` | {each.name_ja} | {each.text_ja or 'by the rule of the contract, printed with it'} "
        f"| {each.unit.label_ja} | {each.edge_ja} | `{each.function}` | {each.source} |\n"
        for each in DEFINITIONS.values()
    ]
    rules = [
        f"| `{rule.id}` | {rule.name_ja} | {rule.text_ja} | {rule.source} |\n"
        for rule in ANSWER_RATE_RULES.values()
    ]
    return METRICS_HEAD + "".join(rows) + RULES_HEAD + "".join(rules)


def test_the_metrics_page_is_what_the_code_defines() -> None:
    path = DOCS / "metrics.md"
    if os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
        path.write_text(metrics_page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == metrics_page()
