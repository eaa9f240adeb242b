"""The policy files that are shipped with the service."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from arrears.legal.domain.policy import BadPolicy, PolicyBook, parse


def load_policies(folder: Traversable | None = None) -> PolicyBook:
    """All versions in the folder, checked. Raises BadPolicy, which names file, field and rule."""
    place = files("arrears.legal") / "policies" if folder is None else folder
    found = [item for item in place.iterdir() if item.name.endswith(".yaml")]
    policies = []
    for item in sorted(found, key=lambda item: item.name):
        try:
            policies.append(parse(item.read_text(encoding="utf-8")))
        except (BadPolicy, UnicodeDecodeError) as error:
            raise BadPolicy(f"{item.name}: {error}") from error
    return PolicyBook(policies)
