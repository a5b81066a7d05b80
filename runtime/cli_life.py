"""Commands about the life and death of data: keys, deletion, backup, hand-over."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from core.settings import Settings
from runtime.cli_parts import City, out, say
from services.erasure import DEFAULT_BASIS

keys_app = typer.Typer(help="暗号化の鍵 / keys of what is encrypted at rest.", no_args_is_help=True)


def _settings() -> Settings:
    from runtime.remembered import remembered_settings

    return remembered_settings()


@keys_app.command("create")
def keys_create() -> None:
    """最初の鍵を作ります。あとは自動で、終わった録音が暗号化されます。鍵のファイルの控えを、別の場所に必ず取ってください。

    例: ./toritsugi keys create
    """
    from runtime.sealing import make_key

    key_id, source = make_key(_settings(), first=True, now=time.time())
    out(key_id)
    say(f"鍵を作りました: {source.path} (この持ち主だけが読めます)")
    say("この鍵をなくすと、録音もバックアップも二度と読めません。控えを、この機械の外に保管してください。")


@keys_app.command("rotate")
def keys_rotate() -> None:
    """新しい鍵に替えます。古い鍵は読むために残り、録音は夜のうちに新しい鍵で暗号化し直されます。

    例: ./toritsugi keys rotate
    """
    from runtime.sealing import make_key

    key_id, source = make_key(_settings(), first=False, now=time.time())
    out(key_id)
    say(f"新しい鍵です: {source.path}。控えも取り直してください。古いバックアップには古い鍵が要ります。")


@keys_app.command("status")
def keys_status() -> None:
    """どの鍵があり、どれだけの録音がどの鍵で暗号化されているかを JSON で出します。鍵そのものは出しません。

    例: ./toritsugi keys status
    """
    from runtime.sealing import key_status

    out(_json(key_status(_settings())))


# ---- deletion on request --------------------------------------------------------------------------

retention_app = typer.Typer(
    help="保存期間と消去 / how long records are kept, and erasure.", no_args_is_help=True
)

OneCall = Annotated[str | None, typer.Option("--call", help="この通話 (通話番号)")]
OneCase = Annotated[str | None, typer.Option("--case", help="この応対と、その通話すべて (応対番号)")]
OneNumber = Annotated[
    str | None, typer.Option("--number", help="この電話番号の通話すべてと、番号の写しすべて")
]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


@retention_app.command("run")
def retention_run_now(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="数えるだけで、何も消さない")] = False,
    city: City = None,
) -> None:
    """保存期間を過ぎた録音、書き起こし、通話、電話番号を消し、件数を JSON で出します。動いている間は毎晩行われます。

    例: ./toritsugi retention run --dry-run
    """
    from runtime.housekeeping import retention_run

    out(_json(asyncio.run(retention_run(city, dry_run=dry_run))))


@retention_app.command("erase")
def retention_erase(
    reason: Annotated[str, typer.Option("--reason", help="なぜ消すのか (氏名や番号は書かない)")],
    call: OneCall = None,
    case: OneCase = None,
    number: OneNumber = None,
    by: Annotated[str, typer.Option("--by", help="だれが (既定: この端末の人)")] = "",
    basis: Annotated[str, typer.Option("--basis", help="根拠")] = DEFAULT_BASIS,
    city: City = None,
) -> None:
    """求めに応じて、一人の録音、文字起こし、応対の内容、番号をすべての写しから消し、消去証明書を出します。

    消したあとに全体を探して確かめ、まだ残っていれば終了コード 1。

    例: ./toritsugi retention erase --number 090-1234-5678 --reason 本人の求め --by 山田
    """
    from runtime.erasing import Request, erase

    request = Request(call=call, case=case, number=number)
    certificate, page = asyncio.run(erase(city, request, reason=reason, by=by, basis=basis, say=say))
    out(_json(certificate))
    say(f"消去証明書: {page}")
    for copy in certificate["copies_elsewhere"]:
        say(f"写し {copy['path']}: {copy['label_ja']}")
    if not certificate["verified"]["clean"]:
        say("まだ残っています。verified.left を見て、取り除いてからもう一度行ってください。")
        raise typer.Exit(1)


@retention_app.command("scan")
def retention_scan(
    call: OneCall = None,
    case: OneCase = None,
    number: OneNumber = None,
    city: City = None,
) -> None:
    """データベースの全表と設置の全ファイルを探し、見つけた所を JSON で出します。見つかれば終了コード 1。

    例: ./toritsugi retention scan --number 090-1234-5678
    """
    from runtime.erasing import Request, scan

    found = asyncio.run(scan(city, Request(call=call, case=case, number=number), say))
    out(_json(found))
    if not found["clean"]:
        raise typer.Exit(1)


@retention_app.command("certificates")
def retention_certificates(city: City = None) -> None:
    """これまでの消去証明書を、一件一行の JSON で出します。

    例: ./toritsugi retention certificates
    """
    from runtime.erasing import certificates

    for each in asyncio.run(certificates(city)):
        out(json.dumps(each, ensure_ascii=False))


# ---- backup ---------------------------------------------------------------------------------------

backup_app = typer.Typer(help="バックアップ / backup and restore.", no_args_is_help=True)

Keys = Annotated[Path | None, typer.Option("--keys", help="鍵のファイル (既定: この設置の鍵)")]


@backup_app.command("create")
def backup_create(
    folder: Annotated[Path, typer.Option("--out", help="バックアップを置くフォルダー (別のディスク)")],
    keep: Annotated[int, typer.Option("--keep", min=1, max=3650, help="古いバックアップを残す日数")] = 35,
    city: City = None,
) -> None:
    """動いたまま、全体を暗号化したバックアップに取ります。録音は前回から増えた分だけ写します。

    例: ./toritsugi backup create --out /backup/toritsugi
    """
    from runtime.backup import create

    out(_json(asyncio.run(create(city, folder, keep_days=keep, say=say))))


@backup_app.command("verify")
def backup_verify(
    file: Annotated[Path, typer.Argument(help="バックアップのファイル")],
    keys: Keys = None,
) -> None:
    """バックアップを端まで読み、目録のハッシュと比べます。違いがあれば終了コード 1。

    例: ./toritsugi backup verify /backup/toritsugi/toritsugi-matsusaka-20261127T180000Z.backup
    """
    from runtime.backup import keys_for, verify

    found = verify(file, keys_for(None, keys), say)
    out(_json(found))
    if not found["whole"]:
        raise typer.Exit(1)


@backup_app.command("restore")
def backup_restore(
    file: Annotated[Path, typer.Argument(help="バックアップのファイル")],
    home: Annotated[Path, typer.Option("--home", help="新しい設置のフォルダー (空か、まだないもの)")],
    erasures: Annotated[
        Path | None, typer.Option("--erasures", help="消去の一覧 (既定: バックアップの隣の erasures.jsonl)")
    ] = None,
    keys: Keys = None,
) -> None:
    """空の機械にバックアップを戻し、一行ずつ比べ、取ったあとに消した人をもう一度消します。

    例: ./toritsugi backup restore toritsugi-matsusaka-20261127T180000Z.backup --home /var/lib/toritsugi/state
    """
    from runtime.backup import keys_for
    from runtime.restoring import restore

    keys_for(home, keys)
    out(_json(asyncio.run(restore(file, home, erasures=erasures, say=say))))
    say("戻しました。TORITSUGI_HOME にこのフォルダーを書いて toritsugi up で始めます。")


# ---- hand-over ------------------------------------------------------------------------------------

handover_app = typer.Typer(
    help="次の受託者への引継ぎ / hand-over to the next contractor.", no_args_is_help=True
)


@handover_app.command("export")
def handover_export(
    target: Annotated[Path, typer.Option("--out", help="書き出すファイル")],
    plain: Annotated[
        bool,
        typer.Option("--plain", help="暗号化せず、だれでも開ける ZIP にする (取次を持たない相手に渡すとき)"),
    ] = False,
    city: City = None,
) -> None:
    """通話、応対、録音、文字起こしなど全部を、公開された形式で一つのファイルにします。パスワードと鍵は入りません。

    例: ./toritsugi handover export --out hikitsugi.zip
    """
    from runtime.handover import export

    done = asyncio.run(export(city, target, plain=plain, say=say))
    out(_json(done))
    if plain:
        say("注意: 暗号化されていません。市民の個人情報が入っています。暗号化した媒体で手渡してください。")
    else:
        say(f"鍵は {done['keys']} です。ファイルとは別の経路で渡してください。")


@handover_app.command("import")
def handover_import(
    file: Annotated[Path, typer.Argument(help="引継ぎのファイル")],
    home: Annotated[Path, typer.Option("--home", help="新しい設置のフォルダー (空か、まだないもの)")],
    keys: Annotated[
        Path | None, typer.Option("--keys", help="鍵のファイル (既定: 引継ぎのファイル名.keys)")
    ] = None,
) -> None:
    """引継ぎのファイルから空の設置を作り、件数とハッシュをすべて比べます。電話機のパスワードは新しくなります。

    例: ./toritsugi handover import hikitsugi.zip --home /var/lib/toritsugi/state
    """
    from runtime.taking_over import take_over

    done = asyncio.run(take_over(file, home, keys=keys, say=say))
    out(_json(done))
    say(f"引き継ぎました。TORITSUGI_HOME と TORITSUGI_NODE={done['node']} を書いて toritsugi up で始めます。")
