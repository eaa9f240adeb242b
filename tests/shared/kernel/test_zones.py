"""Time zones by name, the same on every machine."""

import pytest

from arrears.shared.kernel.zones import zone_named


@pytest.mark.parametrize(
    "name",
    [
        None, "", "Mars/Olympus", "Asia", "../etc/passwd", "/etc/passwd", "\x00",
        "localtime", "posixrules",
    ],
)  # fmt: skip
def test_no_name_of_a_zone(name: str | None) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "America/New_York"])
def test_a_name_of_the_zone_database(name: str) -> None:
    zone = zone_named(name)
    assert zone is not None
    assert zone.key == name
