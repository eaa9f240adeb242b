"""Keys per borrower and category, field encryption, erasure."""

from arrears.shared.keyring.master import MASTER_KEY_VARIABLE, MasterKey, WrongMasterKey
from arrears.shared.keyring.memory import MemoryKeyring, MemoryKeyStore
from arrears.shared.keyring.port import CATEGORIES, Category, KeyDenied, Keyring
from arrears.shared.keyring.postgres import PostgresKeyring
from arrears.shared.keyring.schema import migrate
from arrears.shared.keyring.sealing import (
    ERASED,
    ERASED_TEXT,
    DataKey,
    Erased,
    SealBroken,
    equality,
    seal,
    unseal,
)

__all__ = [
    "CATEGORIES",
    "ERASED",
    "ERASED_TEXT",
    "MASTER_KEY_VARIABLE",
    "Category",
    "DataKey",
    "Erased",
    "KeyDenied",
    "Keyring",
    "MasterKey",
    "MemoryKeyStore",
    "MemoryKeyring",
    "PostgresKeyring",
    "SealBroken",
    "WrongMasterKey",
    "equality",
    "migrate",
    "seal",
    "unseal",
]
