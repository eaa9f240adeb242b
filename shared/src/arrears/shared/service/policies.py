"""The policies of a service, as files: those that ship with it, or the bank's own."""

from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from arrears.shared.kernel.policy import BadPolicy

Policy = TypeVar("Policy")


def read_policies(
    service: str, parse: Callable[[str], Policy], own: Path | None = None
) -> list[Policy]:
    """All versions in the folder `service` of `own`, in order of file name.

    Where the bank has none of its own for the service, those that ship with it. Raises BadPolicy,
    which names the file, the field and the rule.
    """
    place: Traversable = files(f"arrears.{service}") / "policies"
    if own is not None and (own / service).is_dir():
        place = own / service
    found = []
    for file in sorted(place.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            found.append(parse(file.read_text(encoding="utf-8")))
        except BadPolicy as bad:
            raise BadPolicy(f"{service}/{file.name}: {bad.field}", bad.rule) from None
        except UnicodeDecodeError:
            raise BadPolicy(f"{service}/{file.name}", "is not a text in UTF-8") from None
        except OSError as error:
            raise BadPolicy(f"{service}/{file.name}", f"cannot be read: {error.strerror}") from None
    return found
