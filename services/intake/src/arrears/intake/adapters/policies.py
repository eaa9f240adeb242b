"""The policies that lie beside the code as package data, or in a folder of the bank's own."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from arrears.intake.domain.policy import BadPolicy, Policy, PolicyBook, parse


def load_policies(policy_id: str = "cn-default", folder: Path | None = None) -> PolicyBook:
    """All versions of one policy. Raises BadPolicy that names the file, the field and the rule."""
    place: Traversable = files("arrears.intake") / "policies" if folder is None else folder
    found: list[Policy] = []
    for file in sorted(place.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            policy = parse(file.read_text(encoding="utf-8"))
        except BadPolicy as bad:
            raise BadPolicy(f"{file.name}: {bad.field}", bad.rule) from None
        except UnicodeDecodeError:
            raise BadPolicy(file.name, "is not a text in UTF-8") from None
        if policy.id == policy_id:
            found.append(policy)
    if not found:
        raise BadPolicy(f"{place}: id", f"no policy has the id {policy_id}")
    return PolicyBook(found)
