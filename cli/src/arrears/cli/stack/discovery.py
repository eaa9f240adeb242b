"""Which Kafka and which PostgreSQL are used, and by whose word.

The order: addresses given on purpose; what runs from an earlier start; containers where an engine
has the images; local processes. The choice is said in one line before anything is written to it.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from arrears.cli.stack import processes, record
from arrears.cli.stack.compose import Compose
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import Folder
from arrears.cli.stack.kafka import Kafka, brokers_seen
from arrears.cli.stack.postgresql import PostgreSQL, says_ready
from arrears.cli.stack.supervisor import Supervisor
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.kernel.host import host_and_port, is_host

Say = Callable[[str], None]
KAFKA_VARIABLE = "ARREARS_KAFKA"
POSTGRES_VARIABLE = "ARREARS_POSTGRES"


class Stack(msgspec.Struct, frozen=True):
    """What everything else needs to know of the infrastructure; the dsn holds a password."""

    kafka_bootstrap: str
    postgres_admin_dsn: str
    how: str

    def told(self) -> dict[str, str]:
        """What may be shown and logged."""
        parts = urlsplit(self.postgres_admin_dsn)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        where = f"{host}:{parts.port or 5432}"
        return {"kafka": self.kafka_bootstrap, "postgres": where, "how": self.how}


class Part(msgspec.Struct, frozen=True):
    """One line of `arrears stack status`."""

    name: str
    running: bool
    address: str | None = None
    pid: int | None = None
    log: str | None = None


def _silent(_line: str) -> None:
    return None


def ensure_stack(
    root: Path,
    kafka: str | None = None,
    postgres: str | None = None,
    say: Say = _silent,
) -> Stack:
    """A Kafka and a PostgreSQL that answer: those that are given, else of this folder's own.

    Started where there are none; asking again costs milliseconds.
    """
    brokers = _brokers(kafka) if kafka else []
    server = _server(postgres) if postgres else None
    if kafka:
        _check_kafka(kafka, brokers)
    if server is not None:
        _check_postgres(*server)
    if kafka and postgres:
        return _said(Stack(kafka, postgres, "the addresses that were given"), say)
    folder = Folder(root)
    folder.prepare()
    with folder.only_one("start"):
        if not kafka and not postgres:
            return _said(_both(folder, say), say)
        if kafka:
            own = PostgreSQL(folder, say).start()
            return _said(Stack(kafka, own, "the Kafka that was given, a local PostgreSQL"), say)
        assert postgres is not None
        own = Kafka(folder, say).start()
        return _said(Stack(own, postgres, "a local Kafka, the PostgreSQL that was given"), say)


def _both(folder: Folder, say: Say) -> Stack:
    kafka, postgres = Kafka(folder, say), PostgreSQL(folder, say)
    if kafka.answers() and postgres.answers():
        return Stack(kafka.bootstrap, postgres.dsn, "what runs already from an earlier start")
    compose = Compose(folder, say)
    # Data in `.local` was written by local processes; containers beside it would be an empty second
    # world.
    if not (folder.kafka / "data.done").exists() and compose.is_possible():
        bootstrap, dsn = compose.start()
        return Stack(bootstrap, dsn, "containers")
    dsn = postgres.start()
    return Stack(kafka.start(), dsn, "local processes")


def postgres_answers(dsn: str) -> bool:
    """Raises BadSetting where that is no address."""
    return _answers(*_server(dsn))


def stop_stack(root: Path, say: Say = _silent) -> list[str]:
    """End what was started from this checkout, services first; the names of what ran."""
    folder = Folder(root)
    if not folder.record.exists():
        return []
    with folder.only_one("start"):
        stopped = Supervisor(root).stop_all()
        for name, server in (
            ("Kafka", Kafka(folder, say)),
            ("PostgreSQL", PostgreSQL(folder, say)),
            ("containers", Compose(folder, say)),
        ):
            if server.stop():
                stopped.append(name)
                say(f"{name}: stopped")
    return stopped


def _within(folder: Folder) -> list[Folder]:
    """Stacks for one purpose (`client.ground`) whose command was killed: they may run yet."""
    return [Folder(path.parent.parent) for path in folder.local.glob("*/.local/stack.json")]


def clean_stack(root: Path, say: Say = _silent) -> None:
    """Stop and remove `.local/`, the environment that this very command runs in last of all."""
    folder = Folder(root)
    if not folder.local.exists():
        return
    for place in (*_within(folder), folder):
        Compose(place, say).remove()
        stop_stack(place.root, say)
        PostgreSQL(place, say).remove()
    parts = sorted(folder.local.iterdir(), key=lambda path: path.name == "venv")
    for part in parts:
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
    shutil.rmtree(folder.local, ignore_errors=True)
    say(f"removed {folder.local}")


def status(root: Path) -> list[Part]:
    folder = Folder(root)
    held = record.read(folder)
    kafka, postgres = Kafka(folder, _silent), PostgreSQL(folder, _silent)
    parts = [
        Part(
            "Kafka",
            kafka.answers(),
            kafka.bootstrap if held.kafka_port else None,
            held.kafka.pid if held.kafka else None,
            str(kafka.log),
        ),
        Part(
            "PostgreSQL",
            postgres.answers(),
            # Without the password: a status is pasted into letters and tickets.
            f"127.0.0.1:{held.postgres_port}" if held.postgres_port else None,
            held.postgres.pid if held.postgres else None,
            str(folder.logs / "postgresql.log"),
        ),
    ]
    parts += [
        Part(name, processes.is_alive(process), None, process.pid, str(folder.logs / f"{name}.log"))
        for name, process in sorted(held.processes.items())
    ]
    return parts


def _said(stack: Stack, say: Say) -> Stack:
    told = stack.told()
    say(f"uses {told['how']}: Kafka {told['kafka']}, PostgreSQL {told['postgres']}")
    return stack


def _brokers(bootstrap: str) -> list[tuple[str, int]]:
    """Where brokers were said to be. Raises BadSetting before anybody is asked."""
    found = []
    for address in bootstrap.split(","):
        place = host_and_port(address.strip())
        if place is None:
            raise BadSetting(KAFKA_VARIABLE, f"{address.strip()!r} is not host:port")
        found.append((place[0].strip("[]"), place[1]))
    return found


def _server(dsn: str) -> tuple[str, int]:
    """Where PostgreSQL was said to be. Raises BadSetting, whose text holds no password."""
    try:
        parts = urlsplit(dsn)
        host, port = parts.hostname, parts.port or 5432
    except ValueError:
        host, port = None, 0
    known = dsn.startswith(("postgresql://", "postgres://"))
    if not known or host is None or not is_host(f"[{host}]" if ":" in host else host):
        rule = "not an address like postgresql://user:password@host:5432/postgres"
        raise BadSetting(POSTGRES_VARIABLE, rule)
    return host, port


def _check_kafka(bootstrap: str, brokers: list[tuple[str, int]]) -> None:
    """A broker that wants TLS or a password hangs up on a plain question: an open port will do."""
    if not any(brokers_seen(*broker) > 0 or _opens(*broker) for broker in brokers):
        raise StackError(f"{KAFKA_VARIABLE}: no Kafka answers at {bootstrap}")


def _check_postgres(host: str, port: int) -> None:
    if not _answers(host, port):
        raise StackError(f"{POSTGRES_VARIABLE}: no PostgreSQL answers at {host}:{port}")


def _answers(host: str, port: int) -> bool:
    return says_ready(port, host) or _opens(host, port)


def _opens(host: str, port: int) -> bool:
    import socket  # noqa: PLC0415

    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return False
    return True
