"""Containers, where a Docker engine answers and has the images; otherwise silence.

Fetching images is the user's decision: they are large, and may come from a registry that costs.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable

from arrears.cli.stack import record
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import LOOPBACK, Folder, free_ports

IMAGES = ("apache/kafka:4.1.1", "postgres:18")
PATIENCE = 3.0


class Compose:
    """Kafka and PostgreSQL of `docker-compose.yml`, under a project name of this checkout's own."""

    def __init__(self, folder: Folder, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self.project = "arrears-" + hashlib.sha256(str(folder.root).encode()).hexdigest()[:8]

    def is_possible(self) -> bool:
        if shutil.which("docker") is None or not (self.folder.root / "docker-compose.yml").exists():
            return False
        questions = (["info"], ["image", "inspect", *IMAGES], ["compose", "version"])
        return all(_succeeds(["docker", *question]) for question in questions)

    def start(self) -> tuple[str, str]:
        with record.change(self.folder) as held:
            if held.kafka_port is None or held.postgres_port is None:
                held.kafka_port, held.postgres_port = free_ports(2)
            held.compose_project, held.compose_runs = self.project, True
        self.say("containers: starting Kafka and PostgreSQL")
        if self._compose(["up", "--detach", "--wait", "kafka", "postgres"], held):
            raise StackError("the containers did not start: see `docker compose logs`")
        dsn = f"postgresql://arrears:arrears@{LOOPBACK}:{held.postgres_port}/postgres"
        return f"{LOOPBACK}:{held.kafka_port}", dsn

    def stop(self) -> bool:
        held = record.read(self.folder)
        if not held.compose_runs:
            return False
        self._compose(["stop"], held)
        with record.change(self.folder) as held:
            held.compose_runs = False
        return True

    def remove(self) -> None:
        held = record.read(self.folder)
        if held.compose_project is not None:
            self._compose(["down", "--volumes"], held)

    def _compose(self, arguments: list[str], held: record.Record) -> int:
        environment = os.environ | {
            "ARREARS_KAFKA_PORT": str(held.kafka_port),
            "ARREARS_POSTGRES_PORT": str(held.postgres_port),
        }
        file = str(self.folder.root / "docker-compose.yml")
        return subprocess.run(
            ["docker", "compose", "-f", file, "-p", self.project, *arguments],
            env=environment,
            check=False,
        ).returncode


def _succeeds(command: list[str]) -> bool:
    try:
        return (
            subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
