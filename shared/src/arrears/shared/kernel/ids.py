"""Identifiers that cross service borders, and how they are derived. A bare str never does."""

from functools import lru_cache
from hashlib import sha256
from typing import NewType

TenantId = NewType("TenantId", str)
SourceId = NewType("SourceId", str)
"""The CloudEvents `source` of a core banking feed, such as `/core-banking/uci-taiwan`."""
LoanKey = NewType("LoanKey", str)
"""`<loan id>@<source>`: loans of two sources never meet."""
CaseId = NewType("CaseId", str)
BorrowerId = NewType("BorrowerId", str)
EventId = NewType("EventId", str)
StreamName = NewType("StreamName", str)
"""`<service>.<noun>-<key>`; belongs to one borrower for ever."""
StaffId = NewType("StaffId", str)
Shard = NewType("Shard", int)

SHARD_COUNT = 16


def derived_id(*parts: str) -> str:
    """A UUID-shaped, truncated SHA-256 of the parts (protocol 2.4). Same parts, same id.

    The parts' lengths come first, so `("ab", "c")` and `("a", "bc")` differ.
    """
    joined = ":".join([*map(str, map(len, parts)), *parts])
    h = sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:32]}"


def loan_key(source: str, loan_id: str) -> LoanKey:
    return LoanKey(f"{loan_id}@{source}")


def case_id(tenant: str, loan: LoanKey, episode: int) -> CaseId:
    """One case per loan and delinquency episode; episodes count from 1."""
    return CaseId(derived_id("case", tenant, loan, str(episode)))


def stream_name(category: str, key: str) -> StreamName:
    return StreamName(f"{category}-{key}")


@lru_cache(maxsize=65_536)
def shard_of(borrower: BorrowerId) -> Shard:
    """The shard of a borrower: the same in every service, on every machine, for ever."""
    digest = sha256(borrower.encode("utf-8", "surrogatepass")).digest()
    return Shard(int.from_bytes(digest[:4], "big") % SHARD_COUNT)
