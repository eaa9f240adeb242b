"""Our five services on this machine: migrated, started, stopped and killed by name."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx

from arrears.cli.client.installation import SERVICES, Installation, entry_point, run
from arrears.cli.client.trouble import Trouble, WrongUse
from arrears.cli.stack import Supervisor
from arrears.cli.stack.folder import LOOPBACK, free_ports, is_free
from arrears.shared.kernel.host import host_and_port
from arrears.shared.keyring.schema import migrate as migrate_keystore
from arrears.shared.service.migrating import make_database
from arrears.shared.service.settings import PORTS, database_url

START_PATIENCE: Final = 120.0
Say = Callable[[str], None]


def compiled_once(installation: Installation) -> dict[str, str]:
    """Where Python keeps what it has compiled, whatever the caller's shell says: ten programs that
    compile everything anew would take longer to start than the demo may."""
    kept = installation.folder.local / "cache" / "pycache"
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(kept)}


def migrate_all(installation: Installation, say: Say) -> None:
    """Every service's database and the key store, each made if missing. At once: each waits."""
    env = {**installation.environment(), **compiled_once(installation)}
    with ThreadPoolExecutor(len(SERVICES) + 1) as pool:
        keys = pool.submit(run, _migrate_keys(env))
        done = [pool.submit(_migrate, service, env) for service in SERVICES]
        for one in done:
            say(one.result())
        say(f"arrears_keys: key store, version {keys.result()}")


def choose_ports(installation: Installation, say: Say) -> dict[str, str]:
    """The usual port of each service, or another where a stranger has it."""
    supervisor = Supervisor(installation.root)
    listen: dict[str, str] = {}
    for service in SERVICES:
        name = f"ARREARS_{service.upper()}_LISTEN"
        if given := installation.given.get(name):
            _check_free(name, given, running=supervisor.alive(service))
            listen[service] = given
            continue
        port = PORTS[service]
        if not is_free(port) and not supervisor.alive(service):
            port = free_ports(1)[0]
            say(f"{service}: port {PORTS[service]} is taken by another program, taking {port}")
        listen[service] = f"{LOOPBACK}:{port}"
    return listen


def start(installation: Installation, services: Iterable[str]) -> None:
    """Start `run` (API and worker in one process) of each that does not run yet.

    A worker that starts again under its name takes back its shards at once.
    """
    supervisor, env = Supervisor(installation.root), installation.environment()
    for service in services:
        if not supervisor.alive(service):
            named = {"ARREARS_WORKER": f"{service}-1", **env, **compiled_once(installation)}
            supervisor.start(service, [entry_point(service), "run"], named)


def wait_until_up(installation: Installation, services: Iterable[str]) -> None:
    """Raises Trouble with the service's last words where one ends or stays silent."""
    supervisor = Supervisor(installation.root)
    until = time.monotonic() + START_PATIENCE
    names = list(services)
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        for service in names:
            _check_runs(supervisor, service)
            while not _answers(client, installation.url(service)):
                _check_runs(supervisor, service)
                if time.monotonic() > until:
                    raise Trouble(f"{service} does not answer, see {supervisor.log(service)}")
                time.sleep(0.05)
    # A stranger may have answered in the place of one that found its port taken.
    for service in names:
        _check_runs(supervisor, service)


def _check_runs(supervisor: Supervisor, service: str) -> None:
    if not supervisor.alive(service):
        words = supervisor.why_it_ended(service)
        raise Trouble(f"{service} did not start: {words} ({supervisor.log(service)})")


def stop(installation: Installation, services: Iterable[str] = SERVICES) -> list[str]:
    """All are asked at once and then waited for."""
    supervisor = Supervisor(installation.root)
    running = [service for service in services if supervisor.alive(service)]
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        list(pool.map(supervisor.stop, running))
    return running


def _answers(client: httpx.Client, base: str) -> bool:
    try:
        client.get(f"{base}/health")
    except httpx.TransportError:
        return False
    return True


def _check_free(name: str, listen: str, *, running: bool) -> None:
    place = host_and_port(listen)
    if place is None:
        raise WrongUse(name, f"{listen!r} is not host:port")
    if not running and not is_free(place[1]):
        raise WrongUse(name, f"port {place[1]} is taken by another program")


def _migrate(service: str, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        [entry_point(service), "migrate"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise Trouble(f"{service} cannot be migrated: {words}")
    return (done.stdout.strip().splitlines() or [f"{service}: migrated"])[-1]


async def _migrate_keys(env: Mapping[str, str]) -> int:
    dsn = env.get("ARREARS_KEYSTORE")
    if not dsn:
        server = env["ARREARS_POSTGRES"]
        dsn = database_url(server, "arrears_keys")
        await make_database(server, "arrears_keys")
    return await migrate_keystore(dsn)
