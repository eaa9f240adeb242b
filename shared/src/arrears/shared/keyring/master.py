"""The master key: wraps the borrowers' keys, so that the key store's database alone is useless."""

import os
from base64 import b64decode
from collections.abc import Mapping
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arrears.shared.keyring.sealing import KEY_BYTES

MASTER_KEY_VARIABLE: Final = "ARREARS_MASTER_KEY"
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class WrongMasterKey(ValueError):
    """The master key is missing, malformed, or not the one that wrapped the keys."""


class MasterKey:
    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise WrongMasterKey(f"{MASTER_KEY_VARIABLE}: must be {KEY_BYTES} bytes in base64")
        self._cipher = AESGCM(secret)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        text = env.get(MASTER_KEY_VARIABLE, "")
        try:
            return cls(b64decode(text, validate=True))
        except WrongMasterKey:
            raise
        except ValueError:
            # Not the alphabet of base64, or not even ASCII.
            raise WrongMasterKey(f"{MASTER_KEY_VARIABLE}: is not base64") from None

    def wrap(self, secret: bytes, borrower_id: str, category: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        bound = _bound(borrower_id, category)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, bound)

    def unwrap(self, wrapped: bytes, borrower_id: str, category: str) -> bytes:
        if wrapped[:1] != _VERSION:
            raise WrongMasterKey("a key of the key store was wrapped by a newer version")
        nonce, rest = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, _bound(borrower_id, category))
        except InvalidTag:
            raise WrongMasterKey(
                f"{MASTER_KEY_VARIABLE}: is not the key that the key store was made with"
            ) from None


def _bound(borrower_id: str, category: str) -> bytes:
    borrower = borrower_id.encode("utf-8", "surrogatepass")
    return len(borrower).to_bytes(8, "big") + borrower + category.encode("ascii")
