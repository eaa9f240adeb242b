"""Given addresses come first, and what cannot be had is one sentence with what to do."""

import json
import shutil
import signal
import socket
from collections import namedtuple
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arrears.cli.stack import (
    StackError,
    Supervisor,
    clean_stack,
    commands,
    ensure_stack,
    jars,
    kafka,
    postgresql,
    processes,
    stop_stack,
)
from arrears.cli.stack.account import Account, reachable_home
from arrears.cli.stack.compose import Compose
from arrears.cli.stack.discovery import KAFKA_VARIABLE
from arrears.cli.stack.folder import Folder, free_ports, is_free, own_ports
from arrears.cli.stack.jars import Jar
from arrears.shared.kernel.bad_setting import BadSetting

Usage = namedtuple("Usage", "total used free")


class TestGivenAddresses:
    @pytest.mark.parametrize("address", ["nonsense", "localhost:", ":9092", "localhost:abc"])
    def test_a_kafka_address_is_host_and_port(self, tmp_path: Path, address: str) -> None:
        with pytest.raises(BadSetting, match=r"ARREARS_KAFKA: .* is not host:port"):
            ensure_stack(tmp_path, kafka=address)

    def test_on_the_command_line_it_is_wrong_use(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "checkout_root", lambda: tmp_path)
        result = CliRunner().invoke(commands.stack_app, ["up", "--kafka", "nonsense"])
        assert result.exit_code == 2
        assert "error: ARREARS_KAFKA" in result.stderr

    @pytest.mark.parametrize(
        "address",
        ["localhost:5432", "postgresql://a:sesame@[::1", "postgresql://a:sesame@h:port/p"],
    )
    def test_a_postgres_address_is_a_dsn(self, tmp_path: Path, address: str) -> None:
        with pytest.raises(BadSetting, match=r"ARREARS_POSTGRES: .*postgresql://") as refusal:
            ensure_stack(tmp_path, postgres=address)
        assert "sesame" not in str(refusal.value)

    def test_an_address_where_nobody_answers_is_said(self, tmp_path: Path) -> None:
        port = free_ports(1)[0]
        with pytest.raises(StackError, match="no Kafka answers"):
            ensure_stack(tmp_path, kafka=f"127.0.0.1:{port}")
        with pytest.raises(StackError, match="no PostgreSQL answers"):
            ensure_stack(tmp_path, postgres=f"postgresql://arrears@127.0.0.1:{port}/postgres")

    def test_both_given_start_nothing_and_the_password_is_not_said(self, tmp_path: Path) -> None:
        said: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            dsn = f"postgresql://arrears:secret@127.0.0.1:{port}/postgres"
            stack = ensure_stack(tmp_path, f"127.0.0.1:{port}", dsn, said.append)
        assert stack.postgres_admin_dsn == dsn
        assert not (tmp_path / ".local").exists()
        assert said
        assert "secret" not in " ".join(said)

    def test_a_program_is_not_told_the_password_either(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "checkout_root", lambda: tmp_path)
        with socket.create_server(("127.0.0.1", 0)) as server:
            at = f"127.0.0.1:{server.getsockname()[1]}"
            dsn = f"postgresql://arrears:secret@{at}/postgres"
            given = ["--kafka", at, "--postgres", dsn, "--json"]
            result = CliRunner().invoke(commands.stack_app, ["up", *given])
        assert json.loads(result.stdout) == {
            "kafka": at,
            "postgres": at,
            "how": "the addresses that were given",
        }
        assert "secret" not in result.output

    def test_what_the_environment_names_is_for_commands_to_hand_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Bench and chaos have servers of their own, whatever the shell names."""
        monkeypatch.setenv(KAFKA_VARIABLE, "nonsense")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1e9, 1e9, 5e7))
        with pytest.raises(StackError, match="GB needed"):
            ensure_stack(tmp_path)
        monkeypatch.setattr(commands, "checkout_root", lambda: tmp_path)
        result = CliRunner().invoke(commands.stack_app, ["up"])
        assert "error: ARREARS_KAFKA" in result.stderr


class TestContainers:
    def test_they_are_removed_also_after_they_were_stopped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(
            Compose, "_compose", lambda _self, arguments, _held: asked.append(arguments[0])
        )
        folder = Folder(tmp_path)
        folder.prepare()
        containers = Compose(folder, lambda _line: None)
        containers.remove()
        containers.start()
        assert containers.stop()
        assert not containers.stop()
        containers.remove()
        assert asked == ["up", "stop", "down"]


def test_what_a_killed_command_left_running_is_stopped_before_its_files_go(tmp_path: Path) -> None:
    place = tmp_path / ".local" / "chaos"
    place.mkdir(parents=True)
    Folder(place).prepare()
    held = Supervisor(place).start("worker", ["sleep", "600"])
    try:
        clean_stack(tmp_path)
        assert not processes.is_alive(held)
    finally:
        processes.send(held, signal.SIGKILL)
    assert not (tmp_path / ".local").exists()


class TestRoom:
    def test_a_full_disk_is_said_before_anything_is_fetched(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1e9, 1e9, 5e7))
        with pytest.raises(StackError, match=r"1\.0 GB needed, 0\.05 GB free"):
            ensure_stack(tmp_path)
        assert not list((tmp_path / ".local" / "kafka").iterdir())

    def test_the_feeds_topic_is_read_by_nobody_else(self, tmp_path: Path) -> None:
        """It holds personal data in the clear, also of a feed that is the bank's own."""
        Folder(tmp_path).kafka.mkdir(parents=True)
        Folder(tmp_path).prepare()
        assert Folder(tmp_path).kafka.stat().st_mode & 0o077 == 0

    def test_a_folder_that_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        (tmp_path / ".local").write_text("a file in the way")
        with pytest.raises(StackError, match="cannot write"):
            Folder(tmp_path).prepare()


class TestStop:
    def test_where_nothing_was_started_nothing_is_stopped(self, tmp_path: Path) -> None:
        assert stop_stack(tmp_path) == []


class TestPorts:
    def test_a_port_in_use_is_not_free(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert not is_free(server.getsockname()[1])
        assert len(set(free_ports(3))) == 3

    @pytest.mark.parametrize(
        ("lent", "own"),
        [
            ("32768\t60999\n", range(10_000, 32_768)),
            ("1024 40000", range(40_001, 65_536)),
            ("1024 65535", range(10_000, 65_536)),
        ],
    )
    def test_a_port_of_ours_is_lent_to_nobody_where_that_can_be(
        self, lent: str, own: range
    ) -> None:
        """A client of another process would sit on it while its server is started again."""
        assert own_ports(lent) == own
        here = own_ports(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text())
        assert all(port in here for port in free_ports(5))


class TestAnswers:
    def test_an_open_port_is_neither_a_broker_nor_a_database(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            server.listen()
            assert kafka.brokers_seen("127.0.0.1", port) == 0
            assert not postgresql.says_ready(port)


class TestJars:
    def test_the_lock_names_each_jar_once_with_its_sum(self) -> None:
        listed = Path(jars.__file__).with_name("jars.lock").read_text()
        names = [jar.name for jar in jars.locked(listed)]
        assert len(names) == len(set(names)) == 46
        assert "kafka_2.13-4.1.1.jar" in names
        assert "slf4j-simple-1.7.36.jar" in names

    def test_a_jar_that_was_cut_short_is_not_right(self, tmp_path: Path) -> None:
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        jar = Jar(empty, "org.example", "broker", "1.0")
        assert not jars.is_right(tmp_path / jar.name, jar)
        (tmp_path / jar.name).write_bytes(b"half")
        assert not jars.is_right(tmp_path / jar.name, jar)
        (tmp_path / jar.name).write_bytes(b"")
        assert jars.is_right(tmp_path / jar.name, jar)

    def test_an_unreachable_mirror_is_one_sentence_with_what_to_set(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(jars.MIRROR, f"http://127.0.0.1:{free_ports(1)[0]}/maven")
        folder = Folder(tmp_path)
        folder.prepare()
        with pytest.raises(StackError, match="HTTPS_PROXY"):
            jars.ensure_jars(folder, lambda _: None)
        assert not (folder.kafka / "jars.done").exists()


class TestHome:
    def test_an_ordinary_user_keeps_everything_in_the_checkout(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path)
        folder.prepare()
        assert reachable_home(folder, Account(), lambda _: None) == folder.postgresql
