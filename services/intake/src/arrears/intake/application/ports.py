"""The outside world that intake needs: none but the bank's feed, which it reads and never asks."""

from arrears.shared.runtime.stage import FeedReader

__all__ = ["FeedReader"]
