"""Our own lint of the rendered configuration: what Asterisk would accept and a citizen would suffer.

Asterisk loads a dialplan with a missing target, an unhandled exit of `Queue()` or an application whose module is
absent, and only a caller finds out. These rules find it before the files are written.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

from asterisk_conf.dialplan_text import (
    Dialplan,
    Entry,
    Step,
    read_dialplan,
    read_entries,
    split_arguments,
)
from asterisk_conf.dialplan_way import Way
from asterisk_conf.finding import Finding
from asterisk_conf.lint_browser import BROWSER_RULES
from asterisk_conf.lint_way_out import WAY_OUT, way_out, way_out_endpoints
from asterisk_conf.vocabulary import APPLICATIONS, FUNCTIONS, QUEUE_STATUS, REFUSED
from core.errors import ToritsugiError

CITIZEN_SIDE = "THKXW"
"""Options of `Queue` and `Dial` that give the calling side transfer, hang-up, parking or recording keys."""
_OPERATORS_TELEPHONE = re.compile(r"PJSIP/op\$\{FILTER\(0-9,\$\{T_BACK\}\)\},")
"""Where a citizen goes back to whom nobody took: digits after `op`, so no way out."""
OUTBOUND = frozenset({"Dial", "RetryDial", "Originate", "Page", "Transfer", "FollowMe"})
ENGINE_ENTRIES = (
    ("whisper", "s"), ("whisper-spy", "s"), ("seat", "s"), ("seat", "reserve"), ("callback-hold", "s"), (WAY_OUT, ""),
    ("desk-seat", "pause"), ("desk-seat", "ready"), ("desk-seat", "out"), ("desk-seat", "help"), ("supervise", ""),
    ("long-call-end", "s"),
)  # fmt: skip
"""Where the engine originates calls (telephony/ami/whisper.py, floor.py, callback.py, hand.py)."""
STEPS = frozenset({"ivr", "callback"})
"""FastAGI steps of the contract (docs/dialplan-contract.md)."""
_FASTAGI = re.compile(r"agi://127\.0\.0\.1:\$\{T_AGI_PORT\}/([a-z]+)")
_OUR_SCRIPTS = ("${T_FALLBACK}", "${T_CENTRE_SWITCH}")
_OUR_POST_COMMAND = "${T_RECORDING_DONE} ${T_RECORDINGS} ${TORITSUGI_REC}"
_FUNCTION = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\(|(?:^|[?,(:])\s*([A-Z][A-Z0-9_]*)\([^()]*\)=")
_OUTSIDE = r"\$\{(?:PJSIP_HEADER|CALLERID(?!\(num-pres\))|CHANNEL\(pjsip)"
"""What the peer wrote. How a number may be shown is a word of the switch's own list."""
_DIAL_SUBROUTINE = re.compile(r"(?:b|B|U)\(([a-z][a-z-]*)")
_EVALUATE = frozenset({"ExecIf", "GotoIf", "GosubIf", "While", "AGI"})
_SECRET_KEYS = frozenset({"secret", "password", "md5_cred", "auth_pass", "dbpass"})
_SECRET_FILES = frozenset({"manager.conf", "pjsip.conf"})


class UncleanConfiguration(ToritsugiError):
    """The rendered configuration breaks a rule; nothing of it may be written."""

    code = "asterisk.unclean"

    def __init__(self, findings: list[Finding]) -> None:
        first = findings[0]
        more = f" (ほか {len(findings) - 1} 件)" if len(findings) > 1 else ""
        super().__init__(
            f"Asterisk の設定が決まりに反しています: {first.message} [{first.rule}]{more}",
            where=first.place,
            cure=first.cure,
        )
        self.findings = findings


def lint(files: Mapping[str, str]) -> list[Finding]:
    """Every fault of the rendered files (`asterisk_conf.render.render`), in the order of files and lines."""
    plan = read_dialplan(files)
    way = Way(plan, _entries(files, plan))
    found = [finding for rule in _DIALPLAN_RULES for finding in rule(plan, way)]
    found += [finding for check in _FILE_RULES for finding in check(files)]
    found += _modules(files, plan)
    return sorted(found, key=lambda f: (f.place.rpartition(":")[0], int(f.place.rpartition(":")[2]), f.rule))


def require_clean(files: Mapping[str, str]) -> None:
    """Raise unless the files break no rule.

    Raises:
        UncleanConfiguration: it names the first fault and the number of others.
    """
    if found := lint(files):
        raise UncleanConfiguration(found)


def _entries(files: Mapping[str, str], plan: Dialplan) -> list[tuple[str, str, str]]:
    """(context, extension, place) of every door into the dialplan; an empty extension means any."""
    # A centre may have nobody to hand over to, or nobody at all on its first day; those doors are built all the same.
    always = (
        *ENGINE_ENTRIES,
        ("from-operator", ""),
        ("operator-transfer", ""),
        ("from-staff", ""),
        ("transfer-line", ""),
        ("transfer", ""),
        ("refer", ""),
        ("queue-keys", ""),
    )
    doors = [(context, extension, "extensions.conf:1") for context, extension in always]
    for entry in read_entries(files, "pjsip.conf"):
        if entry.key == "context":
            doors.append((entry.value, "", entry.place))
        elif entry.key == "set_var" and "TRANSFER_CONTEXT=" in entry.value:
            doors.append((entry.value.partition("=")[2].strip(), "", entry.place))
    for entry in read_entries(files, "queues.conf"):
        if entry.key == "membergosub":
            doors.append((entry.value, "s", entry.place))
    for entry in read_entries(files, "features.conf"):
        if entry.section == "applicationmap" and (
            gosub := re.search(r'Gosub,"([^,]+),([^,]+),', entry.value)
        ):
            doors.append((gosub[1], gosub[2], entry.place))
    keys = [entry for entry in read_entries(files, "queues.conf") if entry.key == "context"]
    for step in plan.steps():
        if step.application == "Set" and (pushed := _handler(step.arguments)):
            doors.append((*pushed, step.place))
        if step.application == "ChannelRedirect":
            _channel, context, extension, _priority = split_arguments(step.arguments)
            doors.append((context, "" if "${" in extension else extension, step.place))
        if step.application == "Dial":
            doors += [(context, "s", step.place) for context in _DIAL_SUBROUTINE.findall(step.arguments)]
        if step.application == "Queue":
            doors += [(entry.value, "", entry.place) for entry in keys]
    return doors


def _handler(arguments: str) -> tuple[str, str] | None:
    found = re.fullmatch(r"CHANNEL\(hangup_handler_push\)=([^,]+),([^,]+),.+", arguments)
    return (found[1], found[2]) if found else None


# ---- rules of the dialplan ------------------------------------------------------------------------


def _readable(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for place, text in plan.unread:
        yield Finding(rule="unread", place=place, message=f"読めない行です: {text}", cure="書き方を直す")


def _targets(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for place, target in way.missing:
        yield Finding(
            rule="target",
            place=place,
            message=f"行き先がありません: {target}",
            cure="文脈、内線、優先度を直す",
        )
    for context in plan.contexts.values():
        for included, place in context.includes:
            if included not in plan.contexts:
                yield Finding(
                    rule="target",
                    place=place,
                    message=f"include 先がありません: {included}",
                    cure="名前を直す",
                )


def _reachable(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for context in plan.contexts.values():
        if context.name not in way.contexts:
            yield Finding(
                rule="unreachable",
                place=f"{context.file}:{context.line}",
                message=f"どこからも来られない文脈です: {context.name}",
                cure="消すか、行き先にする",
            )


def _ends(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for context in plan.contexts.values():
        for steps in context.extensions.values():
            last = steps[-1]
            if not _terminal(last):
                yield Finding(
                    rule="falls-through",
                    place=last.place,
                    message=f"{context.name},{last.extension} が {last.application} で終わり、電話が宙に浮きます",
                    cure="Hangup、Return、Goto のどれかで終える",
                )


def _terminal(step: Step) -> bool:
    if step.application in ("Hangup", "Return", "Goto"):
        return True
    if step.application == "GotoIf":
        ways = split_arguments(step.arguments.partition("?")[2], ":")
        return len(ways) == 2 and all(way.strip() for way in ways)
    return False


def _queue_exits(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for step in plan.steps():
        if step.application != "Queue":
            continue
        steps = plan.contexts[step.context].extensions[step.extension]
        jump = next(
            (s for s in steps if s.priority > step.priority and s.application in ("Goto", "GotoIf")), None
        )
        found = (
            re.fullmatch(r"([a-z-]*)\$\{QUEUESTATUS\},1", jump.arguments)
            if jump is not None and jump.application == "Goto"
            else None
        )
        if found is None:
            yield Finding(
                rule="queue-exit",
                place=step.place,
                message="Queue() の終わり方で分かれていません",
                cure="次に Goto(status-${QUEUESTATUS},1) を置く",
            )
            continue
        have = plan.contexts[step.context].extensions
        wanted = [*(f"{found[1]}{status}" for status in ("", *QUEUE_STATUS)), "i"]
        for name in wanted:
            if name not in have:
                yield Finding(
                    rule="queue-exit",
                    place=step.place,
                    message=f"Queue() の終わり方に行き先がありません: {name}",
                    cure=f"[{step.context}] に exten => {name},1,… を書く",
                )


def _forbidden(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for step in plan.steps():
        for application, arguments in applications_of(step):
            if application in REFUSED:
                yield Finding(
                    rule="forbidden",
                    place=step.place,
                    message=f"使ってはならないアプリケーションです: {application}",
                    cure="エンジンか契約の AGI に任せる",
                )
            elif application == "AGI" and not _our_agi(arguments):
                yield Finding(
                    rule="forbidden",
                    place=step.place,
                    message="契約にない AGI です",
                    cure="契約の AGI だけを呼ぶ",
                )
            elif application == "MixMonitor" and not _our_recording(arguments):
                yield Finding(
                    rule="forbidden",
                    place=step.place,
                    message="MixMonitor の後処理が契約と違います (シェルで動きます)",
                    cure=f"後処理を {_OUR_POST_COMMAND} にする",
                )
        for function in functions_of(step.arguments):
            if function in REFUSED:
                yield Finding(
                    rule="forbidden",
                    place=step.place,
                    message=f"使ってはならない関数です: {function}()",
                    cure="エンジンか契約の AGI に任せる",
                )


def _our_agi(arguments: str) -> bool:
    target = split_arguments(arguments)[0]
    found = _FASTAGI.fullmatch(target)
    return target in _OUR_SCRIPTS or (found is not None and found[1] in STEPS)


def _our_recording(arguments: str) -> bool:
    parts = split_arguments(arguments)
    return len(parts) < 3 or ",".join(parts[2:]) in ("", _OUR_POST_COMMAND)


def _outbound(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for door, kind in (
        ("from-trunk", "外線"),
        ("from-operator", "オペレーター"),
        ("operator-transfer", "転送"),
        ("from-staff", "職員"),
        ("queue-keys", "待っている人"),
    ):
        for step in way.steps_from(door, without="transfer-targets"):
            if any(
                application in OUTBOUND and not _OPERATORS_TELEPHONE.match(arguments)
                for application, arguments in applications_of(step)
            ):
                yield Finding(
                    rule="outbound",
                    place=step.place,
                    message=f"{kind}から、転送先名簿を通らずに発信できます",
                    cure="発信は transfer-targets だけから届くようにする",
                )
    for step in plan.steps():
        if step.context == "transfer-targets" and "T_TARGET=" in step.arguments:
            target = step.arguments.partition("T_TARGET=")[2]
            if not re.fullmatch(r"PJSIP/(\+?[0-9]+@\$\{T_TRUNK\}|[a-z][a-z0-9]*)", target):
                yield Finding(
                    rule="outbound",
                    place=step.place,
                    message=f"転送先が文字どおりの番号ではありません: {target}",
                    cure="名簿の番号をそのまま書く",
                )


def _citizen_side(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for step in plan.steps():
        if step.application not in ("Queue", "Dial"):
            continue
        parts = split_arguments(step.arguments)
        options = parts[1 if step.application == "Queue" else 2 :][:1]
        letters = set(re.sub(r"\([^)]*\)", "", options[0])) if options else set()
        if "i" not in letters:
            yield Finding(
                rule="forwarding",
                place=step.place,
                message=f"{step.application} が電話機の転送設定 (302) に従います",
                cure="i を付ける",
            )
        for letter in sorted(letters & set(CITIZEN_SIDE)):
            yield Finding(
                rule="citizen-side",
                place=step.place,
                message=f"{step.application} の {letter} は市民の側に操作を許します",
                cure=f"{letter} を除く",
            )


def _agi_checked(plan: Dialplan, way: Way) -> Iterator[Finding]:
    for context in plan.contexts.values():
        for steps in context.extensions.values():
            for place, step in enumerate(steps):
                if step.application != "AGI":
                    continue
                after = steps[place + 1] if place + 1 < len(steps) else None
                if (
                    after is None
                    or after.application != "GotoIf"
                    or not after.arguments.startswith('$["${TORITSUGI_DONE}" = "')
                ):
                    yield Finding(
                        rule="agi-unchecked",
                        place=step.place,
                        message="AGI の後で TORITSUGI_DONE を確かめていません (AGISTATUS は証拠になりません)",
                        cure='次の行に GotoIf($["${TORITSUGI_DONE}" = "段の名前"]?…) を置く',
                    )
                if not any(s.arguments == "TORITSUGI_DONE=" for s in steps[:place]):
                    yield Finding(
                        rule="agi-unchecked",
                        place=step.place,
                        message="AGI の前に TORITSUGI_DONE を空にしていません",
                        cure="前に Set(TORITSUGI_DONE=) を置く",
                    )


def _text_from_outside(plan: Dialplan, way: Way) -> Iterator[Finding]:
    """A peer's header inside `$[…]` calls functions, and inside `ExecIf` runs applications, of the peer's choice."""
    outside = {
        found[1]
        for step in plan.steps()
        if step.application == "Set" and (found := re.match(r"_{0,2}(\w+)=.*" + _OUTSIDE, step.arguments))
    }
    held = "|".join([_OUTSIDE, *(rf"\$\{{{name}\b" for name in sorted(outside))])
    for step in plan.steps():
        left = re.sub(r"\$\{EXISTS\(\$\{\w+\}\)\}", "", step.arguments)
        if (step.application in _EVALUATE or "$[" in left) and re.search(held, left):
            yield Finding(
                rule="outside-text",
                place=step.place,
                message="相手が書いた文字を式や ExecIf の中に置くと、相手の選んだ命令が動きます",
                cure="${EXISTS(${変数})} で確かめ、GotoIf で分ける",
            )


_DIALPLAN_RULES = (
    _readable, _targets, _reachable, _ends, _queue_exits, _forbidden, _outbound, way_out, _citizen_side,
    _agi_checked, _text_from_outside,
)  # fmt: skip


def applications_of(step: Step) -> Iterator[tuple[str, str]]:
    """The step's application with its arguments, and those inside `ExecIf`."""
    yield step.application, step.arguments
    if step.application == "ExecIf":
        for part in split_arguments(step.arguments.partition("?")[2], ":"):
            found = re.fullmatch(r"\s*([A-Za-z]+)\((.*)\)\s*", part)
            if found:
                yield found[1], found[2]


def functions_of(arguments: str) -> set[str]:
    """Names of the dialplan functions that are read or written in the arguments of a step."""
    return {read or written for read, written in _FUNCTION.findall(arguments)}


# ---- rules of the other files ---------------------------------------------------------------------


def _modules(files: Mapping[str, str], plan: Dialplan) -> Iterator[Finding]:
    entries = read_entries(files, "modules.conf")
    loaded = {entry.value.removesuffix(".so") for entry in entries if entry.key == "load"}
    autoload = [entry for entry in entries if entry.key == "autoload"]
    if [entry.value for entry in autoload] != ["no"]:
        place = autoload[0].place if autoload else "modules.conf:1"
        yield Finding(
            rule="autoload", place=place, message="autoload が no ではありません", cure="autoload = no"
        )
    for step in plan.steps():
        used = [(name, APPLICATIONS.get(name)) for name, _ in applications_of(step)]
        used += [(f"{name}()", FUNCTIONS.get(name)) for name in sorted(functions_of(step.arguments))]
        for name, module in used:
            if name.removesuffix("()") in REFUSED:
                continue
            if module is None:
                yield Finding(
                    rule="module",
                    place=step.place,
                    message=f"どのモジュールのものか分かりません: {name}",
                    cure="asterisk_conf/vocabulary.py に書く",
                )
            elif module and module not in loaded:
                yield Finding(
                    rule="module",
                    place=step.place,
                    message=f"{name} のモジュールを読み込んでいません: {module}",
                    cure=f"modules.conf に load = {module}.so を加える",
                )


def _secrets(files: Mapping[str, str]) -> Iterator[Finding]:
    secrets = {
        entry.value
        for name in _SECRET_FILES
        for entry in read_entries(files, name)
        if entry.key in _SECRET_KEYS and len(entry.value) >= 8
    }
    for name in sorted(set(files) - _SECRET_FILES):
        for number, line in enumerate(files[name].splitlines(), start=1):
            key = re.match(r"\s*([a-z0-9_]+)\s*=>?\s*\S", line)
            if any(secret in line for secret in secrets) or (key and key[1] in _SECRET_KEYS):
                yield Finding(
                    rule="secret",
                    place=f"{name}:{number}",
                    message="合言葉がこのファイルにあります",
                    cure="manager.conf と pjsip.conf だけに置く",
                )


def _manager(files: Mapping[str, str]) -> Iterator[Finding]:
    entries = {(entry.section, entry.key): entry for entry in read_entries(files, "manager.conf")}
    bind = entries.get(("general", "bindaddr"))
    web = entries.get(("general", "webenabled"))
    place = bind.place if bind else "manager.conf:1"
    if bind is None or not _loopback(bind.value):
        yield Finding(
            rule="manager",
            place=place,
            message="AMI がこの機械の外に開いています",
            cure="bindaddr = 127.0.0.1 にする",
        )
    if web is None or web.value != "no":
        yield Finding(
            rule="manager",
            place=web.place if web else place,
            message="AMI が HTTP に開いています",
            cure="webenabled = no",
        )
    for entry in entries.values():
        if entry.key == "permit" and not _loopback(entry.value.partition("/")[0]):
            yield Finding(
                rule="manager",
                place=entry.place,
                message="AMI に外からの接続を許しています",
                cure="permit を 127.0.0.1 だけにする",
            )


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _endpoints(files: Mapping[str, str]) -> Iterator[Finding]:
    blocks: list[list[Entry]] = []
    for entry in read_entries(files, "pjsip.conf"):
        if entry.key == "type":
            blocks.append([])
        if blocks:
            blocks[-1].append(entry)
    for block in blocks:
        if block[0].value != "endpoint":
            continue
        values = {entry.key: entry.value for entry in block}
        head = block[0]
        wanted = {"direct_media": "no"}
        if values.get("context") not in ("from-operator", "from-staff"):
            wanted["allow_transfer"] = "no"
        elif not any("__TRANSFER_CONTEXT=operator-transfer" in entry.value for entry in block):
            wanted["set_var"] = "__TRANSFER_CONTEXT=operator-transfer"
        for key, value in wanted.items():
            if values.get(key) != value:
                yield Finding(
                    rule="endpoint",
                    place=head.place,
                    message=f"端点 {head.section} の {key} が {value} ではありません",
                    cure=f"{key} = {value} と書く",
                )
        if head.section == "anonymous":
            yield Finding(
                rule="endpoint",
                place=head.place,
                message="誰の電話でも受ける端点です",
                cure="anonymous を消す",
            )


_FILE_RULES = (_secrets, _manager, _endpoints, way_out_endpoints, *BROWSER_RULES)
