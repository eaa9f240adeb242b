"""The policies that legal decides by, as files."""

from pathlib import Path

from arrears.legal.domain.policy import PolicyBook, parse
from arrears.shared.service.policies import read_policies


def load_policies(own: Path | None = None) -> PolicyBook:
    """All versions, checked. Raises BadPolicy, which names file, field and rule."""
    return PolicyBook(read_policies("legal", parse, own))
