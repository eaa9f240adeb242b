"""The compose file hands every setting to every service, and its files are there as they ship."""

import re
from pathlib import Path

import pytest
import yaml

from arrears.shared.http.actors import TokenActors
from arrears.shared.keyring.port import DEFAULT_GRANTS
from arrears.shared.service import settings

ROOT = Path(__file__).parent.parent.parent
SERVICES = tuple(settings.PORTS)
COMPOSED = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
KEYS = {"ARREARS_KEYSTORE", "ARREARS_MASTER_KEY"}
NOT_IN_COMPOSE = {"ARREARS_API_DEVELOPMENT", "ARREARS_WORKER"}
"""The one is not for production; the other would give all workers of a service one name."""


def documented(service: str) -> set[str]:
    names = re.findall(r"ARREARS_[A-Z_<>]+", settings.__doc__ or "")
    plain = {name for name in names if not name.endswith("_")}
    return {name.replace("<SERVICE>", service.upper()) for name in plain} - NOT_IN_COMPOSE


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ["", "-migrate"])
def test_every_setting_reaches_the_service(service: str, suffix: str) -> None:
    keys = KEYS if service == "history" else set()
    assert documented(service) - keys <= set(COMPOSED[f"{service}{suffix}"]["environment"])


@pytest.mark.parametrize("name", ["history", "history-migrate"])
def test_whoever_is_granted_no_key_is_given_no_way_to_the_keys(name: str) -> None:
    assert DEFAULT_GRANTS["history"] == ()
    assert not KEYS & set(COMPOSED[name]["environment"])


def test_no_secret_is_an_argument_of_a_program() -> None:
    """Arguments are seen by everybody who lists the processes."""
    script = (ROOT / "deploy/postgres/10-databases.sh").read_text(encoding="utf-8")
    assert "SERVICE_PASSWORD" in script
    assert "$SERVICE_PASSWORD" not in script


@pytest.mark.parametrize("service", SERVICES)
def test_the_files_that_settings_name_are_mounted_from_the_checkout(service: str) -> None:
    found = COMPOSED[service]
    mounted = {}
    for volume in found["volumes"]:
        source = re.fullmatch(r"\$\{ARREARS_[A-Z_]+:-(\./[a-z/]+)\}:([a-z/]+):ro", volume)
        assert source is not None, volume
        mounted[source[2]] = ROOT / source[1]
    for name in ("ARREARS_API_TOKENS_FILE", "ARREARS_POLICIES"):
        assert mounted[found["environment"][name]].exists(), name


def test_as_it_ships_the_file_of_tokens_is_read_and_lets_nobody_in() -> None:
    text = (ROOT / "deploy/tokens").read_text(encoding="utf-8")
    assert TokenActors.from_text(text)._actors == {}
