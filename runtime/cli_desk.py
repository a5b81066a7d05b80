"""Commands about the desk and who may sign in there."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from runtime.cli_parts import City, out, say

user_app = typer.Typer(help="画面の利用者 / who may sign in at the desk.", no_args_is_help=True)


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="サインインの名前 (半角英小文字と数字)")],
    role: Annotated[
        str,
        typer.Option(
            "--role", help="operator, leader, supervisor, staff, city_admin, admin, auditor のどれか"
        ),
    ],
    display: Annotated[str, typer.Option("--name", help="氏名 (既定: サインインの名前)")] = "",
    operator: Annotated[str, typer.Option("--operator", help="その人の電話の番号 (operator list)")] = "",
    department: Annotated[str, typer.Option("--department", help="市の課 (転送先一覧の内線)")] = "",
    city: City = None,
) -> None:
    """画面の利用者を加え、パスワードを決めるための一度だけのアドレスを示します。

    例: ./toritsugi user add kanri --role admin --name 管理者
    """
    from desk.accounts import Wanted
    from runtime.users import add_user, role_of

    wanted = Wanted(display=display or name, role=role_of(role), operator=operator, department=department)
    asyncio.run(add_user(city, name, wanted, out, say))


@user_app.command("reset")
def user_reset(name: Annotated[str, typer.Argument(help="サインインの名前")], city: City = None) -> None:
    """パスワードと二つ目の確認を忘れた人に、もう一度決めるためのアドレスを示します。開いている画面は終わります。

    例: ./toritsugi user reset yamada
    """
    from runtime.users import reset_user

    asyncio.run(reset_user(city, name, out, say))


@user_app.command("off")
def user_off(name: Annotated[str, typer.Argument(help="サインインの名前")], city: City = None) -> None:
    """サインインできないようにします。開いている画面もトークンも、すぐに終わります。

    例: ./toritsugi user off yamada
    """
    from runtime.users import shut_user

    asyncio.run(shut_user(city, name, False, say))


@user_app.command("on")
def user_on(name: Annotated[str, typer.Argument(help="サインインの名前")], city: City = None) -> None:
    """止めた人、何度も間違えて締め出された人が、サインインできるようにします。

    例: ./toritsugi user on yamada
    """
    from runtime.users import shut_user

    asyncio.run(shut_user(city, name, True, say))


@user_app.command("list")
def user_list(city: City = None) -> None:
    """画面の利用者を JSON Lines で並べます。例: ./toritsugi user list"""
    from runtime.users import list_users

    for row in asyncio.run(list_users(city)):
        out(json.dumps(row, ensure_ascii=False))
