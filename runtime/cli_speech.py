"""Commands about recordings and what is said in them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from runtime.cli_parts import City, out, say

recordings_app = typer.Typer(help="録音の無音化と確認 / secrets out of recordings.", no_args_is_help=True)


@recordings_app.command("mute")
def recordings_mute(city: City = None) -> None:
    """話された番号・氏名・住所の区間を、録音からも消します (無音にします)。動いている間は自動で行います。

    期限を過ぎて残っているものがあれば終了コード 1。例: ./toritsugi recordings mute
    """
    from runtime.muting import mute_recordings

    raise typer.Exit(asyncio.run(mute_recordings(city, out, say)))


@recordings_app.command("scan")
def recordings_scan(
    everything: Annotated[bool, typer.Option("--all", help="確認済みのものももう一度聞く")] = False,
    city: City = None,
) -> None:
    """無音にした録音をもう一度文字に起こし、番号などが残っていないことを確かめます。

    一件一行の JSON。残っていれば終了コード 1。例: ./toritsugi recordings scan --all
    """
    from runtime.muting import scan_recordings

    raise typer.Exit(asyncio.run(scan_recordings(city, everything, out, say)))


@recordings_app.command("show")
def recordings_show(
    call: Annotated[str, typer.Argument(help="通話番号 (ledger export の call_id)")], city: City = None
) -> None:
    """ある通話の録音で、どこがなぜ無音かを出します (担当者の録音停止と、あとからの無音化)。

    例: ./toritsugi recordings show c-n1-1790000000.12
    """
    from runtime.muting import recording_timeline

    asyncio.run(recording_timeline(city, call, out))
