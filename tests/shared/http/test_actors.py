"""Who calls: tokens are kept as hashes, roles bind, and nobody is believed by default."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from arrears.shared.http.actors import (
    Actor,
    DevelopmentActors,
    TokenActors,
    TokensFile,
    actors_from_env,
)
from arrears.shared.http.problem import ProblemRaised
from arrears.shared.kernel.ids import StaffId

LINE = f"{sha256(b'open sesame').hexdigest()} li.wei collector,ops"


def _request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").lower().encode(), v.encode()) for name, v in headers.items()]
    return Request({"type": "http", "headers": raw})


ASKED = _request(authorization="Bearer open sesame")


class TestTokens:
    def test_a_token_names_its_bearer(self) -> None:
        actors = TokenActors.from_text(f"# staff\n\n{LINE}\n")
        expected = Actor(StaffId("li.wei"), frozenset({"collector", "ops"}))
        assert actors.writer(_request(authorization="Bearer open sesame")) == expected
        assert actors.reader(_request(authorization="bearer open sesame")) == expected

    @pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer open", "Basic open sesame"])
    def test_any_other_is_nobody(self, given: str) -> None:
        with pytest.raises(ProblemRaised) as raised:
            TokenActors.from_text(LINE).reader(_request(authorization=given, x_staff_id="li.wei"))
        assert raised.value.problem.status == 401
        assert raised.value.headers == {"WWW-Authenticate": "Bearer"}

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("x li ops", "line 1 is not"),
            (f"{LINE}\nshort", "line 2 is not"),
            (f"{LINE},boss", "line 1: unknown role boss"),
            (LINE.rsplit(" ", 1)[0], "line 1 is not"),
            (f"{LINE}\n\n{LINE.replace('li.wei', 'wang')}", "line 3: the token of an earlier line"),
        ],
    )
    def test_a_bad_line_is_named(self, text: str, rule: str) -> None:
        with pytest.raises(ValueError, match=f"ARREARS_API_TOKENS_FILE: {rule}"):
            TokenActors.from_text(text)

    @pytest.mark.parametrize(
        ("named", "role", "known"),
        [
            ("li.wei", "ops", True),
            ("li.wei", "lawyer", False),
            ("Li.wei", "ops", False),
            ("wang", "ops", False),
        ],
    )
    def test_who_is_known_for_a_role(self, named: str, role: str, *, known: bool) -> None:
        assert TokenActors.from_text(LINE).is_known(StaffId(named), role) is known


class TestTokensFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        found = tmp_path / "tokens"
        found.write_text(LINE)
        return found

    def test_whoever_is_struck_out_is_refused_from_then_on(self, file: Path) -> None:
        actors = TokensFile(file)
        assert actors.reader(ASKED).staff_id == "li.wei"
        file.write_text("# nobody\n")
        with pytest.raises(ProblemRaised):
            actors.reader(ASKED)
        assert not actors.is_known(StaffId("li.wei"), "ops")

    def test_whoever_is_added_is_known_from_then_on(self, file: Path) -> None:
        file.write_text("")
        actors = TokensFile(file)
        put_there = file.with_name("newer")
        put_there.write_text(LINE)
        put_there.rename(file)
        assert actors.writer(ASKED).staff_id == "li.wei"

    @pytest.mark.parametrize("spoil", [lambda file: file.write_text("li.wei"), Path.unlink])
    def test_what_cannot_be_read_changes_nothing_and_is_said_once(
        self, file: Path, spoil: Callable[[Path], None]
    ) -> None:
        actors = TokensFile(file)
        spoil(file)
        with capture_logs() as logs:
            assert actors.reader(ASKED).staff_id == "li.wei"
            assert actors.reader(ASKED).staff_id == "li.wei"
        assert [line["event"] for line in logs] == ["tokens_not_read"]
        assert "li.wei" not in str(logs)
        file.write_text("# nobody any more\n")
        with pytest.raises(ProblemRaised):
            actors.reader(ASKED)


class TestFromEnv:
    def test_nobody_is_believed_by_default(self) -> None:
        with pytest.raises(ProblemRaised):
            actors_from_env({}).reader(_request(x_staff_id="li.wei"))

    def test_development_is_switched_on_by_name(self) -> None:
        assert isinstance(actors_from_env({"ARREARS_API_DEVELOPMENT": "yes"}), DevelopmentActors)
        with pytest.raises(ValueError, match="ARREARS_API_DEVELOPMENT: must be yes or no"):
            actors_from_env({"ARREARS_API_DEVELOPMENT": "1"})

    def test_tokens_win_over_development(self, tmp_path: Path) -> None:
        file = tmp_path / "tokens"
        file.write_text(LINE)
        env = {"ARREARS_API_TOKENS_FILE": str(file), "ARREARS_API_DEVELOPMENT": "yes"}
        assert isinstance(actors_from_env(env), TokensFile)

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        with pytest.raises(ValueError, match="ARREARS_API_TOKENS_FILE: cannot be read"):
            actors_from_env({"ARREARS_API_TOKENS_FILE": "/no/such/file"})
