"""The key store as services see it. PostgreSQL and memory both pass `testing.keyring_suite`.

A keyring belongs to one service and hands out only the categories granted to it. Erasing a borrower
destroys the keys for good: none is ever made again, and everything sealed reads as `ERASED`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, Protocol, TypeAlias, get_args

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.sealing import DataKey, Erased

Category: TypeAlias = Literal["contact", "papers", "talks"]
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)

DEFAULT_GRANTS: Final[Mapping[str, tuple[Category, ...]]] = {
    "intake": ("contact",),
    "contact": ("contact", "papers"),
    "mediation": ("contact", "papers", "talks"),
    "legal": ("contact", "papers"),
    "history": (),
}
"""What a new key store grants. Talks of a mediation stay with mediation."""


class KeyDenied(Exception):
    """The service has no grant for the category."""

    def __init__(self, service: str, category: str) -> None:
        super().__init__(f"service {service} has no grant for keys of category {category}")
        self.service = service
        self.category = category


class Keyring(Protocol):
    async def keys_for(
        self, borrowers: Iterable[BorrowerId], category: Category
    ) -> Mapping[BorrowerId, DataKey | Erased]:
        """A key for each borrower, made where there is none. For writers. Raises KeyDenied."""

    async def find_keys(
        self, borrowers: Iterable[BorrowerId], category: Category
    ) -> Mapping[BorrowerId, DataKey | Erased]:
        """The keys that exist; a borrower without one is missing. For readers."""

    async def erase(self, borrower_id: BorrowerId) -> None:
        """Destroys the borrower's keys of all categories, and any that would come later."""

    async def close(self) -> None: ...
