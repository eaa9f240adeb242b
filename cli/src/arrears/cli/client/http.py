"""Asking a service over HTTP: its answer, or one sentence on why there is none."""

import getpass
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx

from arrears.cli.client.installation import Installation
from arrears.cli.client.trouble import Trouble, WrongUse

TIMEOUT: Final = httpx.Timeout(120.0, connect=3.0)
STAFF: Final = "ARREARS_STAFF"
TOKEN: Final = "ARREARS_API_TOKEN"


class NotThere(Trouble):
    """The service answered 404."""


class Api:
    """One service's API, with the token or the name of whoever asks."""

    def __init__(self, installation: Installation, service: str) -> None:
        self.service = service
        self.base = installation.url(service)
        self._headers = _headers(installation.given)

    def get(self, path: str, **params: object) -> Any:
        return self._answer("GET", path, params=_said(params)).json()

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """A command; its idempotency key is made here, so pressing the key once counts once."""
        answer = self._answer(
            "POST", path, headers={"Idempotency-Key": secrets.token_hex(16)}, json=body or {}
        )
        return answer.json() if answer.content else None

    @contextmanager
    def stream(self, path: str, **params: object) -> Iterator[httpx.Response]:
        with (
            self._plain_errors(),
            httpx.Client(base_url=self.base, timeout=TIMEOUT, trust_env=False) as client,
            client.stream("GET", path, params=_said(params), headers=self._headers) as answer,
        ):
            if answer.is_error:
                answer.read()
                raise problem_of(self.service, answer)
            yield answer

    def _answer(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        with (
            self._plain_errors(),
            httpx.Client(base_url=self.base, timeout=TIMEOUT, trust_env=False) as client,
        ):
            sent = {**self._headers, **(headers or {})}
            answer = client.request(method, path, headers=sent, **more)
        if answer.is_error:
            raise problem_of(self.service, answer)
        return answer

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise Trouble(f"{self.service} at {self.base} does not answer in time") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Trouble(
                f"{self.service} does not answer at {self.base} ({error}): `arrears up` starts the "
                f"services, ARREARS_{self.service.upper()}_URL names another address"
            ) from error


def problem_of(service: str, answer: httpx.Response) -> Trouble:
    """Problem details (RFC 9457) as a sentence."""
    try:
        said = answer.json()
        detail = str(said.get("detail") or said.get("title") or said)
        reason = said.get("reason")
    except (ValueError, AttributeError):
        detail, reason = answer.text[:200] or answer.reason_phrase, None
    text = f"{service}: {detail}" + (f" [{reason}]" if reason and reason not in detail else "")
    if answer.status_code == 404:
        return NotThere(text)
    if answer.status_code == 422:
        return WrongUse(service, detail)
    return Trouble(f"{text} (HTTP {answer.status_code})")


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    if token := given.get(TOKEN, "").strip():
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise WrongUse(TOKEN, "may have printable ASCII characters only, and no spaces")
        return {"Authorization": f"Bearer {token}"}
    return {"X-Staff-Id": staff_name(given)}


def staff_name(given: Mapping[str, str]) -> str:
    """Who says so: the name that was given, or the one at this machine."""
    return given.get(STAFF) or _login()


def _login() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = str(os.getuid())
    return re.sub(r"[^A-Za-z0-9._@-]", "-", name).lstrip("._@-")[:64] or "staff"


def _said(params: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value is not None}
