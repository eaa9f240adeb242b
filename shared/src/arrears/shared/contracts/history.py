"""What can be asked of history about cases: the words to choose from."""

from typing import Literal, TypeAlias

CaseStatus: TypeAlias = Literal["open", "held", "closed"]
CaseStage: TypeAlias = Literal["intake", "contact", "mediation", "legal"]
Bucket: TypeAlias = Literal["M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7"]
"""Months past due, as intake assesses them."""
