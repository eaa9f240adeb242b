"""A bank's own policies take the place of those that ship; a bad one ends a start by its name."""

from pathlib import Path

import pytest

from arrears.intake.adapters.policies import load_policies
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.kernel.policy import BadPolicy
from arrears.shared.service.leaving import leaving_plainly
from arrears.shared.service.policies import read_policies
from arrears.shared.service.settings import Settings

ENV = {"ARREARS_POSTGRES": "postgresql://arrears@127.0.0.1/postgres"}


def own(folder: Path, **files: str) -> Path:
    place = folder / "intake"
    place.mkdir()
    for name, text in files.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def number(text: str) -> int:
    if not text.isdigit():
        raise BadPolicy("version", "must be a number")
    return int(text)


def test_the_banks_own_are_read_in_order_of_file_name(tmp_path: Path) -> None:
    (own(tmp_path, b="2", a="1", c="3") / "intake" / "notes.txt").write_text("no policy")
    assert read_policies("intake", number, tmp_path) == [1, 2, 3]


def test_a_service_without_its_own_takes_those_that_ship(tmp_path: Path) -> None:
    own(tmp_path, a="1")
    shipped = read_policies("legal", str)
    assert len(shipped) == 1
    assert read_policies("legal", str, tmp_path) == shipped


def test_a_folder_of_its_own_without_a_version_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match="no version found"):
        load_policies(own(tmp_path))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"one", "intake/bad.yaml: version: must be a number"),
        ("über".encode("latin-1"), "intake/bad.yaml: is not a text in UTF-8"),
        (None, "intake/bad.yaml: cannot be read: Is a directory"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, says: str) -> None:
    bad = own(tmp_path, a="1") / "intake" / "bad.yaml"
    if content is None:
        bad.mkdir()
    else:
        bad.write_bytes(content)
    with pytest.raises(BadPolicy) as refusal:
        read_policies("intake", number, tmp_path)
    assert str(refusal.value) == says


def test_a_bad_policy_ends_a_start_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, leaving_plainly("intake", ()):
        raise BadPolicy("intake/bad.yaml: version", "must be a number")
    assert left.value.code == 2
    said = "arrears-intake: policy: intake/bad.yaml: version: must be a number\n"
    assert capsys.readouterr().err == said


def test_the_setting_names_a_folder_of_services(tmp_path: Path) -> None:
    env = {**ENV, "ARREARS_POLICIES": str(own(tmp_path))}
    assert Settings.from_env("legal", env).ground.policies == tmp_path
    assert Settings.from_env("legal", ENV).ground.policies is None
    (tmp_path / "leagl").mkdir()
    with pytest.raises(BadSetting, match="ARREARS_POLICIES: 'leagl' in it is none of intake,"):
        Settings.from_env("legal", env)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    env = {**ENV, "ARREARS_POLICIES": str(tmp_path / "nowhere")}
    with pytest.raises(BadSetting, match="cannot be read: No such file"):
        Settings.from_env("legal", env)
