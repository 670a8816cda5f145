"""Intake: from a partner's cells to a request, or to what must be corrected."""

from vouchers.domain.intake.columns import Field, Layout, known_count, match_header
from vouchers.domain.intake.faults import (
    NOTICES,
    Fault,
    Notice,
    RowFault,
    sentence,
)
from vouchers.domain.intake.understand import (
    Intake,
    Partner,
    Understood,
    Verdict,
    Withdrawal,
    understand,
    with_date_order,
)

__all__ = [
    "NOTICES",
    "Fault",
    "Field",
    "Intake",
    "Layout",
    "Notice",
    "Partner",
    "RowFault",
    "Understood",
    "Verdict",
    "Withdrawal",
    "known_count",
    "match_header",
    "sentence",
    "understand",
    "with_date_order",
]
