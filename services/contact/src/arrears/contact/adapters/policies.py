"""The policy files that are shipped with the service."""

from arrears.contact.domain.policy import Policy, parse
from arrears.shared.service.policies import read_policies


def load_policies() -> tuple[Policy, ...]:
    """All versions. Raises BadPolicy, which names file, field and rule."""
    return tuple(read_policies("contact", parse))
