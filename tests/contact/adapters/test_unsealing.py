"""Contact points are opened at the last moment, and one that cannot be read holds up no other."""

from arrears.contact.adapters.unsealing import unseal_with
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.keyring.sealing import CONTACT_POINT, seal

ANNA, BEN, NOBODY = BorrowerId("anna"), BorrowerId("ben"), BorrowerId("nobody")


async def _sealed(store: MemoryKeyStore, borrower_id: BorrowerId, value: str) -> str:
    keys = await store.keyring("intake").keys_for([borrower_id], "contact")
    return seal(keys[borrower_id], borrower_id, CONTACT_POINT, value)


async def test_what_was_erased_or_never_had_a_key_is_nothing() -> None:
    store = MemoryKeyStore()
    points = [(ANNA, await _sealed(store, ANNA, "1")), (BEN, await _sealed(store, BEN, "2"))]
    await store.keyring("intake").erase(ANNA)
    opened = await unseal_with(store.keyring("contact"))([*points, (NOBODY, "s1.x")])
    assert opened == [None, "2", None]


async def test_a_point_that_the_key_does_not_open_reaches_nobody_and_stops_nobody_elses() -> None:
    """A key store of an older backup makes a new key, which opens nothing of before."""
    store = MemoryKeyStore()
    elsewhere = await _sealed(store, ANNA, "1")
    points = [(BEN, elsewhere), (BEN, "no seal"), (BEN, await _sealed(store, BEN, "2"))]
    assert await unseal_with(store.keyring("contact"))(points) == [None, None, "2"]
