"""What the command line logs does not stand among what it prints."""

import pytest
import structlog

from arrears.cli import main


def test_logs_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main.arrears()
    structlog.get_logger("anyone").warning("kafka_client", message="not connected")
    said = capsys.readouterr()
    assert said.out == ""
    assert "not connected" in said.err
