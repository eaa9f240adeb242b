"""The portfolio's figures: a pure fold over what was known up to a day, slim and fast."""

from arrears.history.domain.portfolio.fold import READS, Portfolio
from arrears.history.domain.portfolio.page import Page, page_of

__all__ = ["READS", "Page", "Portfolio", "page_of"]
