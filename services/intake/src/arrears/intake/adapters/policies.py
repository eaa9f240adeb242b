"""The policies that lie beside the code as package data, or in a folder of the bank's own."""

from pathlib import Path

from arrears.intake.domain.policy import PolicyBook, parse
from arrears.shared.kernel.policy import BadPolicy
from arrears.shared.service.policies import read_policies


def load_policies(policy_id: str = "cn-default", folder: Path | None = None) -> PolicyBook:
    """All versions of one policy. Raises BadPolicy, which names file, field and rule."""
    found = [one for one in read_policies("intake", parse, folder) if one.id == policy_id]
    if not found:
        raise BadPolicy("id", f"no policy has the id {policy_id}")
    return PolicyBook(found)
