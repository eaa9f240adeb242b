"""The schemas in docs/events are what the code says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from arrears.cli.commands.schema import every_contract, every_file, schema_text
from arrears.cli.main import app


class TestSchema:
    def test_the_files_of_the_checkout_are_up_to_date(self) -> None:
        folder = Path(__file__).resolve().parents[3] / "docs"
        paths = (*folder.glob("events/*.json"), folder / "asyncapi.json")
        found = {str(path.relative_to(folder)): path.read_text() for path in paths}
        assert found == every_file()

    def test_it_writes_what_is_missing_and_removes_what_is_gone(self, checkout: Path) -> None:
        gone = checkout / "docs" / "events" / "gone.v1.json"
        gone.parent.mkdir(parents=True)
        gone.write_text("{}")
        assert CliRunner().invoke(app, ["schema", "--check"]).exit_code == 1
        assert CliRunner().invoke(app, ["schema"]).exit_code == 0
        assert CliRunner().invoke(app, ["schema", "--check"]).exit_code == 0
        assert not gone.exists()

    def test_every_reference_of_the_asyncapi_document_leads_somewhere(self) -> None:
        document = msgspec.json.decode(every_file()["asyncapi.json"])
        seen = list(_references(document))
        assert len(seen) > 2 * len(every_contract())
        for reference in seen:
            place, _, pointer = reference.partition("#/")
            if place:
                assert place in every_file()
                continue
            found = document
            for part in pointer.split("/"):
                found = found[part]
            assert found

    def test_every_contract_is_on_one_channel(self) -> None:
        document = msgspec.json.decode(every_file()["asyncapi.json"])
        said = [name for one in document["channels"].values() for name in one["messages"]]
        assert sorted(said) == [name for name, _ in every_contract()]

    def test_a_schema_names_its_event(self) -> None:
        name, body = every_contract()[0]
        assert msgspec.json.decode(schema_text(name, body))["$id"].endswith(name)


def _references(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for name, value in found.items():
            yield from [value] if name == "$ref" else _references(value)
    elif isinstance(found, list):
        for value in found:
            yield from _references(value)
