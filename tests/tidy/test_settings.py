"""Every variable that the code reads is documented, in one place, and no other is."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from arrears.shared.kafka import settings as kafka
from arrears.shared.service import settings

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("cli", "services", "shared")
NAME = re.compile(r"ARREARS_(?:<SERVICE>_)?[A-Z]+(?:_[A-Z]+)*")
ONE_SERVICE = re.compile(r"_(INTAKE|CONTACT|MEDIATION|LEGAL|HISTORY)_")


def read_in_code() -> set[str]:
    """As whole texts; what stands in braces of a text is a service."""
    found = set(kafka._NAMES)
    for room in ROOMS:
        for path in (ROOT / room).rglob("src/**/*.py"):
            texts = (ONE_SERVICE.sub("_<SERVICE>_", text) for text in _texts(path))
            found |= {text for text in texts if NAME.fullmatch(text)}
    return found


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else None for part in node.values)
            yield "".join("<SERVICE>" if part is None else str(part) for part in parts)


def documented() -> Counter[str]:
    """By the tables and lists that say that they list them."""
    rows = [line for line in (settings.__doc__ or "").splitlines() if line.startswith("| ARR")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    composed = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    header = composed.split("\n\n", 1)[0]
    own = NAME.findall(" ".join(row.split("|")[1] for row in rows))
    ports = re.findall(r"ARREARS_[A-Z]+_PORT", header)
    of_cli = re.findall(r"ARREARS_(?:<SERVICE>_URL|API_TOKEN|STAFF|MAVEN)\b", readme)
    return Counter([*own, *(kafka._NAMES - set(own)), *ports, *of_cli])


def test_every_setting_is_documented_once_and_no_other_is() -> None:
    found = documented()
    assert {name for name, count in found.items() if count > 1} == set()
    assert read_in_code() - found.keys() == set()
    assert found.keys() - read_in_code() == set()
