"""The compose file hands every setting to every service, and its files are there as they ship."""

import re
from pathlib import Path

import pytest
import yaml

from arrears.shared.http.actors import TokenActors
from arrears.shared.service import settings

ROOT = Path(__file__).parent.parent.parent
SERVICES = tuple(settings.PORTS)
COMPOSED = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
NOT_IN_PRODUCTION = {"ARREARS_API_DEVELOPMENT"}


def documented(service: str) -> set[str]:
    names = re.findall(r"ARREARS_[A-Z_<>]+", settings.__doc__ or "")
    plain = {name for name in names if not name.endswith("_")}
    return {name.replace("<SERVICE>", service.upper()) for name in plain} - NOT_IN_PRODUCTION


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ["", "-migrate"])
def test_every_setting_reaches_the_service(service: str, suffix: str) -> None:
    assert documented(service) <= set(COMPOSED[f"{service}{suffix}"]["environment"])


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
