"""The command line: wrong use exits 2 with one sentence, and no foreign text moves a terminal."""

import gzip
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from arrears.cli.client.installation import Installation
from arrears.cli.client.services import choose_ports
from arrears.cli.client.trouble import WrongUse, told
from arrears.cli.main import app
from arrears.cli.stack.folder import free_ports

NASTY = "[/red] \x1b[2J\x1b]0;owned\x07 \u202egnitaerht [bold]x[/] \x00 \u2028"
HOSTILE = (
    "", " ", "x", "-", "--", "-1", "0", "1.5", "nan", "inf", "9" * 400, "9" * 5000, "\udcff",
    "\ud800", "\u202e", "\x1b[31m", "[/red]", "字" * 300, "../../etc/passwd", "/dev/null", "/",
    "%s%n", "\n",
    "2026-02-30", "9999-12-31", "0001-01-01", "2205-01-01", "a@b@c", "'; DROP TABLE x", "*",
)  # fmt: skip
WRONG: list[tuple[list[str], str]] = [
    (["nonsense"], "nonsense"),
    (["status", "--bogus"], "--bogus"),
    (["up", "--clock", "sometimes"], "--clock"),
    (["up", "--seed", "x"], "--seed"),
    (["feed", "generate", "--loans", "0"], "loans"),
    (["feed", "generate", "--loans", "x"], "--loans"),
    (["feed", "generate", "--seed", "9" * 400], "seed"),
    (["feed", "generate", "--seed", "9" * 5000], "--seed"),
    (["feed", "generate", "--months", "-1"], "months"),
    (["feed", "generate", "--start", "2026-02-30"], "--start"),
    (["feed", "generate", "--start", "9999-12-31"], "start_on"),
    (["feed", "generate", "--special", "nope"], "special"),
    (["feed", "generate", "--loans", "1", "--out", "no/such/folder/f.jsonl"], "--out"),
    (["feed", "generate", "--loans", "1", "--out", "."], "--out"),
    (["feed", "import", "nowhere.jsonl"], "FILE"),
    (["feed", "import", "."], "FILE"),
    (["feed", "import", "--dry-run", "broken.gz"], "broken.gz"),
    (["feed", "expect", "rubbish"], "rubbish"),
    (["case", "list", "--limit", "0"], "--limit"),
    (["case", "list", "--as-of", "yesterday"], "--as-of"),
    (["history"], "CASE|LOAN"),
    (["history", "x", "--lang", "de"], "--lang"),
    (["history", "\udcff"], "UTF-8"),
    (["portfolio", "--wait", "-1"], "--wait"),
    (["portfolio", "--wait", "nan"], "--wait"),
    (["portfolio", "--wait", "inf"], "--wait"),
    (["refused", "list", "--service", "history"], "--service"),
    (["refused", "list", "--after", "-1"], "--after"),
    (["refused", "show", "x"], "number"),
    (["parked", "skip", "b"], "--reason"),
    (["parked", "skip", "b", "--reason", "  ", "--approved-by", "a"], "--reason"),
    (["doubt", "settle", "e", "--note", "n"], "--carried-out"),
    (["doubt", "settle", "e", "--carried-out", "--note", "  "], "--note"),
    (["rebuild", "intake", "--from", "nowhere"], "--from"),
    (["rebuild", "nobody", "--from", "store"], "SERVICE"),
    (["day", "close", "--to", "tomorrow"], "--to"),
    (["bench", "--only", "nothing"], "nothing"),
]


@pytest.fixture(scope="module")
def outside() -> Iterator[str]:
    """Every service in one, whose every text is hostile."""
    texts = dict.fromkeys(
        ("origin", "reason", "field", "borrower_id", "day", "refused_at", "text", "error",
         "parked_at", "loan_key", "status", "stage", "bucket", "currency", "opened_on", "case_id",
         "closed_reason", "sha256", "up_to", "trouble", "min_open_day"),
        NASTY,
    )  # fmt: skip
    numbers = dict.fromkeys(
        ("number", "bytes", "count", "waiting", "days_past_due", "overdue_minor", "balance_minor",
         "case_count", "event_count"),
        1,
    )  # fmt: skip
    line = {"on": "2026-03-02", "service": "intake", "what": NASTY, "why": NASTY}
    row = {**texts, **numbers}
    answer = {
        **row,
        "items": [row],
        "next": None,
        "cases": [row],
        "next_after": None,
        "lines": [line],
        "case_ids": ["c"],
        "as_of": "2026-03-02",
        "closed_everywhere": "9999-12-31",
        "services": {},
        "events": {},
        "waits_for": [NASTY],
        "answers": True,
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(json.dumps(answer).encode()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def _handler(said: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: Any) -> None:
            return None

    return Handler


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: str) -> Path:
    """An empty checkout: its services are elsewhere, its Kafka and PostgreSQL nowhere."""
    for folder in ("requirements", "services", ".local"):
        (tmp_path / folder).mkdir()
    (tmp_path / "requirements" / "run.txt").touch()
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"{}" * 999)[:-9])
    (tmp_path / "rubbish").write_bytes(b"\xff\x00[[[" * 99)
    monkeypatch.chdir(tmp_path)
    for service in ("intake", "contact", "mediation", "legal", "history"):
        monkeypatch.setenv(f"ARREARS_{service.upper()}_URL", outside)
    port = free_ports(1)[0]
    monkeypatch.setenv("ARREARS_KAFKA", f"127.0.0.1:{port}")
    monkeypatch.setenv("ARREARS_POSTGRES", f"postgresql://x:sesame@127.0.0.1:{port}/postgres")
    monkeypatch.setenv("ARREARS_CLOCK", "live")
    return tmp_path


def arrears(*arguments: str) -> Result:
    done = CliRunner().invoke(app, list(arguments))
    known = done.exception is None or isinstance(done.exception, SystemExit)
    assert known, (arguments, done.exception)
    return done


@pytest.mark.parametrize(("arguments", "names"), WRONG)
def test_wrong_use_exits_2_and_names_what_is_wrong(
    checkout: Path, arguments: list[str], names: str
) -> None:
    done = arrears(*arguments)
    assert done.exit_code == 2, done.output
    assert names in done.stderr
    assert "Traceback" not in done.output
    assert not done.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ARREARS_ZONE", "Asia"),
        ("ARREARS_ZONE", "\udcff"),
        ("ARREARS_HISTORY_URL", "http://["),
        ("ARREARS_HISTORY_URL", "ftp://x"),
        ("ARREARS_KAFKA", "broker"),
        ("ARREARS_POSTGRES", "mysql://x"),
        ("ARREARS_POSTGRES", "postgresql://[::1"),
    ],
)
def test_a_wrong_setting_exits_2_and_is_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    (checkout / "feed.jsonl").touch()
    asked = {"ARREARS_ZONE": ["feed", "import", "--dry-run", "feed.jsonl"]}
    done = arrears(*asked.get(name, ["portfolio"] if "URL" in name else ["migrate"]))
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_room_and_no_right_to_write_are_one_line_each(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ARREARS_KAFKA", "ARREARS_POSTGRES"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5e7))
    done = arrears("up")
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert done.stderr.startswith(f"error: no room for {checkout / '.local'}: 1.0 GB needed")
    assert len(done.stderr.splitlines()) == 1
    shutil.rmtree(checkout / ".local")
    (checkout / ".local").write_text("a file in the way")
    done = arrears("up")
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert len(done.stderr.splitlines()) == 1
    assert ".local" in done.stderr


def test_a_busy_port_that_was_asked_for_is_one_line(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("ARREARS_CONTACT_LISTEN", listen)
        with pytest.raises(typer.Exit) as ending, told():
            choose_ports(Installation.find(), print)
    assert ending.value.exit_code == 2


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1:²", "127.0.0.1:99999", ":1"])
def test_a_wrong_place_to_listen_is_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, listen: str
) -> None:
    monkeypatch.setenv("ARREARS_CONTACT_LISTEN", listen)
    with pytest.raises(WrongUse, match=r"ARREARS_CONTACT_LISTEN: .* is not host:port"):
        choose_ports(Installation.find(), print)


COMMANDS = (
    ("case", "list", "--stage", "*"),
    ("case", "list", "--loan", "*", "--limit", "*"),
    ("case", "list", "--as-of", "*"),
    ("history", "*"),
    ("history", "*", "--as-of", "*"),
    ("portfolio", "--as-of", "2026-03-02", "--wait", "*"),
    ("digest", "--as-of", "*"),
    ("export", "*"),
    ("status",),
    ("refused", "list", "--service", "*"),
    ("refused", "list", "--limit", "*", "--after", "*"),
    ("refused", "show", "*"),
    ("parked", "list", "--service", "*"),
    ("parked", "show", "*"),
    ("parked", "retry", "*"),
    ("parked", "skip", "*", "--reason", "*", "--approved-by", "*"),
    ("borrower", "erase", "*", "--basis", "*", "--approved-by", "*"),
    ("refused", "show", "1", "--purpose", "*"),
    ("doubt", "list", "--service", "*"),
    ("doubt", "settle", "*", "--carried-out", "--note", "*"),
    ("feed", "expect", "*"),
    ("feed", "import", "--dry-run", "*"),
    ("feed", "generate", "--loans", "1", "--months", "*", "--out", "out.jsonl"),
    ("feed", "generate", "--loans", "1", "--start", "*", "--seed", "*", "--out", "out.jsonl"),
    ("day", "close", "--to", "*"),
    ("migrate",),
)


def test_any_argument_and_any_answer_end_without_a_trace(
    checkout: Path, requests: int, first_seed: int
) -> None:
    """Whatever is asked and whatever is answered: an exit code of ours, and a quiet terminal."""
    chance = Random(first_seed)
    shown = 0
    for command in COMMANDS * max(requests // 1_000, 1):
        asked = [part if part != "*" else chance.choice(HOSTILE) for part in command]
        done = arrears(*asked)
        assert done.exit_code in {0, 1, 2}, (asked, done.output)
        assert "Traceback" not in done.output, asked
        assert not {"\x1b", "\u202e", "\x00", "\x07"} & set(done.output), (asked, done.output)
        shown += "gnitaerht" in done.stdout
    assert shown


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_file_may_have_a_name_that_is_no_text(checkout: Path, more: list[str]) -> None:
    for command in (["export", "\udcff"], ["feed", "generate", "--loans", "1", "--out", "\udcff"]):
        done = arrears(*command, *more)
        assert done.exit_code == 0, done.output
        assert r"\udcff" in done.output


def test_a_file_of_anything_is_judged_line_by_line(checkout: Path) -> None:
    chance = Random(2)
    for number in range(4):
        pieces = [bytes(chance.randrange(256) for _ in range(chance.randrange(300)))] * 9
        pieces += [b"[" * 100_000, NASTY.encode(), b'{"type":"' + NASTY[:6].encode() + b'"}', b"{}"]
        pieces += [b'{"type":"x","time":"9999-12-31T23:59:59-14:00"}', b"x" * 1_000_000]
        chance.shuffle(pieces)
        file = checkout / f"feed-{number}"
        text = b"\n".join(pieces)
        file.write_bytes(gzip.compress(text) if number % 2 else text)
        done = arrears("feed", "import", "--dry-run", str(file))
        assert done.exit_code == 0, done.output
        assert not {"\x1b", "\u202e", "\x00"} & set(done.output)
        assert arrears("feed", "expect", str(file)).exit_code == 2
