"""The policy files of a service: shipped beside its code, or in a folder of the bank's own."""

from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from arrears.shared.kernel.policy import BadPolicy

Policy = TypeVar("Policy")


def read_policies(
    service: str, parse: Callable[[str], Policy], folder: Traversable | None = None
) -> list[Policy]:
    """All versions in the folder, in order of file name; those of the service's package by default.

    Raises BadPolicy, which names the file, the field and the rule.
    """
    place = files(f"arrears.{service}") / "policies" if folder is None else folder
    found = []
    for file in sorted(place.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            found.append(parse(file.read_text(encoding="utf-8")))
        except BadPolicy as bad:
            raise BadPolicy(f"{file.name}: {bad.field}", bad.rule) from None
        except UnicodeDecodeError:
            raise BadPolicy(file.name, "is not a text in UTF-8") from None
    return found
