"""What a demo empties before it begins."""

from arrears.cli.client.installation import SERVICES
from arrears.cli.demo.prepare import databases_of


def test_what_the_services_run_on_is_emptied_and_not_what_they_left() -> None:
    usual = [f"arrears_{name}" for name in SERVICES]
    assert databases_of({}) == [*usual, "arrears_keys"]
    found = databases_of({"ARREARS_CONTACT_DATABASE": "arrears_contact_rebuilt"})
    assert "arrears_contact_rebuilt" in found
    assert "arrears_contact" not in found
