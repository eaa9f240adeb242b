"""The report of history, together with what only other services know."""

from datetime import date
from typing import Any

from arrears.cli.client.http import Api
from arrears.cli.client.installation import Installation
from arrears.cli.client.trouble import Trouble


def report_page(installation: Installation, day: date | None) -> dict[str, Any]:
    """History's page; `currency` is that of its amounts where the portfolio has one alone. What is
    set aside intake counts as of now: of an earlier day it is not known."""
    api = Api(installation, "history")
    closed = api.get("/days")["closed_everywhere"]
    aside = set_aside(installation) if day is None or str(day) == closed else None
    page: dict[str, Any] = api.get("/report", as_of=day, facts_set_aside=aside)
    first = api.get("/cases", limit=1)["cases"]
    page["currency"] = first[0]["currency"] if first else None
    return page


def set_aside(installation: Installation) -> int | None:
    """How many facts intake set aside; None where intake cannot be asked."""
    try:
        return int(Api(installation, "intake").get("/status")["refused"])
    except Trouble:
        return None
