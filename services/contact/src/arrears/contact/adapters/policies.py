"""The policies that contact decides by, as files."""

from pathlib import Path

from arrears.contact.domain.policy import Policy, parse
from arrears.shared.service.policies import read_policies


def load_policies(own: Path | None = None) -> tuple[Policy, ...]:
    """All versions. Raises BadPolicy, which names file, field and rule."""
    return tuple(read_policies("contact", parse, own))
