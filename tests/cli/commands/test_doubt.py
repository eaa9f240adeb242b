"""Effects in doubt: seen in every stage, settled with a note."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from arrears.cli.main import app

DOUBT = {
    "event_id": "e-1",
    "shard": 3,
    "stream": "contact.borrower-b-1",
    "borrower_id": "b-1",
    "kind": "letter",
    "asked_at": "2024-05-01T00:00:00Z",
    "sent_at": "2024-05-01T00:00:01Z",
}
NOTE = ("--note", "the printer's log")


def arrears(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doubt", *arguments])


def test_all_stages_are_asked(canned: Any) -> None:
    canned.answers["/in_doubt"] = {"items": [], "next": None}
    assert "nothing is in doubt" in arrears("list").stdout
    assert len(canned.asked) == 4


def test_the_list_names_service_and_event(canned: Any) -> None:
    canned.answers["/in_doubt"] = {"items": [DOUBT], "next": None}
    said = json.loads(arrears("list", "--service", "contact", "--json").stdout)
    assert said["items"] == [{"service": "contact", **DOUBT}]
    assert "e-1" in arrears("list", "--service", "contact").stdout


def test_what_was_found_is_sent_with_the_note(canned: Any) -> None:
    canned.answers["/in_doubt"] = {"items": [DOUBT], "next": None}
    canned.answers["/in_doubt/e-1/settle"] = {}
    for option, carried_out in (("--carried-out", True), ("--not-carried-out", False)):
        result = arrears("settle", "e-1", option, *NOTE, "--service", "contact")
        assert result.exit_code == 0, result.stderr
        assert canned.asked[-1][:2] == ("POST", "/in_doubt/e-1/settle")
        assert canned.asked[-1][3] == {"carried_out": carried_out, "note": NOTE[1]}
        assert len(canned.headers[-1]["Idempotency-Key"]) == 32


def test_it_must_be_said_what_was_found_and_how(canned: Any) -> None:
    canned.answers["/in_doubt"] = {"items": [DOUBT], "next": None}
    assert arrears("settle", "e-1", *NOTE).exit_code == 2
    assert arrears("settle", "e-1", "--carried-out", "--note", " ").exit_code == 2
    assert arrears("settle", "e-2", "--carried-out", *NOTE).exit_code == 1
    assert not [one for one in canned.asked if one[0] == "POST"]
