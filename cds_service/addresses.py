"""Which addresses a name may stand for, checked where the connection is made.

A name in the settings says nothing about where it leads: DNS answers are the business of whoever
runs the domain, and the next answer may be another one. So a name is resolved once for each
connection, every address it stands for is checked, and the connection goes to an address that was
checked. TLS and the Host header keep the name.

Sources: RFC 6890 (special-purpose addresses, by the tables of `ipaddress`); RFC 4291, 3056 and 6052
(IPv6 addresses that hold one of IPv4).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
# Where clouds tell a machine its secrets, outside of the link-local block.
_METADATA = frozenset(
    ip_address(text) for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)

Address = IPv4Address | IPv6Address


class Reach(Enum):
    """How far a connection may lead."""

    LOOPBACK = "this machine"
    NETWORK = "public and private networks"
    PUBLIC = "the public internet"


class AddressError(ValueError):
    """A name that stands for an address beyond its reach; the message repeats neither."""


def resolve(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of a host, all of them within reach.

    One address beyond it refuses the name: whoever mixes them has no good in mind, and which of them
    would be called is chance. Raises AddressError, and OSError for a name that does not resolve.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not all(within(ip_address(address), reach) for address in addresses):
        raise AddressError("the name stands for an address that may not be called")
    return addresses


def within(address: Address, reach: Reach) -> bool:
    """Whether an address may be called. An address inside another must pass as well."""
    return all(_fits(each, reach) for each in _layers(address))


def _layers(address: Address) -> Iterator[Address]:
    if not isinstance(address, IPv6Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped  # the kernel connects to this one, and to nothing else
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield IPv4Address(address.packed[-4:])


def _fits(address: Address, reach: Reach) -> bool:
    if address.is_loopback or reach is Reach.LOOPBACK:
        return address.is_loopback and reach is Reach.LOOPBACK
    never = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    if never or address in _METADATA:
        return False
    return reach is Reach.NETWORK or address.is_global
