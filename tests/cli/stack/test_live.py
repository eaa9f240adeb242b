"""The real thing in a folder of its own: started, found again, crashed, stopped, removed."""

import asyncio
import signal
import socket
import time
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from arrears.cli.stack import (
    clean_stack,
    discovery,
    ensure_stack,
    jars,
    processes,
    record,
    stop_stack,
)
from arrears.cli.stack.folder import Folder
from arrears.cli.stack.postgresql import PostgreSQL

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The jars of the checkout are lent, where it has them: fetching them is not what is tested."""
    folder = Folder(tmp_path)
    folder.prepare()
    own = Folder(Path(__file__).parents[3]).kafka
    if (own / "jars.done").exists():
        (folder.kafka / "jars").symlink_to(own / "jars")
        (folder.kafka / "jars.done").write_text((own / "jars.done").read_text())
    return tmp_path


async def _server_version(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("show server_version_num"))
    finally:
        await connection.close()


async def _brokers(bootstrap: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return len((await admin.describe_cluster())["brokers"])
    finally:
        await admin.close()


def test_a_stack_is_started_found_again_and_stopped(root: Path) -> None:
    try:
        first = ensure_stack(root)
        assert first.how == "local processes"
        assert asyncio.run(_server_version(first.postgres_admin_dsn)) >= 150000
        assert asyncio.run(_brokers(first.kafka_bootstrap)) == 1
        begin = time.monotonic()
        again = ensure_stack(root)
        assert time.monotonic() - begin < 1.0
        assert again.kafka_bootstrap == first.kafka_bootstrap
        assert again.how == "what runs already from an earlier start"
        assert all(part.running for part in discovery.status(root))
    finally:
        stopped = stop_stack(root)
    assert stopped == ["Kafka", "PostgreSQL"]
    assert not any(part.running for part in discovery.status(root))
    assert stop_stack(root) == []
    clean_stack(root)
    assert not (root / ".local").exists()


def test_a_crash_and_a_lost_record_lose_no_server(root: Path) -> None:
    folder = Folder(root)
    try:
        first = ensure_stack(root)
        held = record.read(folder)
        assert held.kafka
        assert held.postgres
        processes.send(held.kafka, signal.SIGKILL)
        processes.send(held.postgres, signal.SIGKILL)
        processes.wait_gone(held.postgres, 5.0)
        second = ensure_stack(root)
        assert second.kafka_bootstrap == first.kafka_bootstrap
        assert second.postgres_admin_dsn == first.postgres_admin_dsn
        born = record.read(folder)
        with record.change(folder) as held:
            held.kafka = held.postgres = None
        ensure_stack(root)
        assert record.read(folder) == born
    finally:
        stop_stack(root)


def test_a_port_that_somebody_took_is_said_and_left(root: Path) -> None:
    said: list[str] = []
    server = PostgreSQL(Folder(root), said.append)
    try:
        server.start()
        assert server.stop()
        port = record.read(Folder(root)).postgres_port
        assert port
        with socket.create_server(("127.0.0.1", port)):
            assert f":{port}/" not in server.start()
        assert any(f"port {port} is taken" in line for line in said)
    finally:
        server.stop()


def test_the_jars_can_be_had() -> None:
    """Only what the lock says; a change of the lock is what this would catch."""
    own = Folder(Path(__file__).parents[3])
    own.prepare()
    with own.only_one("start"):
        kept = jars.ensure_jars(own, lambda _: None)
    assert len(list(kept.glob("*.jar"))) == 46
