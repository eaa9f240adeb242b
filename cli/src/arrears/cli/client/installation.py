"""What is installed at a checkout: where Kafka, PostgreSQL and the services are, and how they run.

What was given on purpose (`ARREARS_…`) comes first, then what was started here and written down in
`.local/`. Secrets are never written down twice: the server's password and the master key are read
from their own files each time.
"""

import asyncio
import os
import secrets
import shutil
import sys
from base64 import b64encode
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from arrears.cli.client.trouble import Trouble, WrongUse
from arrears.cli.stack import checkout_root, ensure_stack, postgres_answers, record
from arrears.cli.stack.folder import LOOPBACK, Folder
from arrears.cli.stack.postgresql import PostgreSQL
from arrears.cli.whole_file import written_whole
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.service.settings import PORTS

STAGES: Final = ("intake", "contact", "mediation", "legal")
"""In the order in which facts flow within a day."""
SERVICES: Final = (*STAGES, "history")
KAFKA: Final = "ARREARS_KAFKA"
POSTGRES: Final = "ARREARS_POSTGRES"
MASTER_KEY: Final = "ARREARS_MASTER_KEY"
_PREFIX: Final = "ARREARS_"

Answer = TypeVar("Answer")


class Started(Struct, frozen=True, kw_only=True):
    """`.local/services.json`: how the services were started here last, without secrets."""

    listen: dict[str, str] = {}
    settings: dict[str, str] = {}


class Installation:
    """One checkout and the settings given on purpose."""

    def __init__(self, root: Path, given: Mapping[str, str], started: Started) -> None:
        self.root = root
        self.folder = Folder(root)
        self.given = {name: text for name, text in given.items() if name.startswith(_PREFIX)}
        self.started = started

    @classmethod
    def find(cls, root: Path | None = None, env: Mapping[str, str] | None = None) -> Self:
        root = root or checkout_root()
        return cls(root, os.environ if env is None else env, _read(Folder(root)))

    # --- Settings

    def environment(self) -> dict[str, str]:
        """The `ARREARS_…` settings of a service of this installation; nothing is started."""
        env = dict(self.started.settings)
        held = record.read(self.folder)
        if held.kafka_port is not None:
            env[KAFKA] = f"{LOOPBACK}:{held.kafka_port}"
        if held.postgres_port is not None and POSTGRES not in self.given:
            env[POSTGRES] = _local_dsn(self.folder, held)
        key = self.folder.local / "master-key"
        if key.exists() and MASTER_KEY not in self.given:
            env[MASTER_KEY] = key.read_text().strip()
        env |= {f"ARREARS_{name.upper()}_LISTEN": at for name, at in self.started.listen.items()}
        return env | self.given

    def ensured(self, say: Any = lambda _line: None) -> dict[str, str]:
        """The same, with Kafka and PostgreSQL started where they were not given and do not run."""
        stack = ensure_stack(self.root, self.given.get(KAFKA), self.given.get(POSTGRES), say)
        env = self.environment()
        env[KAFKA], env[POSTGRES] = stack.kafka_bootstrap, stack.postgres_admin_dsn
        return env

    def as_it_runs(self) -> dict[str, str]:
        """The same, where a PostgreSQL answers. Raises Trouble: nothing is started to look."""
        env = self.environment()
        if POSTGRES not in env or not postgres_answers(env[POSTGRES]):
            raise Trouble("no PostgreSQL runs, and a look starts none: `arrears stack up` does")
        return env

    def given_addresses(self) -> list[str]:
        """Addresses that are not ours to wipe, without passwords."""
        found = [self.given[KAFKA]] if self.given.get(KAFKA) else []
        if dsn := self.given.get(POSTGRES):
            # Without user and password; whether it is an address is said when it is asked.
            server = dsn.partition("?")[0].rpartition("@")[2].rpartition("//")[2]
            found.append(server.partition("/")[0])
        return found

    @property
    def calendar(self) -> BankCalendar:
        name = self.environment().get("ARREARS_ZONE", "Asia/Shanghai")
        try:
            return BankCalendar(name)
        except (KeyError, ValueError, OSError):
            raise WrongUse("ARREARS_ZONE", f"{name!r} is not the name of a time zone") from None

    # --- Services

    def url(self, service: str) -> str:
        """Where the API of a service is."""
        given = self.given.get(f"ARREARS_{service.upper()}_URL")
        if given:
            try:
                parts = urlsplit(given)
                good = parts.scheme in {"http", "https"} and bool(parts.hostname)
                # Without a user and a password: the address is said where nobody answers.
                good = good and parts.port != 0 and "@" not in parts.netloc
            except ValueError:
                good = False
            if not good:
                raise WrongUse(f"ARREARS_{service.upper()}_URL", "give it as http://host:port")
            return given.rstrip("/")
        listen = self.environment().get(f"ARREARS_{service.upper()}_LISTEN")
        return f"http://{listen or f'{LOOPBACK}:{PORTS[service]}'}"

    def remember(self, started: Started) -> None:
        self.started = started
        with written_whole(self.folder.local / "services.json") as out:
            out.write(msgspec.json.format(msgspec.json.encode(started)))

    def make_master_key(self) -> None:
        """A key of this checkout's own, unless one was given or made before."""
        path = self.folder.local / "master-key"
        if self.given.get(MASTER_KEY) or path.exists():
            return
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(b64encode(secrets.token_bytes(32)).decode())


def is_live(env: Mapping[str, str]) -> bool:
    """Whether the services of these settings follow the wall clock, and no feed closes a day."""
    return env.get("ARREARS_CLOCK") == "live"


def entry_point(service: str) -> str:
    """The program of a service: beside this interpreter, else on the path."""
    if service not in SERVICES:
        raise WrongUse("SERVICE", f"{service!r} is not one of {', '.join(SERVICES)}")
    name = f"arrears-{service}"
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise Trouble(f"{name} is not installed here: `make setup` installs it")
    return found


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        import uvloop  # noqa: PLC0415 - not to be had on every platform
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def _local_dsn(folder: Folder, held: record.Record) -> str:
    if held.compose_runs:
        return f"postgresql://arrears:arrears@{LOOPBACK}:{held.postgres_port}/postgres"
    return PostgreSQL(folder, lambda _line: None).dsn


def _read(folder: Folder) -> Started:
    path = folder.local / "services.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Started)
    except FileNotFoundError:
        return Started()
    except msgspec.DecodeError as error:
        raise Trouble(f"{path} cannot be read ({error}): remove it") from error
