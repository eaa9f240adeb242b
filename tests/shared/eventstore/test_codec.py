"""Stored bytes to events: under the name an event has, and under those that it has had."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, ValidationError
from msgspec.json import decode, encode

from arrears.shared.eventstore.codec import DATA, Codec, Envelope, data_of

TEXTS: Final = (
    "id",
    "source",
    "type",
    "subject",
    "partitionkey",
    "tenant",
    "stream",
    "prevhash",
    "correlationid",
    "causationid",
    "actor",
    "inputposition",
    "factdigest",
)


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


@pytest.mark.parametrize(
    ("wire_name", "data"),
    [("toy.said.v3", {"n": 6}), ("toy.said.v2", {"number": 6}), ("toy.said.v1", {"half": 3})],
)
def test_an_event_is_read_under_all_its_names(wire_name: str, data: dict[str, int]) -> None:
    read = CODEC.readers(["toy.said.v3"])[wire_name]
    assert read(encode(data)) == Said(6)


def test_only_what_was_asked_for_is_read() -> None:
    assert set(CODEC.readers(["toy.done.v1"])) == {"toy.done.v1"}


def test_data_that_are_not_the_types_are_refused() -> None:
    read = CODEC.readers(["toy.said.v3"])["toy.said.v3"]
    with pytest.raises(ValidationError):
        read(encode({"m": 6}))


@given(
    texts=st.fixed_dictionaries(dict.fromkeys(TEXTS, st.text() | st.just(DATA))),
    data=st.dictionaries(st.text() | st.just("data"), st.text() | st.just(DATA)),
)
def test_data_are_cut_out_whatever_the_other_attributes_say(
    texts: dict[str, str], data: dict[str, str]
) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    envelope = Envelope(
        **texts, time=at, recordedtime=at, businessday=at.date(), streamversion=1, data=data
    )
    assert decode(data_of(CODEC.encode(envelope))) == data
