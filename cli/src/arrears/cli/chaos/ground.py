"""The ground of a run: two servers behind proxies, nine processes, and the ways to hurt them."""

import asyncio
import resource
import secrets
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psutil

from arrears.cli.chaos.plan import LEASE_SECONDS
from arrears.cli.chaos.proxy import Proxy
from arrears.cli.client.ground import Ground, Say
from arrears.cli.client.trouble import Trouble
from arrears.cli.stack import processes, record, stop_stack
from arrears.cli.stack.folder import LOOPBACK, Folder, is_free
from arrears.cli.stack.kafka import Kafka
from arrears.cli.stack.postgresql import PostgreSQL
from arrears.shared.service.clock import wall_clock

STOP_PATIENCE: Final = 10.0
GONE_PATIENCE: Final = 20.0
_PORTS: Final = range(15_000, 32_000)


def _silent(_line: str) -> None:
    return None


class ChaosGround(Ground):
    """The services reach both servers through the proxies only; we ourselves reach them directly.

    Everything that may take a moment runs in a thread, for the proxies live in this process.
    """

    def __init__(self, root: Path, say: Say) -> None:
        super().__init__(root, "chaos", say)
        self.kafka_proxy, self.database_proxy = Proxy(), Proxy()
        self._folder: Folder = self.installation.folder
        self.started_at: dict[str, datetime] = {}
        self._those: Mapping[str, tuple[str, str]] = {}

    async def build(self, seed: int) -> None:
        """Both servers, empty, and the proxies before them."""
        await self.kafka_proxy.start()
        await self.database_proxy.start()
        # What an interrupted run left behind knows nothing of the proxies of this one.
        await asyncio.to_thread(stop_stack, self.installation.root)
        self._folder.prepare()
        own, controller, front, database = _steady_ports(4)
        with record.change(self._folder) as held:
            held.kafka_port, held.kafka_controller_port, held.postgres_port = (
                own,
                controller,
                database,
            )
            held.kafka_front = (front, self.kafka_proxy.port)
        self.kafka_proxy.target, self.database_proxy.target = front, database
        await self.empty(seed)

    async def empty(self, seed: int) -> None:
        await asyncio.to_thread(self.prepare, "feed", seed)

    async def start_all(self, those: Mapping[str, tuple[str, str]]) -> None:
        self._those = those
        for name in those:
            self.supervisor.log(name).unlink(missing_ok=True)
            await self.start_one(name)

    async def start_one(self, name: str) -> None:
        service, command = self._those[name]
        self.started_at[name] = wall_clock()
        await asyncio.to_thread(self.start, service, command, name, self._behind_proxies())

    def listens(self, service: str) -> str:
        return self.installation.started.listen[service]

    async def stop_all(self) -> None:
        await asyncio.to_thread(self.stop)

    async def destroy(self) -> None:
        """Stop everything, also what is frozen or cut off at this moment."""
        for held in self.supervisor.held().values():
            processes.send(held, signal.SIGKILL)
        await self.kafka_proxy.close()
        await self.database_proxy.close()
        await asyncio.to_thread(self.down)

    def _behind_proxies(self) -> dict[str, str]:
        parts = urlsplit(self.env["ARREARS_POSTGRES"])
        who = parts.netloc.rpartition("@")[0]
        there = f"{who}@{LOOPBACK}:{self.database_proxy.port}"
        return {
            "ARREARS_KAFKA": f"{LOOPBACK}:{self.kafka_proxy.port}",
            "ARREARS_POSTGRES": urlunsplit(parts._replace(netloc=there)),
            "ARREARS_LEASE_SECONDS": str(LEASE_SECONDS),
        }

    # --- Processes

    def check_alive(self) -> None:
        """Nothing may end by itself: what must stop loudly has no reason to, whatever we do."""
        for name in self._those:
            if not self.supervisor.alive(name):
                words = self.supervisor.why_it_ended(name)
                raise Trouble(f"{name} has ended by itself: {words} ({self.supervisor.log(name)})")

    async def kill(self, name: str) -> None:
        await asyncio.to_thread(self.supervisor.kill, name)

    async def stop_politely(self, name: str) -> None:
        """Raises Trouble where SIGTERM is not enough."""
        ended = await asyncio.to_thread(self.supervisor.stop, name, STOP_PATIENCE)
        if not ended:
            raise Trouble(
                f"{name} did not end within {STOP_PATIENCE:.0f} s of SIGTERM "
                f"({self.supervisor.log(name)})"
            )

    def fenced(self) -> int:
        """How often a log of ours says that somebody was fenced, since all were started."""
        return sum(
            log.read_text(errors="replace").count('"Fenced"')
            for log in map(self.supervisor.log, self._those)
            if log.exists()
        )

    # --- Servers

    async def kill_database(self) -> None:
        """The postmaster and every process of it at once: no checkpoint, no goodbye."""
        held = record.read(self._folder).postgres
        if held is not None:
            await asyncio.to_thread(_kill_tree, held)

    async def start_database(self) -> None:
        await asyncio.to_thread(PostgreSQL(self._folder, _silent).start)

    async def kill_broker(self) -> None:
        held = record.read(self._folder).kafka
        if held is not None:
            await asyncio.to_thread(_kill_tree, held)

    async def start_broker(self) -> None:
        await asyncio.to_thread(Kafka(self._folder, _silent).start)

    def broker_lives(self) -> bool:
        return processes.is_alive(record.read(self._folder).kafka)

    def fill_disk(self, room: int) -> None:
        """No file of the broker may grow beyond the largest segment of ours and a little room.

        The kernel's limit on the size of files stands for a full disk: it needs no rights, and the
        write that meets it is cut short or refused with an error, as on a full disk.
        """
        data = self._folder.kafka / "data"
        sizes = [path.stat().st_size for path in data.glob("*arrears.*/*.log")]
        sizes += [path.stat().st_size for path in data.glob("corebanking*/*.log")]
        self._limit_files(max(sizes, default=0) + room)

    def empty_disk(self) -> None:
        self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, size: int) -> None:
        held = record.read(self._folder).kafka
        if held is not None and processes.is_alive(held):
            with suppress(ProcessLookupError):
                _, most = resource.prlimit(held.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(held.pid, resource.RLIMIT_FSIZE, (size, most))


def _steady_ports(count: int) -> list[int]:
    """Ports below those that the kernel hands out to clients.

    Whoever tries again and again to reach a dead server on one of the others is one day connected
    to itself, and the server finds its port taken when it comes back.
    """
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(_PORTS)
        if port not in found and is_free(port):
            found.append(port)
    return found


def _kill_tree(held: processes.Running) -> None:
    if not processes.is_alive(held):
        return
    with suppress(psutil.Error):
        root = psutil.Process(held.pid)
        family = [root, *root.children(recursive=True)]
        for process in family:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(family, timeout=GONE_PATIENCE)
    processes.wait_gone(held, GONE_PATIENCE)
