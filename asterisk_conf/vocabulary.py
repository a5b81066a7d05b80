"""What our dialplan may say: application or function → the module of Asterisk 22 that brings it.

An empty module is the core (`pbx_builtins.c` and friends). What is in no table is unknown, and the lint refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping

APPLICATIONS: Mapping[str, str] = {
    "Answer": "",
    "Goto": "",
    "GotoIf": "",
    "Hangup": "",
    "NoOp": "",
    "Progress": "",
    "Ringing": "",
    "Set": "",
    "Wait": "",
    "AGI": "res_agi",
    "AddQueueMember": "app_queue",
    "CELGenUserEvent": "app_celgenuserevent",
    "Bridge": "",
    "ChanSpy": "app_chanspy",
    "ChannelRedirect": "app_channelredirect",
    "Dial": "app_dial",
    "EndWhile": "app_while",
    "ExecIf": "app_exec",
    "Gosub": "app_stack",
    "GosubIf": "app_stack",
    "MixMonitor": "app_mixmonitor",
    "PauseQueueMember": "app_queue",
    "Playback": "app_playback",
    "Queue": "app_queue",
    "QueueLog": "app_queue",
    "Read": "app_read",
    "RemoveQueueMember": "app_queue",
    "Return": "app_stack",
    "StopMixMonitor": "app_mixmonitor",
    "UnpauseQueueMember": "app_queue",
    "UserEvent": "app_userevent",
    "Verbose": "app_verbose",
    "While": "app_while",
}

FUNCTIONS: Mapping[str, str] = {
    "CALLERID": "func_callerid",
    "CHANNEL": "func_channel",
    "CUT": "func_cut",
    "DEVICE_STATE": "func_devstate",
    "EXISTS": "func_logic",
    "FILTER": "func_strings",
    "GLOBAL": "func_global",
    "GROUP": "func_groupcount",
    "GROUP_COUNT": "func_groupcount",
    "HANGUPCAUSE": "func_hangupcause",
    "IF": "func_logic",
    "LEN": "func_strings",
    "LOCK": "func_lock",
    "MATH": "func_math",
    "PJSIP_HEADER": "res_pjsip_header_funcs",
    "QUEUE_MEMBER": "app_queue",
    "QUEUE_WAITING_COUNT": "app_queue",
    "SET": "func_logic",
    "STRFTIME": "func_strings",
    "TIMEOUT": "func_timeout",
    "UNLOCK": "func_lock",
    "URIENCODE": "func_uri",
}

REFUSED = frozenset(
    {
        "System", "TrySystem", "Exec", "TryExec", "ExternalIVR", "EAGI", "DeadAGI", "AsyncAGI", "JACK", "Macro",
        "DISA", "Authenticate", "VMAuthenticate", "ReadFile", "Record", "SHELL", "CURL", "FILE", "EVAL", "ENV",
        "AST_CONFIG", "ODBC", "REALTIME",
    }
)  # fmt: skip
"""Applications and functions that run programs, read or write files, or evaluate text from outside."""

QUEUE_STATUS = (
    "TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "CONTINUE", "WITHDRAW",
)  # fmt: skip
"""Values of `QUEUESTATUS` in app_queue 22.10 (its documentation XML); an `i` takes `UNKNOWN` and later ones."""
