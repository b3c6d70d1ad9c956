"""Networks that a visitor's address belongs to: rate limits count per network."""

from __future__ import annotations

import ipaddress

# RFC 6052: how a network without IPv4 writes an IPv4 address.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# The holder of a line has a /64 and often all of a /48 (RFC 6177).
LINE, SITE = 64, 48
_LONGEST = 100


def networks_of(address: str) -> tuple[str, ...]:
    """Return the address of IPv4, or the /64 and the /48 of IPv6.

    An IPv6 address that holds an IPv4 address counts as that one; a text that is no address counts
    as itself.
    """
    bare = address.strip().removeprefix("[").partition("]")[0].partition("%")[0][:_LONGEST]
    if bare.count(":") == 1:  # some proxies write the port along
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return (bare or "?",)
    if isinstance(found, ipaddress.IPv6Address):
        inner = _inner_ipv4(found)
        if inner is None:
            return tuple(
                str(ipaddress.ip_network((found, size), strict=False)) for size in (LINE, SITE)
            )
        found = inner
    return (str(found),)


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
