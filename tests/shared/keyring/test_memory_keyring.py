"""The key store in memory passes the suite of all key stores."""

import pytest

from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.keyring.port import Keyring
from arrears.shared.testing.keyring_suite import KeyringSuite, Open


class TestMemoryKeyring(KeyringSuite):
    @pytest.fixture
    def keyring_of(self) -> Open:
        store = MemoryKeyStore()

        async def open_keyring(service: str) -> Keyring:
            return store.keyring(service)

        return open_keyring
