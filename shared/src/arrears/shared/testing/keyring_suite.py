"""What a key store must do, whichever it is. Subclasses say how a service gets its keyring."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import KeyDenied, Keyring
from arrears.shared.keyring.sealing import ERASED, seal, unseal

Open: TypeAlias = Callable[[str], Awaitable[Keyring]]
ANNA = BorrowerId("anna")
BEN = BorrowerId("ben")
PHONE = "+86 138 0000 0000"


class KeyringSuite:
    """Needs a fixture `keyring_of`: the name of a service -> its keyring, on one store."""

    async def test_what_one_service_seals_another_unseals(self, keyring_of: Open) -> None:
        intake, contact = await keyring_of("intake"), await keyring_of("contact")
        sealed = seal((await intake.keys_for([ANNA], "contact"))[ANNA], "e1", "phone", PHONE)
        key = (await contact.find_keys([ANNA], "contact"))[ANNA]
        assert unseal(key, "e1", "phone", sealed) == PHONE

    async def test_a_reader_makes_no_keys(self, keyring_of: Open) -> None:
        contact = await keyring_of("contact")
        assert not await contact.find_keys([ANNA], "contact")
        await contact.keys_for([BEN], "contact")
        assert list(await contact.find_keys([ANNA, BEN], "contact")) == [BEN]

    async def test_each_borrower_and_category_has_its_own_key(self, keyring_of: Open) -> None:
        legal = await keyring_of("legal")
        keys = await legal.keys_for([ANNA, BEN], "contact")
        papers = await legal.keys_for([ANNA], "papers")
        sealed = {seal(key, "e1", "f", "x") for key in (*keys.values(), *papers.values())}
        assert len(sealed) == 3

    async def test_a_category_that_is_not_granted_is_denied(self, keyring_of: Open) -> None:
        legal = await keyring_of("legal")
        with pytest.raises(KeyDenied, match=r"service legal has no grant .* category talks"):
            await legal.keys_for([ANNA], "talks")
        with pytest.raises(KeyDenied):
            await legal.find_keys([ANNA], "talks")
        with pytest.raises(KeyDenied):
            await (await keyring_of("history")).find_keys([ANNA], "contact")
        with pytest.raises(KeyDenied):
            await (await keyring_of("stranger")).find_keys([ANNA], "contact")

    async def test_an_erased_borrower_reads_as_erased_for_ever(self, keyring_of: Open) -> None:
        intake, contact = await keyring_of("intake"), await keyring_of("contact")
        keys = await intake.keys_for([ANNA, BEN], "contact")
        sealed = seal(keys[ANNA], "e1", "phone", PHONE)
        await intake.erase(ANNA)
        for keyring in (intake, contact):
            found = await keyring.find_keys([ANNA, BEN], "contact")
            assert unseal(found[ANNA], "e1", "phone", sealed) is ERASED
            assert found[BEN] is not ERASED
        again = await intake.keys_for([ANNA], "contact")
        assert again[ANNA] is ERASED
        assert (await contact.keys_for([ANNA], "papers"))[ANNA] is ERASED

    async def test_erasing_twice_or_a_stranger_is_no_error(self, keyring_of: Open) -> None:
        intake = await keyring_of("intake")
        await intake.erase(ANNA)
        await intake.erase(ANNA)
        assert (await intake.keys_for([ANNA], "contact"))[ANNA] is ERASED

    async def test_two_who_need_a_key_at_once_get_the_same(self, keyring_of: Open) -> None:
        names = [BorrowerId(f"b{n}") for n in range(300)]
        rings = [await keyring_of("intake") for _ in range(4)]
        orders = (names, names[::-1], names[150:] + names[:150], names)
        found = await asyncio.gather(
            *(ring.keys_for(order, "contact") for ring, order in zip(rings, orders, strict=True))
        )
        for name in names:
            assert len({seal(keys[name], "e", "f", "x") for keys in found}) == 1

    async def test_nobody_asked_for_is_nobody_found(self, keyring_of: Open) -> None:
        intake = await keyring_of("intake")
        assert not await intake.keys_for([], "contact")
        assert not await intake.find_keys([], "contact")
