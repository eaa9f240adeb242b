"""The policies that ship with this service, read as package data."""

from importlib.resources import files
from pathlib import Path

from arrears.contact.domain.policy import BadPolicy, Policy, parse


def load_policies(folder: Path | None = None) -> tuple[Policy, ...]:
    """All versions in the folder, or those shipped with the package; a bad file is named."""
    place = files("arrears.contact") / "policies" if folder is None else folder
    loaded = []
    for file in sorted(place.iterdir(), key=lambda found: found.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            loaded.append(parse(file.read_text(encoding="utf-8")))
        except (BadPolicy, UnicodeDecodeError) as error:
            raise BadPolicy(f"{file.name}: {error}") from error
    return tuple(loaded)
