"""The options of `arrears verify` that need `--deep` say so."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from arrears.cli.main import app


@pytest.mark.parametrize(
    "arguments", [["--fast"], ["--expect-digest", "00"], ["--as-of", "2024-01-02"]]
)
def test_an_option_of_the_deep_proof_without_it(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").write_text("")
    (tmp_path / "services").mkdir()
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, ["verify", *arguments])
    assert found.exit_code == 2
    assert "--deep: is needed" in found.stderr
