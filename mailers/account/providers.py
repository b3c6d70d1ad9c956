"""The common mail providers with their hosts and ports, so that people need not know them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.settings import MailServer

# Measured limit of these providers for one sender; they also require the login as sender.
PACED = {"smtp.qq.com": 3.0, "smtp.exmail.qq.com": 3.0, "smtp.163.com": 3.0, "smtp.126.com": 3.0}

SENDER_IS_LOGIN = frozenset(PACED)


@dataclass(frozen=True)
class MailProvider:
    """A mail provider.

    ``hosts``: the domain of an address to the host that takes its mail; the first one serves every
    other domain.
    """

    key: str
    name: str
    hosts: dict[str, str]
    port: int = 465
    security: str = "smtps"

    def server(self, address: str, password: str) -> MailServer:
        """Return the server; these providers take the address itself as login."""
        host = self.hosts.get(_domain(address)) or next(iter(self.hosts.values()))
        return MailServer(self.security, host, self.port, address, password)


QQ = "qq"
NETEASE = "163"
GMAIL = "gmail"
OUTLOOK = "outlook"
OWN = "own"

PRESETS: dict[str, MailProvider] = {
    preset.key: preset
    for preset in (
        MailProvider(
            QQ,
            "QQ",
            {"qq.com": "smtp.qq.com", "vip.qq.com": "smtp.qq.com", "foxmail.com": "smtp.qq.com"},
        ),
        MailProvider(
            NETEASE,
            "163 / 126",
            {"163.com": "smtp.163.com", "126.com": "smtp.126.com", "yeah.net": "smtp.yeah.net"},
        ),
        MailProvider(
            GMAIL, "Gmail", {"gmail.com": "smtp.gmail.com", "googlemail.com": "smtp.gmail.com"}
        ),
        MailProvider(
            OUTLOOK,
            "Outlook",
            {
                "": "smtp.office365.com",
                "outlook.com": "smtp-mail.outlook.com",
                "hotmail.com": "smtp-mail.outlook.com",
            },
            587,
            "smtp+starttls",
        ),
    )
}


def preset_of(address: str) -> str:
    """Return the key of an address's provider, "" if it is none of these."""
    domain = _domain(address)
    return next(
        (preset.key for preset in PRESETS.values() if domain and domain in preset.hosts), ""
    )


def preset_at(host: str) -> str:
    """Return the key of the provider with this host, else *own*."""
    return next((preset.key for preset in PRESETS.values() if host in preset.hosts.values()), OWN)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
