"""Contact points that belong to nobody: no network assigns the prefix, `.example` is reserved."""

from arrears.shared.sandbox.dice import chance, roll

_STREETS = ("Sample Road", "Specimen Lane", "Template Street", "Placeholder Avenue")


def points_of(seed: int, borrower_id: str, *, phone: bool) -> tuple[tuple[str, str], ...]:
    """(kind, value) pairs as in a borrower's profile; an address always."""
    number = roll(10_000_000, seed, "phone", borrower_id)
    street = _STREETS[roll(len(_STREETS), seed, "street", borrower_id)]
    house = 1 + roll(999, seed, "house", borrower_id)
    local = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in borrower_id)
    email = f"{local[:60]}@borrowers.example"
    points = [("address", f"{house} {street}, Sandbox City")]
    if chance(70, seed, "email", borrower_id):
        points.insert(0, ("email", email))
    if phone:
        points.insert(0, ("phone", f"+861000{number:07d}"))
    return tuple(points)


def contact_points(seed: int, borrower_id: str) -> tuple[tuple[str, str], ...]:
    """For a borrower of whom the feed brings no profile. A few have no telephone."""
    return points_of(seed, borrower_id, phone=not chance(3, seed, "no phone", borrower_id))
