"""The policy files that are shipped with the service."""

from arrears.mediation.domain.policy import PolicyBook, parse
from arrears.shared.service.policies import read_policies


def load_policies() -> PolicyBook:
    """All versions, checked. Raises BadPolicy, which names file, field and rule."""
    return PolicyBook(read_policies("mediation", parse))
