"""Ways to spoil a request, each of which names the statuses that may answer it.

Made of a request that would be carried out. Somewhere in most of them stands `SECRET`, as personal
data would: no answer and no line of a log may repeat it.
"""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final
from urllib.parse import quote_from_bytes

from msgspec import Struct

from arrears.shared.testing.bad_values import ANYTHING

SECRET: Final = "13800138000"
_HEADERS: Final = {"x-staff-id": "li.wei", "content-type": "application/json"}
_KEY: Final = "idempotency-key"
_WORDS: Final = frozenset({"reason", "note", "origin", "basis", "purpose"})
_NAMES: Final = frozenset({"approved_by"})
_MAY_BE_NULL: Final = frozenset({"until_on", "note"})
_METHODS: Final = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "Brew", "")


class Target(Struct, frozen=True):
    """What a service may be asked: posts with a good body, questions with their parameters.

    A parameter has the kind of its values beside it; one without a name is the end of the path.
    """

    posts: Mapping[str, Any]
    questions: Mapping[str, Mapping[str, str]]


class BadRequest(Struct, frozen=True):
    way: str
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    statuses: tuple[int, ...]
    field: str | None = None


def spoilt(chance: Random, target: Target, number: int) -> BadRequest:
    ways = _QUESTIONS if not target.posts or chance.random() < 0.3 else _POSTS
    return chance.choice(ways)(chance, target, number)


# --- Commands


def _post(
    chance: Random,
    target: Target,
    number: int,
    *,
    wants_body: bool = False,
) -> tuple[str, Any, dict[str, str]]:
    paths = [path for path, body in target.posts.items() if body is not None or not wants_body]
    path = chance.choice(paths)
    return path, target.posts[path], {**_HEADERS, _KEY: f"bad-{number}"}


def _bad_field(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number, wants_body=True)
    name = chance.choice(list(body))
    value = chance.choice([one for one in ANYTHING if not _may_be_good(name, body[name], one)])
    if isinstance(value, str) and chance.random() < 0.5:
        value = f"\x00{value}{SECRET}"
    sent = json.dumps({**body, name: value}).encode()
    statuses = (422, 409) if name == "treatment" else (422,)
    return _request("bad_field", path, headers, sent, statuses, name)


def _lacking(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number, wants_body=True)
    names = [name for name in body if name not in {*_MAY_BE_NULL, "despite_limitation"}]
    if not names:
        return _bad_field(chance, target, number)
    name = chance.choice(names)
    sent = json.dumps({key: value for key, value in body.items() if key != name}).encode()
    return _request("lacking", path, headers, sent, (422,), name)


def _unknown_field(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number, wants_body=True)
    name = chance.choice(("surprise", "__proto__", "case_id", "now", "x" * 3000, "\u202e", "a\x00"))
    sent = json.dumps({**body, name: SECRET}).encode()
    return _request("unknown_field", path, headers, sent, (422,))


def _not_json(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number, wants_body=True)
    good = json.dumps(body).encode()
    bad = chance.choice(
        (
            good[: chance.randrange(len(good))],
            good.replace(b'"', b"'"),
            b"\xff" + good,
            b"\x00" + good,
            good + b"x",
            b'{"a":NaN}',
            b"-",
            f'"{SECRET}"'.encode(),
            good[:-1] + b',"x":"' + b"\xed\xa0\x80" + b'"}',
            bytes(chance.randrange(256) for _ in range(200)),
        )
    )
    return _request("not_json", path, headers, bad, (400, 422))


def _too_much(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number, wants_body=True)
    good = json.dumps(body).encode()
    match chance.choices(range(4), [4, 2, 2, 0.2])[0]:
        case 0:
            deep = chance.choice((16, 17, 1_000, 15_000))
            return _request(
                "too_deep",
                path,
                headers,
                good[:-1] + b',"x":' + b'{"a":[' * deep + b"]}" * deep + b"}",
                (422, 413),
            )
        case 1:
            return _request("too_deep", path, headers, b"[" * 60_000, (422,))
        case 2:
            sent = good[:-1] + b',"x":"' + b"x" * 66_000 + b'"}'
            return _request("too_large", path, headers, sent, (413,))
    return _request("ten_megabytes", path, headers, SECRET.encode() * 950_000, (413,))


def _nobody(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number)
    bad = chance.choice(
        (None, "", " ", "x" * 65, "-li", "li wei", "李", "a\x00b", "' OR 1=1", "a\tb")
    )
    headers = _with(headers, "x-staff-id", bad)
    return _request("nobody", path, headers, _json(body), (401,))


def _bad_key(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number)
    bad = chance.choice((None, "", " ", "a b", "x" * 201, "钥匙", "a\x00", "a\tb", "\x7f", "é"))
    headers = _with(headers, _KEY, bad)
    return _request("bad_key", path, headers, _json(body), (422,))


def _bad_kind(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number, wants_body=True)
    kinds = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    headers = _with(headers, "content-type", chance.choice(kinds))
    return _request("bad_kind", path, headers, _json(body), (400, 415, 422))


def _bad_path(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number)
    parts = path.split("/")
    place = chance.randrange(1, len(parts))
    bad = chance.choice(
        (
            SECRET.encode(), b"%00", b"%E2%80%AE", b"%ED%A0%80", b"%FF", b"x" * 8_000, b"..%2f..",
            b"%", b"%zz", b"0" * 36, b"ffffffff-0000-4000-8000-000000000000", b"'%20OR%201=1", b"",
            b"FFFFFFFF-0000-4000-8000-000000000000", b"{case_id}", b"%0d%0aX-Evil:%201",
        )
    )  # fmt: skip
    parts[place] = "\x01"
    sent = "/".join(parts).encode().replace(b"\x01", bad)
    return _request("bad_path", sent, headers, _json(body), (404, 405, 409, 422))


def _bad_method(chance: Random, target: Target, number: int) -> BadRequest:
    path, body, headers = _post(chance, target, number)
    return _request(
        "bad_method", path, headers, _json(body), (404, 405), method=chance.choice(_METHODS)
    )


# --- Questions


def _bad_parameter(chance: Random, target: Target, number: int) -> BadRequest:
    path = chance.choice([one for one, names in target.questions.items() if names])
    name, kind = chance.choice(list(target.questions[path].items()))
    raw = chance.choice(_PARAMETERS[kind])
    sent = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    begin = f"{path}?{name}=" if name else f"{path}/"
    target_bytes = begin.encode() + quote_from_bytes(sent, safe=b"").encode()
    if not name:
        return _request("bad_number", target_bytes, _HEADERS, b"", (422, 404), method="GET")
    return _request("bad_parameter", target_bytes, _HEADERS, b"", (422,), name, method="GET")


def _bad_question(chance: Random, target: Target, number: int) -> BadRequest:
    path = chance.choice(list(target.questions))
    bad = chance.choice(
        (b"/nothing", b"%00", b"%2e%2e", b"//", b"\\", b"%E2%80%AE", b"/" + SECRET.encode())
    )
    headers = {"x-staff-id": "li.wei"}
    return _request(
        "bad_question", path.encode() + bad, headers, b"", (404, 405, 422), method="GET"
    )


def _bad_asker(chance: Random, target: Target, number: int) -> BadRequest:
    path = chance.choice([one for one in target.questions if one not in {"/health"}])
    headers = {"x-staff-id": chance.choice(("", " ", "x" * 65, "李", "a b", SECRET + " x"))}
    return _request("bad_asker", path.encode(), headers, b"", (401,), method="GET")


_POSTS: Final[list[Callable[[Random, Target, int], BadRequest]]] = [
    _bad_field, _bad_field, _bad_field, _lacking, _unknown_field, _not_json, _too_much, _nobody,
    _bad_key, _bad_kind, _bad_path, _bad_method,
]  # fmt: skip
_QUESTIONS: Final[list[Callable[[Random, Target, int], BadRequest]]] = [
    _bad_parameter, _bad_parameter, _bad_parameter, _bad_question, _bad_asker,
]  # fmt: skip
_NUMBERS: Final = (
    "",
    "x",
    "-1",
    "1.5",
    "1e3",
    "NaN",
    "9" * 30,
    "9" * 5000,
    "\x00",
    "\u202e1",
    "०x",
)
_DAYS: Final = (
    "", "x", "2026-02-30", "0000-00-00", "2205-13-01", "20260302", "1772445600", "9999-12-31",
    "\x00", "2026-03-02T00:00:00Z", "0001-01-01", "٢٠٢٦-٠٣-٠٢", "2026-03-02\n", SECRET,
)  # fmt: skip
_TEXTS: Final = ("\x00", "a\x00b", "x" * 501, "a\nb", "\x7f", "\x1b[2J", f"{SECRET}\r\n")
_PARAMETERS: Final[dict[str, tuple[str | bytes, ...]]] = {
    "limit": (*_NUMBERS, "0", "1001", str(2**63)),
    "number": (*_NUMBERS, str(2**63), str(2**64)),
    "wait": ("x", "-1", "601", "nan", "inf", "-inf", "9" * 400, "\x00"),
    "day": _DAYS,
    "lang": ("", "de", "zh\x00", "EN", SECRET),
    "text": _TEXTS,
    "key": (*_TEXTS, "\u202e", "a b", "字", b"\xff"),
}


# --- Parts


def _request(
    way: str,
    path: str | bytes,
    headers: Mapping[str, str],
    body: bytes,
    statuses: tuple[int, ...],
    field: str | None = None,
    *,
    method: str = "POST",
) -> BadRequest:
    raw = tuple((name.encode(), text.encode("utf-8")) for name, text in headers.items())
    target = path if isinstance(path, bytes) else path.encode()
    return BadRequest(way, method, target, raw, body, statuses, field)


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def _with(headers: Mapping[str, str], name: str, text: str | None) -> dict[str, str]:
    kept = {key: value for key, value in headers.items() if key != name}
    return kept if text is None else {**kept, name: text}


def _may_be_good(name: str, good: Any, value: Any) -> bool:
    """Whether the field might take the value after all. In doubt it is not called bad."""
    if value is None:
        return name in _MAY_BE_NULL
    if isinstance(good, bool):
        return isinstance(value, bool)
    if name in _NAMES:
        return isinstance(value, str) and value[:1].isalnum()
    if name in _WORDS and good not in {"dispute"}:
        return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= 500
    return False
