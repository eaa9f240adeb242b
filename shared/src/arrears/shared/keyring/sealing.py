"""Field encryption: AES-256-GCM under a borrower's key, bound to one field of one event.

The nonce is made from what is sealed, so that sealing again gives the same bytes: a repeated or
rebuilt event stays equal to itself. Equal texts in two events look different.
"""

import hmac
from base64 import b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_PREFIX: Final = "s1."
ERASED_TEXT: Final = "s1.erased"
"""What stands in an event that was written after the borrower's keys were destroyed."""


CONTACT_POINT: Final = "contact_point"
"""The field name under which contact points are sealed, bound to their borrower."""


class Erased:
    """Read where the key is destroyed. There is one, `ERASED`; it prints as `erased`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "erased"


ERASED: Final = Erased()


class SealBroken(ValueError):
    """A sealed text was changed, or belongs to another field, event or borrower."""


class DataKey:
    """A borrower's key of one category, with one use for each part derived from it."""

    __slots__ = ("_cipher", "_equality", "_nonces")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, not {len(secret)}")
        self._cipher = AESGCM(hmac.digest(secret, b"arrears seal", "sha256"))
        self._nonces = hmac.digest(secret, b"arrears nonce", "sha256")
        self._equality = hmac.digest(secret, b"arrears equality", "sha256")

    def seal(self, text: bytes, bound: bytes) -> bytes:
        nonce = hmac.digest(self._nonces, _joined(bound, text), "sha256")[:_NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, text, bound)

    def unseal(self, sealed: bytes, bound: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)

    def equality(self, text: bytes) -> str:
        return hmac.digest(self._equality, text, "sha256")[:16].hex()


def seal(key: DataKey | Erased, event_id: str, field: str, text: str) -> str:
    """The text for the event's field; `ERASED_TEXT` where there is no key any more."""
    if isinstance(key, Erased):
        return ERASED_TEXT
    sealed = key.seal(_bytes(text), _bound(event_id, field))
    return _PREFIX + urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def unseal(key: DataKey | Erased, event_id: str, field: str, sealed: str) -> str | Erased:
    """The text, or `ERASED`. Raises SealBroken where the sealed text is not what was written."""
    if isinstance(key, Erased) or sealed == ERASED_TEXT:
        return ERASED
    try:
        return key.unseal(_raw(sealed), _bound(event_id, field)).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"{field} of event {event_id} cannot be unsealed") from error


def equality(key: DataKey | Erased, text: str) -> str | Erased:
    """The same for the same text under one key: counts per telephone number need no number."""
    return ERASED if isinstance(key, Erased) else key.equality(_bytes(text))


def _raw(sealed: str) -> bytes:
    prefix, body = sealed[: len(_PREFIX)], sealed[len(_PREFIX) :]
    raw = b64decode(body + "=" * (-len(body) % 4), b"-_", validate=True)
    if prefix != _PREFIX or len(raw) < _NONCE_BYTES + _TAG_BYTES:
        raise ValueError("not a sealed text")
    return raw


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _bound(event_id: str, field: str) -> bytes:
    return _joined(_bytes(event_id), _bytes(field))


def _joined(first: bytes, second: bytes) -> bytes:
    return len(first).to_bytes(8, "big") + first + second
