"""The outside world that mediation needs: who carries invitations and collects signatures."""

from arrears.shared.kernel.reaction import Gateway

__all__ = ["Gateway"]
