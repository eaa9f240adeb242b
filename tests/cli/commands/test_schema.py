"""The schemas in docs/events are what the code says."""

from pathlib import Path

import msgspec
from typer.testing import CliRunner

from arrears.cli.commands.schema import every_contract, schema_text
from arrears.cli.main import app


class TestSchema:
    def test_the_files_of_the_checkout_are_up_to_date(self) -> None:
        folder = Path(__file__).resolve().parents[3] / "docs" / "events"
        found = {path.name: path.read_text() for path in folder.glob("*.json")}
        assert found == {f"{name}.json": schema_text(name, body) for name, body in every_contract()}

    def test_it_writes_what_is_missing_and_removes_what_is_gone(self, checkout: Path) -> None:
        gone = checkout / "docs" / "events" / "gone.v1.json"
        gone.parent.mkdir(parents=True)
        gone.write_text("{}")
        assert CliRunner().invoke(app, ["schema", "--check"]).exit_code == 1
        assert CliRunner().invoke(app, ["schema"]).exit_code == 0
        assert CliRunner().invoke(app, ["schema", "--check"]).exit_code == 0
        assert not gone.exists()

    def test_a_schema_names_its_event(self) -> None:
        name, body = every_contract()[0]
        assert msgspec.json.decode(schema_text(name, body))["$id"].endswith(name)
