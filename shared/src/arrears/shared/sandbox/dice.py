"""Chance that is none: every throw is a hash of what it is thrown for.

The same question gets the same answer on every machine and in every version of Python, and no
throw depends on how many were thrown before it. So a story can be told from its middle.
"""

from hashlib import blake2b


def roll(below: int, *parts: object) -> int:
    """An integer in `0..below-1` for these parts. The parts are length-prefixed."""
    texts = [str(part) for part in parts]
    joined = "".join(f"{len(text)}:{text}" for text in texts)
    digest = blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % below


def between(low: int, high: int, *parts: object) -> int:
    """An integer in `low..high`, both included."""
    return low + roll(high - low + 1, *parts)


def chance(percent: int, *parts: object) -> bool:
    return roll(100, *parts) < percent
