"""The lint is silent on what we render, and speaks on every fault it knows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from switch_sample import sample_switch

from asterisk_conf.lint import UncleanConfiguration, lint, require_clean
from asterisk_conf.render import render
from services.city import list_cities

pytestmark = pytest.mark.unit

QUEUE = "dialplans/30-queue.conf"
IVR = "dialplans/20-ivr.conf"
TRUNK = "dialplans/10-trunk.conf"
OPERATOR = "dialplans/40-operator.conf"
TRANSFER = "dialplans/50-transfer.conf"
CALLBACK = "dialplans/70-callback.conf"


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return render(sample_switch("matsusaka"))


@pytest.mark.parametrize("city", list_cities())
def test_every_city_is_clean(city: str) -> None:
    assert lint(render(sample_switch(city))) == []


def test_a_first_day_without_operators_is_clean() -> None:
    assert lint(render(replace(sample_switch("matsusaka"), operators=()))) == []


MUTATIONS = [
    # rule, file, old text, new text, words of the finding
    ("target", IVR, "Goto(queue-entry,s,1)", "Goto(queue-entri,s,1)", "queue-entri"),
    ("target", QUEUE, "?overflow,nobody,1)", "?overflow,noone,1)", "overflow,noone,1"),
    ("target", QUEUE, "Goto(queue-stage,s,stage)", "Goto(queue-stage,s,stages)", "stages"),
    ("target", QUEUE, "Goto(queue-room,", "Goto(queue-rooms,", "queue-rooms"),
    ("target", "extensions.conf", "Goto(queue-stage,s,1)", "Goto(queue-stag,s,1)", "queue-stag,s"),
    ("target", OPERATOR, "?none)", "?nobody)", "nobody"),
    ("target", IVR, "?fallback,1)", "?fallback,99)", "fallback,99"),
    ("target", OPERATOR, "Gosub(quality,s,1)", "Gosub(quality,s,7)", "quality,s,7"),
    ("target", TRUNK, "include => unknown-numbers", "include => unknown", "unknown"),
    ("target", TRUNK, "=leg-end,s,1", "=leg-ends,s,1", "leg-ends,s"),
    ("target", "queues.conf", "membergosub = member-connect", "membergosub = member-conect", "member-conect"),
    ("target", "pjsip.conf", "=operator-transfer", "=operator-transfers", "operator-transfers"),
    ("target", "pjsip.conf", "context = from-trunk", "context = from-trunks", "from-trunks"),
    ("unreachable", QUEUE, "[overflow]", "[forgotten]\nexten => s,1,Hangup(16)\n\n[overflow]", "forgotten"),
    ("falls-through", QUEUE, " same => n,Hangup(17)\n", "", "overflow,say"),
    ("falls-through", OPERATOR, "exten => *11,1,Gosub(operator-sign-in,s,1)\n same => n,Hangup(16)\n",
     "exten => *11,1,Gosub(operator-sign-in,s,1)\n", "operator-codes,*11"),
    ("falls-through", TRANSFER, "Goto(queue-entry,s,1)", 'GotoIf($["${X}" = ""]?queue-entry,s,1)', "GotoIf"),
    ("queue-exit", QUEUE, "exten => status-WITHDRAW,1,", "exten => status-WITHDRAWN,1,", "status-WITHDRAW"),
    ("falls-through", QUEUE, " same => n,Goto(overflow,wait_limit,1)\n", "", "status-WITHDRAW"),
    ("falls-through", OPERATOR, " same => n(late),Hangup(16)\n; Back", " same => n(late),NoOp()\n; Back", "seat"),
    ("target", OPERATOR, "?late)", "?later)", "later"),
    ("queue-exit", QUEUE, "exten => status-,1,Goto(overflow,failure,1)\n", "", "status-"),
    ("queue-exit", QUEUE, "exten => i,1,Goto(overflow,failure,1)\n", "", ": i"),
    ("queue-exit", QUEUE, "Goto(status-${QUEUESTATUS},1)", "Goto(overflow,failure,1)", "分かれて"),
    ("forbidden", QUEUE, "exten => full,1,Set(T_TEXT=overflow_full)",
     "exten => full,1,System(touch /x)\n same => n,Set(T_TEXT=overflow_full)", "System"),
    ("forbidden", QUEUE, "Set(T_TEXT=overflow_full)", "Set(T_TEXT=${SHELL(date)})", "SHELL()"),
    ("forbidden", QUEUE, "Set(T_TEXT=overflow_full)", "ExecIf($[1]?TrySystem(date))", "TrySystem"),
    ("forbidden", QUEUE, "Set(T_TEXT=overflow_full)", "Set(FILE(/etc/x)=1)", "FILE()"),
    ("forbidden", IVR, "AGI(agi://127.0.0.1:", "AGI(agi://192.0.2.1:", "AGI"),
    ("forbidden", IVR, "}/ivr,", "}/other,", "AGI"),
    ("forbidden", IVR, "AGI(${T_FALLBACK},", "AGI(other.sh,", "AGI"),
    ("browser", "http.conf", "bindaddr = 127.0.0.1", "bindaddr = 0.0.0.0", "bindaddr"),
    ("browser", "http.conf", "enable_static = no", "enable_static = yes", "enable_static"),
    ("browser", "http.conf", "enable_status = no", "enable_status = no\ntlsenable = yes", "tlsenable"),
    ("browser", "pjsip.conf", "permit = 127.0.0.1/255.255.255.255", "permit = 0.0.0.0/0.0.0.0", "permit"),
    ("browser", "pjsip.conf", "permit = 127.", "permit = 192.0.2.1/255.255.255.0\npermit = 127.", "permit"),
    ("browser", "pjsip.conf", "rtp_timeout = 30\n", "", "rtp_timeout"),
    ("browser", "pjsip.conf", "protocol = ws\nbind = 127.0.0.1", "protocol = ws\nbind = 0.0.0.0", "入口"),
    ("way-out", CALLBACK, "exten => _0[1-9][1-9]XXXXXXX,1,", "exten => _0[1-9]XXXXXXXX,1,", "_0[1-9]XXXXXXXX"),
    ("way-out", CALLBACK, "exten => _0570XXXXXX,1,Goto(callback-refused,s,1)\n", "", "_0570XXXXXX"),
    ("way-out", CALLBACK, "exten => _0990XXXXXX,1,Goto(callback-refused,s,1)",
     "exten => _0990XXXXXX,1,Goto(callback-dial,${EXTEN},1)", "_0990XXXXXX"),
    ("way-out", CALLBACK, "[callback-out]", "[callback-out]\nexten => _X.,1,Goto(callback-dial,${EXTEN},1)", "_X."),
    ("way-out", CALLBACK, "[callback-out]", "[callback-out]\ninclude => transfer-targets", "含んで"),
    ("way-out", OPERATOR, "exten => *13,1,", "exten => *14,1,Goto(callback-out,0312345678,1)\nexten => *13,1,",
     "operator-codes"),
    ("way-out", OPERATOR, "[from-operator]", "[from-operator]\ninclude => callback-out", "include"),
    ("way-out", TRANSFER, "[operator-transfer]", "[operator-transfer]\ninclude => callback-dial", "include"),
    ("way-out", TRANSFER, "Dial(${T_TARGET},", "Dial(PJSIP/${EXTEN}@${T_TRUNK},", "相手の選んだ番号"),
    ("outbound", IVR, "staff\"]?straight-to-staff,", "staff\"]?transfer,", "外線"),
    ("outbound", "extensions.conf", "T_TARGET=PJSIP/0120000171@${T_TRUNK}",
     "T_TARGET=PJSIP/${EXTEN}@${T_TRUNK}", "文字どおり"),
    ("target", "extensions.conf", "[straight-to-staff]", "[straight-to-clerks]", "straight-to-staff"),
    ("way-out", "pjsip.conf", "context = from-trunk", "context = callback-out", "carrier"),
    ("way-out", "pjsip.conf", "=operator-transfer", "=callback-dial", "op101"),
    ("target", CALLBACK, "b(callback-leg^s^1)", "b(callback-legs^s^1)", "callback-legs"),
    ("agi-unchecked", CALLBACK, 'GotoIf($["${TORITSUGI_DONE}" = "callback"]?decided,1)', "NoOp()", "TORITSUGI_DONE"),
    ("forbidden", TRUNK, "${T_RECORDING_DONE} ${T_RECORDINGS}", "rm ${T_RECORDINGS}", "MixMonitor"),
    ("outbound", QUEUE, "exten => status-CONTINUE,1,Hangup(16)",
     "exten => status-CONTINUE,1,Dial(PJSIP/0312345678@${T_TRUNK})\n same => n,Hangup(16)", "外線"),
    ("outbound", OPERATOR, "exten => *13,1,", "exten => *14,1,Goto(transfer,701,1)\nexten => *13,1,", "オペレーター"),
    ("outbound", TRANSFER, "Dial(PJSIP/op${FILTER(0-9,${T_BACK})},", "Dial(PJSIP/${T_BACK},", "転送"),
    ("outbound", "extensions.conf", "Set(T_TARGET=PJSIP/", "Set(T_TARGET=PJSIP/${EXTEN}", "文字どおり"),
    ("forwarding", QUEUE, "Queue(${T_STAGE},ti,", "Queue(${T_STAGE},t,", "302"),
    ("forwarding", CALLBACK, "${T_CB_RING},ib(", "${T_CB_RING},b(", "302"),
    ("citizen-side", QUEUE, "Queue(${T_STAGE},ti,", "Queue(${T_STAGE},nT,", "T は"),
    ("citizen-side", TRANSFER, "${T_STAFF_RING},ib(", "${T_STAFF_RING},iHb(", "H は"),
    ("module", "modules.conf", "load = app_celgenuserevent.so\n", "", "app_celgenuserevent"),
    ("module", "modules.conf", "load = func_uri.so\n", "", "URIENCODE()"),
    ("module", "modules.conf", "load = func_lock.so\n", "", "LOCK()"),
    ("module", "modules.conf", "load = func_logic.so\n", "", "IF()"),
    ("module", OPERATOR, "exten => *13,1,", "exten => *14,1,Festival(x)\n same => n,Hangup()\nexten => *13,1,",
     "Festival"),
    ("autoload", "modules.conf", "autoload = no", "autoload = yes", "autoload"),
    ("secret", "extensions.conf", "[globals]", "[globals]\nT_X = operator-secret-0001", "合言葉"),
    ("secret", "queues.conf", "[general]", "[general]\nsecret = x", "合言葉"),
    ("manager", "manager.conf", "bindaddr = 127.0.0.1", "bindaddr = 0.0.0.0", "外に開いて"),
    ("manager", "manager.conf", "webenabled = no", "webenabled = yes", "HTTP"),
    ("manager", "manager.conf", "permit = 127.0.0.1", "permit = 192.0.2.0", "外からの接続"),
    ("endpoint", "pjsip.conf", "allow_transfer = no\n", "", "allow_transfer"),
    ("endpoint", "pjsip.conf", "set_var = __TRANSFER_CONTEXT=operator-transfer\n", "", "TRANSFER_CONTEXT"),
    ("endpoint", "pjsip.conf", "direct_media = no\n", "direct_media = yes\n", "direct_media"),
    ("endpoint", "pjsip.conf", "[carrier]\ntype = endpoint", "[anonymous]\ntype = endpoint", "誰の電話"),
    ("agi-unchecked", IVR,
     ' same => n,GotoIf($["${TORITSUGI_DONE}" = "ivr"]?decided,1)\n same => n,Goto(fallback,1)',
     " same => n,Goto(fallback,1)", "AGISTATUS"),
    ("agi-unchecked", IVR, "exten => s,1,Set(TORITSUGI_DONE=)", "exten => s,1,Set(T_X=)", "空に"),
    ("outside-text", TRUNK, "GotoIf(${EXISTS(${T_DIVERSION})}?told)", 'GotoIf($["${T_DIVERSION}" != ""]?told)',
     "相手の選んだ命令"),
    ("outside-text", TRUNK, " same => n,Answer()",
     " same => n,ExecIf($[1]?Set(T_X=${PJSIP_HEADER(read,History-Info)}))\n same => n,Answer()", "相手の選んだ命令"),
    ("unread", IVR, "exten => s,1,", "exten => s,", "読めない"),
]  # fmt: skip


@pytest.mark.parametrize(
    "lacking",
    [{"referrals": ()}, {"directory": ()}, {"directory": (), "referrals": ()}],
    ids=lambda each: "+".join(each),
)
def test_a_city_need_not_hand_over(lacking: dict[str, tuple[()]]) -> None:
    assert lint(render(replace(sample_switch("matsusaka"), **lacking))) == []


@pytest.mark.parametrize(("rule", "file", "old", "new", "words"), MUTATIONS)
def test_each_rule_can_speak(
    rendered: dict[str, str], rule: str, file: str, old: str, new: str, words: str
) -> None:
    assert old in rendered[file]
    found = lint({**rendered, file: rendered[file].replace(old, new, 1)})
    assert [f for f in found if f.rule == rule and words in f.message], found
    assert all(f.place.rpartition(":")[2].isdigit() and f.cure for f in found)


def test_an_arrival_fits_into_a_cel_line(rendered: dict[str, str]) -> None:
    """res_cdrel_custom writes at most 1023 bytes a line, some 500 of them around what is counted here."""
    (arrival,) = (row for row in rendered[TRUNK].splitlines() if "TS_ARRIVED" in row)
    outside = re.findall(
        r"URIENCODE\(\$\{(?:T_DIVERSION|CALLERID|PJSIP_HEADER|CHANNEL)[^}]*\}\)(?::0:(\d+))?", arrival
    )
    assert len(outside) == 5
    assert all(outside)
    assert sum(int(cut) for cut in outside) <= 420


def test_a_finding_names_the_line(rendered: dict[str, str]) -> None:
    text = rendered[QUEUE].replace("Goto(overflow,full,1)", "Goto(overflow,fool,1)")
    lines = [n for n, row in enumerate(text.splitlines(), start=1) if "fool" in row]
    assert len(lines) == 2
    assert [f.place for f in lint({**rendered, QUEUE: text})] == [f"{QUEUE}:{line}" for line in lines]


def test_an_unclean_configuration_is_refused_with_its_first_fault(rendered: dict[str, str]) -> None:
    require_clean(rendered)
    broken = {**rendered, "manager.conf": rendered["manager.conf"].replace("127.0.0.1", "0.0.0.0")}
    with pytest.raises(UncleanConfiguration, match=r"manager\.conf:\d+: .*AMI.*ほか 1 件.*→") as caught:
        require_clean(broken)
    assert {finding.rule for finding in caught.value.findings} == {"manager"}
