"""The master key: read from the environment, and useless for other borrowers' rows."""

import pytest

from arrears.shared.keyring.master import MasterKey, WrongMasterKey

MASTER = MasterKey.from_env({"ARREARS_MASTER_KEY": "bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW0="})
SECRET = b"s" * 32


def test_a_wrapped_key_comes_back() -> None:
    assert MASTER.unwrap(MASTER.wrap(SECRET, "anna", "contact"), "anna", "contact") == SECRET


def test_wrapping_twice_looks_different() -> None:
    assert MASTER.wrap(SECRET, "anna", "contact") != MASTER.wrap(SECRET, "anna", "contact")


@pytest.mark.parametrize(("borrower", "category"), [("ben", "contact"), ("anna", "papers")])
def test_a_row_moved_to_another_place_opens_nothing(borrower: str, category: str) -> None:
    with pytest.raises(WrongMasterKey):
        MASTER.unwrap(MASTER.wrap(SECRET, "anna", "contact"), borrower, category)


def test_another_master_key_is_named() -> None:
    with pytest.raises(WrongMasterKey, match="not the key that the key store was made with"):
        MasterKey(b"x" * 32).unwrap(MASTER.wrap(SECRET, "anna", "contact"), "anna", "contact")


@pytest.mark.parametrize(
    ("text", "rule"), [("", "32 bytes"), ("AAAA", "32 bytes"), ("not base64!", "base64")]
)
def test_a_bad_setting_is_named_without_its_value(text: str, rule: str) -> None:
    with pytest.raises(WrongMasterKey, match=f"ARREARS_MASTER_KEY: .*{rule}") as raised:
        MasterKey.from_env({"ARREARS_MASTER_KEY": text})
    assert not text or text not in str(raised.value)
