"""Commands about people, alerts, the guard, changes and call-backs."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError
from runtime.cli_parts import City, day_of, out, say

operator_app = typer.Typer(help="オペレーター / who may work.", no_args_is_help=True)
staff_app = typer.Typer(help="転送先 / whom a citizen may be handed to.", no_args_is_help=True)
trunk_app = typer.Typer(help="回線 / where calls may come from.", no_args_is_help=True)
guard_app = typer.Typer(help="待ち時間の番 / who is called in.", no_args_is_help=True)
audit_app = typer.Typer(help="操作の記録 / who changed what.", no_args_is_help=True)
callbacks_app = typer.Typer(help="折り返しの予約 / call-backs.", no_args_is_help=True)
alerts_app = typer.Typer(help="警報 / alerts.", no_args_is_help=True)


# ---- people and trunks ----------------------------------------------------------------------------


@operator_app.command("add")
def operator_add(
    number: Annotated[str, typer.Argument(help="サインインの番号。例: 101")],
    name: Annotated[str, typer.Option("--name", help="氏名")],
    skill: Annotated[list[str], typer.Option("--skill", help="回線=レベル(1–5)。例: booking=3")],
    language: Annotated[list[str] | None, typer.Option("--language", help="話せる言語")] = None,
    group: Annotated[str, typer.Option("--group", help="呼び込まれるまで待機する組")] = "",
    browser: Annotated[
        bool, typer.Option("--browser", help="画面 (ブラウザー) を電話機にします。電話機は要りません")
    ] = False,
    city: City = None,
) -> None:
    """オペレーターを加えます。電話機に入れる合言葉は一度だけ示します。

    例: ./toritsugi operator add 101 --name 青木 --skill booking=4 --skill card=3 --browser
    """
    from runtime.people import add_operator

    spoken = tuple(language or ("ja",))
    asyncio.run(add_operator(city, number, name, skill, spoken, out, say, group=group, browser=browser))


@operator_app.command("skills")
def operator_skills(
    number: Annotated[str, typer.Argument(help="番号")],
    skill: Annotated[list[str], typer.Option("--skill", help="回線=レベル(1–5)")],
    city: City = None,
) -> None:
    """オペレーターの回線とレベルを改めます。

    例: ./toritsugi operator skills 101 --skill booking=5 --skill portal=2
    """
    from runtime.people import set_skills

    asyncio.run(set_skills(city, number, skill, say))


@operator_app.command("group")
def operator_group(
    number: Annotated[str, typer.Argument(help="番号")],
    group: Annotated[str, typer.Argument(help="組の名前 (なしにするには書かない)")] = "",
    city: City = None,
) -> None:
    """呼び込まれるまで待機する組を改めます。

    例: ./toritsugi operator group 101 responsible
    """
    from runtime.people import set_group

    asyncio.run(set_group(city, number, group, say))


@operator_app.command("caps")
def operator_caps(
    number: Annotated[str, typer.Argument(help="番号")],
    caps: Annotated[
        list[str] | None, typer.Argument(help="チャネル=件数。telephone、video、together (合わせて)")
    ] = None,
    city: City = None,
) -> None:
    """同時に受け持てる件数を、チャネルごとに改めます。書かなければ、電話 1・ビデオ 1・合わせて 1 です。

    例: ./toritsugi operator caps 101 video=2 together=2
    """
    from runtime.people import set_caps

    asyncio.run(set_caps(city, number, caps or (), say))


@operator_app.command("in-hand")
def operator_in_hand(
    number: Annotated[str, typer.Argument(help="番号")],
    counts: Annotated[list[str] | None, typer.Argument(help="チャネル=件数。書かなければ、なし")] = None,
    city: City = None,
) -> None:
    """電話のほか (ビデオ窓口) でいま受け持っている件数を控えます。上限に達した人には電話を回しません。

    例: ./toritsugi operator in-hand 101 video=1
    """
    from runtime.people import set_in_hand

    asyncio.run(set_in_hand(city, number, counts or (), say))


@operator_app.command("supervisor")
def operator_supervisor(
    number: Annotated[str, typer.Argument(help="番号")],
    off: Annotated[bool, typer.Option("--off", help="監督者から外します")] = False,
    city: City = None,
) -> None:
    """監督者にします。監督者の電話からは *31番号 で聴き、*32番号 で助言し、*33番号 で加わり、*34番号 で代わります。

    例: ./toritsugi operator supervisor 301
    """
    from runtime.people import set_supervisor

    asyncio.run(set_supervisor(city, number, not off, say))


@operator_app.command("browser")
def operator_browser(
    number: Annotated[str, typer.Argument(help="番号")],
    off: Annotated[bool, typer.Option("--off", help="電話機 (SIP) に戻し、新しい合言葉を示します")] = False,
    city: City = None,
) -> None:
    """画面 (ブラウザー) をその人の電話機にします。それまでの電話機の合言葉は使えなくなります。

    例: ./toritsugi operator browser 101
    """
    from runtime.people import set_browser

    asyncio.run(set_browser(city, number, not off, out, say))


@operator_app.command("pause")
def operator_pause(
    number: Annotated[str, typer.Argument(help="番号")],
    reason: Annotated[str, typer.Argument(help="離席の理由。例: break1")],
) -> None:
    """オペレーターを離席にします。話し中なら、通話と後処理のあとで離席になります。本人の *13 で戻ります。

    例: ./toritsugi operator pause 101 break1
    """
    from acd.commands import Act
    from runtime.cli_call import asked

    asked(Act.PAUSE, number, to=reason)


@operator_app.command("ready")
def operator_ready(
    number: Annotated[str, typer.Argument(help="番号")],
) -> None:
    """オペレーターの離席や後処理を終え、受付可にします。

    例: ./toritsugi operator ready 101
    """
    from acd.commands import Act
    from runtime.cli_call import asked

    asked(Act.READY, number)


@operator_app.command("sign-out")
def operator_sign_out(
    number: Annotated[str, typer.Argument(help="番号")],
) -> None:
    """オペレーターの受付を終えます。話し中の電話は続きます。

    例: ./toritsugi operator sign-out 101
    """
    from acd.commands import Act
    from runtime.cli_call import asked

    asked(Act.SIGN_OUT, number)


@operator_app.command("list")
def operator_list(city: City = None) -> None:
    """オペレーターを JSON Lines で並べます (合言葉は出しません)。例: ./toritsugi operator list"""
    from runtime.people import list_operators

    for row in asyncio.run(list_operators(city)):
        out(json.dumps(row, ensure_ascii=False))


@staff_app.command("add")
def staff_add(
    telephone: Annotated[str, typer.Argument(help="転送先一覧の endpoint")],
    city: City = None,
) -> None:
    """市の担当課の電話機を加え、合言葉を一度だけ示します。もうあれば、合言葉を新しくします。

    例: ./toritsugi staff add manager1
    """
    from runtime.people import add_staff

    asyncio.run(add_staff(city, telephone, out, say))


@staff_app.command("list")
def staff_list(city: City = None) -> None:
    """転送先を JSON Lines で並べます (合言葉は出しません)。例: ./toritsugi staff list"""
    from runtime.people import list_staff

    for row in asyncio.run(list_staff(city)):
        out(json.dumps(row, ensure_ascii=False))


@trunk_app.command("add")
def trunk_add(
    name: Annotated[str, typer.Argument(help="名前 (英数字)")],
    match: Annotated[str, typer.Option("--match", help="相手の IP アドレスまたは網。例: 192.0.2.10")],
    contact: Annotated[
        str, typer.Option("--contact", help="転送と折り返しの電話をかける先。例: sip:192.0.2.10:5060")
    ] = "",
    city: City = None,
) -> None:
    """電話を受けてよい相手を加えます。ほかの相手は断ります。--contact があれば、転送と折り返しにも使います。

    例: ./toritsugi trunk add carrier --match 192.0.2.10 --contact sip:192.0.2.10:5060
    """
    from runtime.people import add_trunk

    asyncio.run(add_trunk(city, name, match, contact, say))


@trunk_app.command("list")
def trunk_list(city: City = None) -> None:
    """電話を受けてよい相手を JSON Lines で並べます。例: ./toritsugi trunk list"""
    from runtime.people import list_trunks

    for row in asyncio.run(list_trunks(city)):
        out(json.dumps(row, ensure_ascii=False))


# ---- alerts ---------------------------------------------------------------------------------------


@alerts_app.command("list")
def alerts_list(
    open_: Annotated[bool, typer.Option("--open", help="いま続いているものだけ")] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="さかのぼる日数")] = 7,
    city: City = None,
) -> None:
    """警報を JSON Lines で並べます。続いているものは、いつ始まったものでも出します。

    例: ./toritsugi alerts list --open
    """
    from runtime.alert_commands import list_alerts

    for row in asyncio.run(list_alerts(city, open_only=open_, days=days)):
        out(json.dumps(row, ensure_ascii=False))


@alerts_app.command("ack")
def alerts_ack(
    identity: Annotated[str, typer.Argument(metavar="ID", help="警報の番号 (初めの数文字でよい)")],
    by: Annotated[str, typer.Option("--by", help="対応する人の名前")],
    note: Annotated[str, typer.Option("--note", help="書き添えること")] = "",
    city: City = None,
) -> None:
    """対応する人が決まったことを記します。くり返しの知らせが止まります。

    例: ./toritsugi alerts ack k3f9ab2q --by 山田 --note 電話機を交換中
    """
    from runtime.alert_commands import acknowledge_alert

    if not by.strip():
        raise ToritsugiError("名前がありません", where="--by", cure="例: --by 山田")
    asyncio.run(acknowledge_alert(city, identity, by.strip()[:80], note.strip(), say))


@alerts_app.command("test")
def alerts_test(city: City = None) -> None:
    """試験の知らせを記録・メール・Webhook に一度ずつ送り、結果を JSON Lines で出します。

    届かないものがあれば終了コード 1。

    例: ./toritsugi alerts test
    """
    from runtime.alert_commands import try_channels

    results = asyncio.run(try_channels(city))
    for row in results:
        out(json.dumps(row, ensure_ascii=False))
    missing = {"mail": "TORITSUGI_SMTP と TORITSUGI_ALERT_TO", "webhook": "TORITSUGI_ALERT_WEBHOOK"}
    for name in missing.keys() - {row["channel"] for row in results}:
        say(f"{name} は使っていません ({missing[name]} が決まっていません)。")
    if not all(row["ok"] for row in results):
        raise typer.Exit(1)


@guard_app.command("call-in")
def guard_call_in(
    group: Annotated[str, typer.Argument(help="組の名前")],
    city: City = None,
) -> None:
    """待機している組を、いますぐ呼び込みます (拠点の切り替えなど)。release までそのままです。

    例: ./toritsugi guard call-in site2
    """
    from runtime.people import call_in_by_hand

    asyncio.run(call_in_by_hand(city, group, True, say))


@guard_app.command("release")
def guard_release(
    group: Annotated[str, typer.Argument(help="組の名前")],
    city: City = None,
) -> None:
    """手で呼び込んだ組を、番に任せます。落ち着けば待機に戻ります。

    例: ./toritsugi guard release site2
    """
    from runtime.people import call_in_by_hand

    asyncio.run(call_in_by_hand(city, group, False, say))


@audit_app.command("list")
def audit_list(
    since: Annotated[str | None, typer.Option("--since", help="この日から (既定: 今日)")] = None,
    until: Annotated[str | None, typer.Option("--until", help="この日の前まで (既定: いままで)")] = None,
    city: City = None,
) -> None:
    """だれが何を変えたか、番が何をしたかを、一件一行の JSON で出します。

    例: ./toritsugi audit list --since 2026-11-24 --until 2026-11-25
    """
    from runtime.people import audit_rows

    first = day_of(since, "--since") if since else datetime.now(TOKYO).date()
    last = day_of(until, "--until") if until else None
    for row in asyncio.run(audit_rows(city, first, last)):
        out(json.dumps(row, ensure_ascii=False))


@audit_app.command("verify")
def audit_verify(city: City = None) -> None:
    """操作の記録に、書き換え、抜け、入替え、切取りがないかを確かめます。あれば、どの行かを示して終了コード 1。

    例: ./toritsugi audit verify
    """
    from runtime.audit_chain import verify_audit

    result = asyncio.run(verify_audit(city, say))
    out(json.dumps(result, ensure_ascii=False, indent=2))
    if not result["whole"]:
        raise typer.Exit(1)


# ---- call-backs -----------------------------------------------------------------------------------


@callbacks_app.command("list")
def callbacks_list(
    date_: Annotated[
        str | None, typer.Option("--date", help="この日に予約されたもの (既定: 終わっていないもの)")
    ] = None,
    show_numbers: Annotated[bool, typer.Option("--show-numbers", help="電話番号を伏せずに出す")] = False,
    city: City = None,
) -> None:
    """折り返しの予約を JSON Lines で並べます。電話番号は伏せます。

    例: ./toritsugi callbacks list --date 2026-11-24
    """
    from runtime.callback_rows import callback_rows

    day = day_of(date_, "--date") if date_ else None
    for row in asyncio.run(callback_rows(city, day, show_numbers=show_numbers)):
        out(json.dumps(row, ensure_ascii=False))


@callbacks_app.command("cancel")
def callbacks_cancel(
    call: Annotated[str, typer.Argument(help="通話番号 (callbacks list の call)")],
    city: City = None,
) -> None:
    """折り返しの予約を取り消します。市民の電話がもう鳴っているときは、取り消せません。

    例: ./toritsugi callbacks cancel c-n1-1790000000.12
    """
    from runtime.callback_rows import cancel_callback

    asyncio.run(cancel_callback(city, call, say))
