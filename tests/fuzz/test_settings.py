"""Settings, tokens, keys and policies: used as they are, or refused by name in one line."""

import os
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrears.contact.domain.policy as contact
import arrears.intake.domain.policy as intake
import arrears.legal.domain.policy as legal
import arrears.mediation.domain.policy as mediation
from arrears.cli.stack.folder import free_ports
from arrears.shared.http.actors import actors_from_env
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.kernel.policy import BadPolicy
from arrears.shared.keyring.master import MasterKey, WrongMasterKey
from arrears.shared.service.settings import Settings
from arrears.shared.service.workdays import workdays_of

GOOD = {
    "ARREARS_KAFKA": "127.0.0.1:9092",
    "ARREARS_POSTGRES": "postgresql://arrears:sesame@127.0.0.1:5432/postgres",
    "ARREARS_KEYSTORE": "postgresql://arrears:sesame@127.0.0.1:5432/arrears_keys",
    "ARREARS_MASTER_KEY": b64encode(bytes(32)).decode(),
    "ARREARS_LEGAL_LISTEN": "127.0.0.1:8104",
    "ARREARS_LEGAL_DATABASE": "arrears_legal",
    "ARREARS_CLOCK": "live",
    "ARREARS_ZONE": "Asia/Shanghai",
    "ARREARS_COUNTRY": "CN",
    "ARREARS_TENANT": "bank",
    "ARREARS_POLICIES": "",
    "ARREARS_SANDBOX_SEED": "7",
    "ARREARS_LEASE_SECONDS": "10",
    "ARREARS_API_DEVELOPMENT": "yes",
    "ARREARS_KAFKA_SECURITY": "plaintext",
    "ARREARS_KAFKA_COMPRESSION": "none",
    "ARREARS_KAFKA_REPLICATION": "1",
    "ARREARS_KAFKA_FEED_PARTITIONS": "4",
    "ARREARS_KAFKA_FEED_RETENTION_DAYS": "30",
}
HOSTILE = (
    " ", "x\ud83d", "\udcff", "\u202e1", "\x1b[31m", "9" * 5000, "-1", "1e309", "nan", "²", "１０",
    "x" * 5000, "../../etc/passwd", "a:b:c", "[::1", "://", "\n", "%s%n", "a,b", "'; DROP TABLE x",
)  # fmt: skip
NAMES_AFTER_ALL = {"-1", "1e309", "nan"}
MAY_BE_ANYTHING = {"ARREARS_API_TOKENS_FILE", "ARREARS_KAFKA_PASSWORD_FILE"}


def read_all(env: dict[str, str]) -> None:
    """Everything that a service reads of its surroundings before it opens anything."""
    ground = Settings.from_env("legal", env).ground
    KafkaSettings.from_env(env).connection()
    actors_from_env(env)
    MasterKey.from_env(env)
    workdays_of(ground.country)


def test_the_settings_that_bad_ones_are_made_of_are_good() -> None:
    read_all(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_a_wrong_setting_is_refused_by_its_name(name: str) -> None:
    for text in HOSTILE:
        if text in NAMES_AFTER_ALL and name in {"ARREARS_TENANT", "ARREARS_LEGAL_DATABASE"}:
            continue
        with pytest.raises((BadSetting, WrongMasterKey)) as refusal:
            read_all({**GOOD, name: text})
        assert str(refusal.value).startswith(f"{name}: "), text
        assert "sesame" not in str(refusal.value)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from([*GOOD, *MAY_BE_ANYTHING, "ARREARS_KAFKA_CA_FILE", "ARREARS_KAFKA_USER"]),
    text=st.text(st.characters(codec=None, exclude_characters="\x00"), max_size=80),
)
def test_any_setting_is_read_or_refused(name: str, text: str) -> None:
    refusal: Exception | None = None
    try:
        read_all({**GOOD, name: text})
    except (BadSetting, WrongMasterKey) as bad:
        refusal = bad
    assert refusal is None or str(refusal).startswith(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ARREARS_ZONE", "Asia"),
        ("ARREARS_ZONE", "x" * 300),
        ("ARREARS_COUNTRY", "XX"),
        ("ARREARS_POSTGRES", "postgresql://[::1/postgres"),
        ("ARREARS_POSTGRES", "postgresql://host:port/postgres"),
        ("ARREARS_KEYSTORE", "mysql://host/keys"),
        ("ARREARS_KAFKA", f"{'x' * 64}:9092"),
        ("ARREARS_KAFKA", "host:" + "9" * 5000),
        ("ARREARS_KAFKA_REPLICATION", "9" * 5000),
        ("ARREARS_MASTER_KEY", "schlüssel"),
        ("ARREARS_API_TOKENS_FILE", "\ud800"),
        ("ARREARS_KAFKA_PASSWORD_FILE", "\ud800"),
        ("ARREARS_API_TOKENS_FILE", sys.executable),
        ("ARREARS_KAFKA_PASSWORD_FILE", sys.executable),
    ],
)
def test_what_was_found_before(name: str, text: str) -> None:
    with pytest.raises((BadSetting, WrongMasterKey), match=f"^{name}: "):
        read_all({**GOOD, name: text})


@pytest.mark.parametrize(
    ("service", "command", "change", "code", "says"),
    [
        ("intake", "api", {"ARREARS_ZONE": "Asia"}, 2, "ARREARS_ZONE: 'Asia' is not the name of"),
        ("history", "verify", {}, 1, "stopped: "),
    ],
)
def test_a_program_ends_with_one_line(
    service: str, command: str, change: dict[str, str], code: int, says: str
) -> None:
    """Nobody listens at the address of the database, which is the first thing that is opened.

    What somebody waits for says so at once; a server waits a while for what it stands on.
    """
    free, other = free_ports(2)
    nowhere = {"ARREARS_POSTGRES": f"postgresql://arrears:sesame@127.0.0.1:{free}/postgres"}
    listen = {f"ARREARS_{service.upper()}_LISTEN": f"127.0.0.1:{other}"}
    known = {name: text for name, text in os.environ.items() if not name.startswith("ARREARS_")}
    done = subprocess.run(
        [Path(sys.executable).with_name(f"arrears-{service}"), command],
        env={**known, **GOOD, **nowhere, **listen, **change},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(f"arrears-{service}: {says}")
    assert done.stderr.count("\n") == 1
    assert "sesame" not in done.stderr


@pytest.mark.parametrize("service", ["intake"])
def test_a_busy_port_ends_a_program_with_one_line(service: str) -> None:
    name = f"ARREARS_{service.upper()}_LISTEN"
    known = {name: text for name, text in os.environ.items() if not name.startswith("ARREARS_")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [Path(sys.executable).with_name(f"arrears-{service}"), "api"],
            env={**known, **GOOD, name: listen},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"arrears-{service}: {name}: {listen} cannot be listened on: ")
    assert done.stderr.count("\n") == 1


# --- Policies


POLICIES: dict[str, Callable[[str], object]] = {
    "intake": intake.parse,
    "contact": contact.parse,
    "mediation": mediation.parse,
    "legal": legal.parse,
}
PIECES = (
    "", " ", "-1", "1.5", "1e999", "9" * 5000, "null", "~", "yes", "[]", "{}", "[[[[",
    "&a [*a]", "*b",
    "2024-02-30", "25:99", "'", '"', "|", "!!python/object:os.system x", "\t", "\x00", "\ufeff",
    "{a: ",
    "字", "\u202e", "? x", "<<: 1", "%YAML 9.9", "---\n", "0x7fffffffffffffffffff", "!!binary x",
)  # fmt: skip


@pytest.mark.parametrize("service", POLICIES)
def test_a_disturbed_policy_is_read_or_refused(service: str) -> None:
    parse = POLICIES[service]
    (shipped,) = [one for one in (files(f"arrears.{service}") / "policies").iterdir()]
    good = shipped.read_text(encoding="utf-8").splitlines()
    parse("\n".join(good))
    chance, refused = Random(1), 0
    for _ in range(150):
        try:
            parse(_disturbed(chance, good))
        except BadPolicy as bad:
            refused += 1
            said: Any = str(bad)
            assert said.strip()
    assert refused > 50


def _disturbed(chance: Random, good: list[str]) -> str:
    lines = list(good)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[place]
            case 1:
                lines[place] = lines[place].partition(":")[0] + ": " + chance.choice(PIECES)
            case 2:
                lines.insert(place, chance.choice(PIECES))
            case _:
                lines[place] = f"  {lines[place]}"
    return "\n".join(lines)


@pytest.mark.parametrize("service", POLICIES)
@pytest.mark.parametrize("text", ["", "x", "[" * 3_000, "{}", "a: " * 3_000, "\x00", "\ud800"])
def test_a_policy_that_is_none_is_refused(service: str, text: str) -> None:
    with pytest.raises(BadPolicy):
        POLICIES[service](text)
