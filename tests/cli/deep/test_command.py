"""The options of `arrears verify` that need `--deep` say so."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from arrears.cli.main import app


@pytest.mark.parametrize(
    "arguments", [["--fast"], ["--expect-digest", "0" * 64], ["--as-of", "2024-01-02"]]
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


@pytest.mark.parametrize("text", ["", "zz", "0" * 63, "g" * 64, "٠" * 64])
def test_a_digest_that_can_be_none_is_wrong_use_before_anything_is_read(text: str) -> None:
    found = CliRunner().invoke(app, ["verify", "--deep", "--expect-digest", text])
    assert found.exit_code == 2
    assert "--expect-digest" in found.stderr
