"""The house rules that a machine can check: sizes, leftovers, rooms and READMEs."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
SERVICES = ("intake", "contact", "mediation", "legal", "history")
ROOMS = (
    "README.md",
    "migrations/env.py",
    "migrations/versions",
    "pyproject.toml",
    "src/arrears/{name}/__init__.py",
    "src/arrears/{name}/adapters",
    "src/arrears/{name}/api/routes.py",
    "src/arrears/{name}/application/ports.py",
    "src/arrears/{name}/application/projections/case_list.py",
    "src/arrears/{name}/domain",
    "src/arrears/{name}/main.py",
    "src/arrears/{name}/py.typed",
)
STAGE_ROOMS = (
    "src/arrears/{name}/api/schemas.py",
    "src/arrears/{name}/application/handlers.py",
    "src/arrears/{name}/application/publish.py",
    "src/arrears/{name}/application/react.py",
)
LEFTOVERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")


def committed() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else _walked()
    for name in names:
        path = ROOT / name
        if path.is_file():
            yield path


def _walked() -> list[str]:
    """Without git: everything but what the checkout makes for itself."""
    return [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]


SOURCES = sorted(path for path in committed() if path.suffix == ".py")


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 200


def test_files_and_functions_are_short_and_modules_say_what_they_are() -> None:
    found = [f"{place(path)}: {trouble}" for path in SOURCES for trouble in _troubles(path)]
    assert not found


def _troubles(path: Path) -> Iterator[str]:
    text = path.read_text()
    if (count := len(text.splitlines())) > FILE_LINES_MAX:
        yield f"{count} lines"
    tree = ast.parse(text)
    if text.strip() and not ast.get_docstring(tree):
        yield "no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines"


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{place(path)}:{number}"
        for path in committed()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ""}
        for number, line in enumerate(_lines(path), start=1)
        if LEFTOVERS.search(line)
    ]
    assert not found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        return []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    rooms = ROOMS if service == "history" else ROOMS + STAGE_ROOMS
    house = ROOT / "services" / service
    missing = [room for room in rooms if not (house / room.format(name=service)).exists()]
    assert not missing


def test_source_folders_are_portions_of_one_namespace() -> None:
    """An `__init__.py` in `arrears/` itself would hide all other packages."""
    portions = [path for path in ROOT.glob("*/src/arrears")]
    portions += list(ROOT.glob("services/*/src/arrears"))
    assert len(portions) == 7
    assert not [path for path in portions if (path / "__init__.py").exists()]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_tells_its_story_on_one_screen(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text()
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert headings, "no sections"
    assert len(text.splitlines()) <= 80
