"""Sealed fields: the same bytes when sealed again, and nothing readable without the right key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears.shared.keyring.sealing import (
    ERASED,
    ERASED_TEXT,
    DataKey,
    SealBroken,
    equality,
    seal,
    unseal,
)

KEY = DataKey(b"k" * 32)
OTHER_KEY = DataKey(b"o" * 32)
SEALED = seal(KEY, "event-1", "phone", "138")
ANY_TEXT = st.text(st.characters(codec=None))


class TestSeal:
    @given(text=ANY_TEXT, event_id=ANY_TEXT, field=ANY_TEXT)
    def test_any_text_comes_back(self, text: str, event_id: str, field: str) -> None:
        sealed = seal(KEY, event_id, field, text)
        assert unseal(KEY, event_id, field, sealed) == text
        assert sealed == seal(KEY, event_id, field, text)
        assert sealed.isascii()

    def test_the_format_is_pinned(self) -> None:
        assert SEALED == "s1.AapkaTfYjAmvrXQxDNholagqNw4htbVrJsfE84BVYw"

    def test_equal_texts_in_two_places_look_different(self) -> None:
        places = [("event-1", "phone"), ("event-2", "phone"), ("event-1", "mail")]
        assert len({seal(KEY, event_id, field, "138") for event_id, field in places}) == 3

    def test_places_that_run_together_are_told_apart(self) -> None:
        assert seal(KEY, "ab", "c", "x") != seal(KEY, "a", "bc", "x")
        with pytest.raises(SealBroken):
            unseal(KEY, "a", "bc", seal(KEY, "ab", "c", "x"))


class TestUnseal:
    @pytest.mark.parametrize(
        ("key", "event_id", "field"),
        [(OTHER_KEY, "event-1", "phone"), (KEY, "event-2", "phone"), (KEY, "event-1", "mail")],
    )
    def test_another_key_event_or_field_opens_nothing(
        self, key: DataKey, event_id: str, field: str
    ) -> None:
        with pytest.raises(SealBroken, match=f"{field} of event {event_id}"):
            unseal(key, event_id, field, SEALED)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "138",
            "s1.",
            "s1.AAAA",
            "s1.!",
            "s1.é",
            SEALED + "!",
            SEALED[:-2],
            SEALED[:9] + "A" + SEALED[10:],
        ],
    )
    def test_a_changed_text_is_named_and_never_read(self, text: str) -> None:
        with pytest.raises(SealBroken, match="phone of event event-1"):
            unseal(KEY, "event-1", "phone", text)

    def test_a_destroyed_key_reads_as_erased(self) -> None:
        assert unseal(ERASED, "event-1", "phone", SEALED) is ERASED
        assert unseal(ERASED, "event-1", "phone", "anything") is ERASED
        assert repr(ERASED) == "erased"

    def test_what_was_written_without_a_key_reads_as_erased(self) -> None:
        assert seal(ERASED, "event-1", "phone", "138") == ERASED_TEXT
        assert unseal(KEY, "event-1", "phone", ERASED_TEXT) is ERASED


class TestEquality:
    def test_one_text_one_value_under_one_key(self) -> None:
        assert equality(KEY, "138") == equality(KEY, "138")
        assert len({equality(KEY, "138"), equality(KEY, "139"), equality(OTHER_KEY, "138")}) == 3
        assert equality(ERASED, "138") is ERASED


class TestDataKey:
    def test_a_key_of_another_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="32 bytes, not 16"):
            DataKey(b"x" * 16)
