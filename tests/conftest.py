"""What every room of the tests may use: the infrastructure, and which one it was."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from arrears.cli.stack import Stack, checkout_root, ensure_stack
from arrears.shared.service.migrating import drop_database, make_database, migrate
from arrears.shared.service.settings import database_url

_USED: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that is run in a test says where its logs go; the next test must not inherit it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Stack:
    """Addresses given on purpose (ARREARS_KAFKA, ARREARS_POSTGRES) first, else what is started."""
    said = request.config.stash.setdefault(_USED, [])
    kafka, postgres = (os.environ.get(f"ARREARS_{name}") for name in ("KAFKA", "POSTGRES"))
    return ensure_stack(checkout_root(), kafka, postgres, said.append)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells what it used to the one that prints."""
    if hasattr(session.config, "workeroutput"):
        used: list[str] = session.config.stash.get(_USED, [])
        session.config.workeroutput["used"] = used


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    used: list[str] = getattr(node, "workeroutput", {}).get("used", [])
    node.config.stash.setdefault(_USED, []).extend(used)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    used: list[str] = config.stash.get(_USED, [])
    for line in dict.fromkeys(used):
        terminalreporter.write_line(f"infrastructure: {line}")


@pytest.fixture(scope="module")
def service_database(
    stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], str]]:
    """The address of a service's migrated database, its own for every test module."""
    made: dict[str, str] = {}

    def database(service: str) -> str:
        if service not in made:
            name = f"t{os.getpid()}_{request.node.path.stem}_{service}"[:60]
            asyncio.run(make_database(stack.postgres_admin_dsn, name))
            made[service] = name
            root = Path(__file__).parent.parent / "services" / service / "migrations"
            migrate(root, database_url(stack.postgres_admin_dsn, name))
        return database_url(stack.postgres_admin_dsn, made[service])

    yield database
    for name in made.values():
        asyncio.run(drop_database(stack.postgres_admin_dsn, name))
