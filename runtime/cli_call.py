"""`call` commands: what a desk asks for, from a terminal."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from acd.commands import Act, Outcome, Role
from core.errors import ToritsugiError
from runtime.cli_parts import out, say

call_app = typer.Typer(help="通話の操作 / a call in an operator's hand.", no_args_is_help=True)

Operator = Annotated[str, typer.Argument(help="オペレーターの番号。例: 101")]
Supervisor = Annotated[str, typer.Option("--by", help="監督者の番号。その電話が鳴ります。例: 301")]
As = Annotated[
    str,
    typer.Option(
        "--as", help="operator にすると、その番号の本人としてできることだけをします (既定: supervisor)"
    ),
]


def asked(
    act: Act, operator: str = "", *, role: str = Role.SUPERVISOR, telephone: str = "", **more: Any
) -> None:
    """Give a command to the running engine: its answer as JSON, in words on stderr, exit code 1 unless done."""
    from runtime.control_port import ask
    from runtime.remembered import remembered_settings

    if role not in (Role.OPERATOR, Role.SUPERVISOR):
        raise ToritsugiError(f"ない役割です: {role}", where="--as", cure="operator か supervisor")
    name = os.environ.get("SUDO_USER") or getpass.getuser()
    command = {
        "act": act.value,
        "by": {"name": name, "role": role, "operator": operator if role == Role.OPERATOR else telephone},
        "operator": operator,
        **more,
    }
    answer = asyncio.run(ask(remembered_settings(), command))
    out(json.dumps(answer, ensure_ascii=False))
    say(answer["text"])
    if answer["outcome"] != Outcome.DONE:
        raise typer.Exit(1)


@call_app.command("transfer")
def transfer(
    operator: Operator,
    to: Annotated[str, typer.Argument(help="転送先の内線 (staff list) か、回線の内線")],
    role: As = "supervisor",
) -> None:
    """市民の方を、すぐに転送します。だれも出なければ、もとのオペレーターに戻ります。

    例: ./toritsugi call transfer 101 702
    """
    asked(Act.TRANSFER, operator, role=role, to=to)


@call_app.command("consult")
def consult(
    operator: Operator, to: Annotated[str, typer.Argument(help="相談先の内線")], role: As = "supervisor"
) -> None:
    """市民の方を待たせて、相談先を呼び出します。オペレーターの電話から話せます。

    例: ./toritsugi call consult 101 702
    """
    asked(Act.CONSULT, operator, role=role, to=to)


def _plain(name: str, act: Act, text: str, example: str) -> Callable[..., None]:
    """A command that needs nothing but the operator."""

    def command(operator: Operator, role: As = "supervisor") -> None:
        asked(act, operator, role=role)

    command.__doc__ = f"{text}\n\n    例: ./toritsugi call {name} {example}\n    "
    return call_app.command(name)(command)


_plain("complete", Act.COMPLETE, "相談先と市民の方をつなぎ、オペレーターは抜けます。", "101")
_plain("join", Act.JOIN, "市民の方、オペレーター、相談先の三者で話します。", "101")
_plain("swap", Act.SWAP, "市民の方と相談先を切り替えます。", "101")
_plain("return", Act.RETURN, "相談をやめ、市民の方に戻ります。", "101")
_plain("hang-up", Act.HANG_UP, "オペレーターの電話を切ります。", "101")
_plain("pause-recording", Act.PAUSE_RECORDING, "暗証番号などの間、録音を止めます。", "101")
_plain("resume-recording", Act.RESUME_RECORDING, "止めた録音を再開します。", "101")
_plain("relay", Act.MARK_RELAY, "リレーサービス (電話リレーサービス) の通話として扱います。", "101")
_plain("warn", Act.WARN, "通話が長くなっていることを、市民の方に伝えます (段階ごとの文言)。", "101")
_plain("end", Act.END, "最後の文言を流し、通話を終えます (監督者の判断で)。", "101")
_plain("help", Act.HELP, "オペレーターに代わって、応援を呼びます。", "101")
_plain("state", Act.STATE, "いまの通話の様子を JSON で出します。", "101")


def _watch(name: str, act: Act, text: str) -> None:
    def command(operator: Operator, by: Supervisor) -> None:
        asked(act, operator, telephone=by)

    command.__doc__ = f"{text}監督者の電話が鳴ります。\n\n    例: ./toritsugi call {name} 101 --by 301\n    "
    call_app.command(name)(command)


_watch("listen", Act.LISTEN, "通話を聴きます。")
_watch("whisper", Act.WHISPER, "オペレーターだけに話します。")
_watch("barge", Act.BARGE, "通話に加わります。")
_watch("take-over", Act.TAKE_OVER, "通話を引き取ります。")
