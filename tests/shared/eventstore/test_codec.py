"""Stored bytes to events: under the name an event has, and under those that it has had."""

from typing import Any

import pytest
from msgspec import Struct, ValidationError
from msgspec.json import encode

from arrears.shared.eventstore.codec import Codec


class Said(Struct, frozen=True):
    n: int


class Done(Struct, frozen=True):
    pass


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {"n": fields["number"]}


def _doubled(fields: dict[str, Any]) -> dict[str, Any]:
    return {"number": 2 * fields["half"]}


CODEC = Codec(
    {Said: "toy.said.v3", Done: "toy.done.v1"},
    upcasters={"toy.said.v1": ("toy.said.v2", _doubled), "toy.said.v2": ("toy.said.v3", _renamed)},
)


def _value(wire_name: str, **data: int) -> bytes:
    return encode(
        {
            "id": "1",
            "type": wire_name,
            "subject": "s",
            "time": "2024-01-01T00:00:00Z",
            "partitionkey": "anna",
            "stream": 'a "data": b',
            "streamversion": 1,
            "prevhash": "",
            "businessday": "2024-01-01",
            "causationid": "",
            "data": data,
        }
    )


@pytest.mark.parametrize(
    ("wire_name", "data"),
    [("toy.said.v3", {"n": 6}), ("toy.said.v2", {"number": 6}), ("toy.said.v1", {"half": 3})],
)
def test_an_event_is_read_under_all_its_names(wire_name: str, data: dict[str, int]) -> None:
    read = CODEC.readers(["toy.said.v3"])[wire_name]
    assert read(_value(wire_name, **data)).data == Said(6)


def test_only_what_was_asked_for_is_read() -> None:
    assert set(CODEC.readers(["toy.done.v1"])) == {"toy.done.v1"}


def test_data_that_are_not_the_types_are_refused() -> None:
    read = CODEC.readers(["toy.said.v3"])["toy.said.v3"]
    with pytest.raises(ValidationError):
        read(_value("toy.said.v3", m=6))
