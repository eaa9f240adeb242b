"""Decoders under inputs that coverage guides: `python tests/fuzz/guided.py RUNS SEED`.

Needs atheris, which `make fuzz` fetches: where there is none for this Python, this says so and is
done. Each input begins with a byte that chooses who reads the rest.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

try:
    import atheris
except ImportError:
    atheris = None

if atheris is not None:
    with atheris.instrument_imports(include=["arrears"]):
        from arrears.cli.feed.importer_dry import what_is_wrong
        from arrears.cli.feed.importer_topic import closing_of
        from arrears.cli.feed.importing import key_of, outline_of
        from arrears.cli.feed.lines import Line
        from arrears.history.domain.told import NotAnEvent, keep
        from arrears.intake.domain import policy
        from arrears.intake.domain.facts import BadRecord, fact_digest, fact_identity, read_fact
        from arrears.shared.contracts.registry import CONTRACTS, decode_contract
        from arrears.shared.http.guard import depth_of
        from arrears.shared.http.idempotency import input_hmac
        from arrears.shared.kernel.money import BadAmount, parse_minor
        from arrears.shared.kernel.policy import BadPolicy
        from arrears.shared.testing.good_feed import good_closing, good_record

LOCAL: Final = Path(__file__).resolve().parents[2] / ".local"
LENGTH_MAX: Final = 8_192


def _fact(value: bytes) -> None:
    try:
        fact = read_fact(value)
    except BadRecord as bad:
        assert bad.reason and bad.field  # noqa: PT018 - one thing: a refusal is never empty
        assert closing_of(value) is None
        return
    assert fact_identity(fact)
    assert fact_digest(fact)


def _line(value: bytes) -> None:
    line = Line(number=1, value=value)
    assert key_of(line, outline_of(line))
    says = what_is_wrong(line)
    assert says is None or says


def _event(value: bytes) -> None:
    try:
        keep("contact", 3, 1, value)
    except NotAnEvent as error:
        assert str(error)


def _contract(value: bytes) -> None:
    import msgspec  # noqa: PLC0415 - its C code is not instrumented

    for name in CONTRACTS:
        try:
            decode_contract(name, msgspec.Raw(value))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue


def _amount(value: bytes) -> None:
    try:
        minor = parse_minor(value.decode("utf-8", "replace"), "CNY")
    except BadAmount as bad:
        assert bad.reason
        return
    assert abs(minor) <= 10**15


def _body(value: bytes) -> None:
    if depth_of(value) <= 16:
        assert len(input_hmac(b"secret", "POST", "/cases", value)) == 32


def _policy(value: bytes) -> None:
    try:
        policy.parse(value.decode("utf-8", "replace"))
    except BadPolicy as bad:
        assert bad.rule


READERS: Final[tuple[Callable[[bytes], None], ...]] = (
    _fact, _fact, _fact, _line, _event, _contract, _amount, _body, _policy,
)  # fmt: skip


def one_input(given: bytes) -> None:
    if given:
        READERS[given[0] % len(READERS)](given[1:])


def mutated(given: bytes, size_max: int, seed: int) -> bytes:
    """Now and then a good record to begin with: chance alone hardly finds one."""
    chance = Random(seed)
    if chance.random() < 0.02:
        make = chance.choice((good_record, good_record, good_closing))
        value = json.dumps(make(chance, 1)).encode()
        return bytes([chance.randrange(len(READERS))]) + value[: size_max - 1]
    found: bytes = atheris.Mutate(given, size_max)
    return found


def main() -> None:
    runs, seed = int(sys.argv[1]), int(sys.argv[2])
    if atheris is None:
        print("guided by coverage: skipped, atheris is not installed for this Python")
        return
    limits = [f"-runs={runs}", f"-seed={seed}", f"-max_len={LENGTH_MAX}", "-verbosity=0"]
    found = f"-artifact_prefix={LOCAL}/fuzz-"
    arguments: list[Any] = [sys.argv[0], *limits, found, "-print_final_stats=1"]
    atheris.Setup(arguments, one_input, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
