"""Addresses as settings give them: `host:port`, judged before anybody looks a name up."""

import re
from typing import Final

_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+(%\w+)?\]", re.ASCII)
_HOST_MAX: Final = 253
_PORT: Final = re.compile(r"\d{1,5}", re.ASCII)


def is_host(text: str) -> bool:
    """A name or an address; a longer name or other characters make the resolver itself fail."""
    return len(text) <= _HOST_MAX and _HOST.fullmatch(text) is not None


def host_and_port(text: str) -> tuple[str, int] | None:
    """None where it is not host:port with a port from 1 to 65535."""
    host, _, port = text.rpartition(":")
    if not (is_host(host) and _PORT.fullmatch(port) and 0 < int(port) < 65536):
        return None
    return host, int(port)
