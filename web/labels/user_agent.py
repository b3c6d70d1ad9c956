"""The name of a browser by which its owner knows it: "iPhone · WeChat"."""

from __future__ import annotations

import re

from engine.text.i18n import marked as _

# The first match names it: browsers add the names of older ones for old servers' sake.
MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
WECHAT = _("WeChat")
QQ = "QQ"
BROWSER = _("browser")
SOMETHING = _("an unknown device")
PROGRAMS = (
    ("MicroMessenger", WECHAT),
    ("DingTalk", _("DingTalk")),
    ("Lark/", _("Feishu")),
    ("MQQBrowser", _("QQ Browser")),
    (" QQ/", QQ),
    ("UCBrowser", "UC"),
    ("HuaweiBrowser", "Huawei"),
    ("MiuiBrowser", "Mi"),
    ("SamsungBrowser", "Samsung"),
    ("OPR/", "Opera"),
    ("Edg", "Edge"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_TOOL = re.compile(r"[\w.-]{1,30}(?=/\d)")


def device_words(agent: str) -> tuple[str, str]:
    """Return machine and program, msgids or names; "" if unknown."""
    machine = next((name for sign, name in MACHINES if sign in agent), "")
    program = next((name for sign, name in PROGRAMS if sign in agent), "")
    if not machine and not program:
        found = _TOOL.match(agent)
        return ("", found[0]) if found else (SOMETHING, "")
    return machine, program or BROWSER
