"""Commands about the life and death of data: keys, deletion, backup, hand-over."""

from __future__ import annotations

import json
import time

import typer

from core.settings import Settings
from runtime.cli_parts import out, say

keys_app = typer.Typer(help="暗号化の鍵 / keys of what is encrypted at rest.", no_args_is_help=True)


def _settings() -> Settings:
    from runtime.instance import remembered_settings

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

    out(json.dumps(key_status(_settings()), ensure_ascii=False, indent=2))
