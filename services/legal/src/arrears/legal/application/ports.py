"""The outside world that legal needs: the court, which registers, judges and enforces."""

from arrears.shared.kernel.reaction import Gateway

__all__ = ["Gateway"]
