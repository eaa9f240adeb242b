"""`.local/`: the one folder of a checkout that setting up and running may write to."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import SystemRandom
from typing import Final

from arrears.cli.stack.errors import StackError

LOOPBACK = "127.0.0.1"
ROOM_FIRST_TIME = 1_000_000_000
ROOM_TO_RUN = 300_000_000
_LENT: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LENT_BY_DEFAULT: Final = "32768 60999"
"""Linux's own, for where it cannot be read."""
_PORT_FROM: Final = 10_000
_PORT_END: Final = 65_536


def checkout_root(start: Path | None = None) -> Path:
    """The checkout that a command is about.

    The one it stands in, else the one it was installed from.
    """
    for begin in (start or Path.cwd(), Path(__file__).resolve()):
        for folder in (begin, *begin.parents):
            if (folder / "requirements" / "run.txt").exists() and (folder / "services").is_dir():
                return folder
    raise StackError("this is no checkout of Arrears: change into one first")


class Folder:
    """Paths inside `.local/`, so that no other file spells them."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.local = self.root / ".local"
        self.logs = self.local / "log"
        self.kafka = self.local / "kafka"
        self.postgresql = self.local / "postgresql"
        self.record = self.local / "stack.json"

    def prepare(self) -> None:
        """Refuse early: half a Kafka on a full disk is harder to explain than one sentence."""
        try:
            for folder in (self.local, self.logs, self.kafka, self.postgresql):
                folder.mkdir(exist_ok=True)
            # The feed's topic holds personal data in the clear.
            self.kafka.chmod(0o700)
            probe = self.local / f".writable-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StackError(
                f"cannot write to {self.local} ({error.strerror}): own the checkout, or copy it"
            ) from error
        needed = ROOM_TO_RUN if (self.kafka / "data").exists() else ROOM_FIRST_TIME
        free = shutil.disk_usage(self.local).free
        if free < needed:
            raise StackError(
                f"no room for {self.local}: {needed / 1e9:.1f} GB needed, {free / 1e9:.2f} GB free"
            )

    @contextmanager
    def only_one(self, name: str) -> Iterator[None]:
        """Two `make up` at once would start two brokers on one folder: the second waits here."""
        self.local.mkdir(exist_ok=True)
        with (self.local / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def is_free(port: int) -> bool:
    """Asked by binding, as the server will: a listener that does not answer is still in the way."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def own_ports(lent: str) -> range:
    """Where a server that is killed and started again finds its port free: the system lends none
    of these to an outgoing connection. `lent` names the first and the last that it lends.
    """
    first, last = (int(port) for port in lent.split())
    sides = range(_PORT_FROM, first), range(last + 1, _PORT_END)
    return max(sides, key=len) or range(_PORT_FROM, _PORT_END)


def free_ports(count: int) -> list[int]:
    """Drawn, so that two who draw at once seldom meet, and held together until all are found."""
    chance, lent = SystemRandom(), _LENT_BY_DEFAULT
    with suppress(OSError):
        lent = _LENT.read_text()
    ports = own_ports(lent)
    with ExitStack() as held:
        found: list[int] = []
        for port in chance.sample(ports, len(ports)):
            if len(found) == count:
                return found
            probe = held.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind((LOOPBACK, port))
                found.append(port)
    raise StackError(f"fewer than {count} ports are free on {LOOPBACK}")
