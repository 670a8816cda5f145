"""The promises that the database itself can show, each as a question with no answers.

Used by tests after everything they do, by `vouchers doctor`, and by the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from vouchers.store.invariants import liveness, money, proof
from vouchers.store.invariants.check import Check

EXAMPLES = 5
#: Every check, in the order of the promises.
CHECKS: tuple[Check, ...] = (*money.CHECKS, *proof.CHECKS, *liveness.CHECKS)


@dataclass(frozen=True)
class Violation:
    """A check that found something."""

    check: str
    promise: str
    sentence: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        some = ", ".join(self.examples)
        return (
            f"{self.check} ({self.promise}) it does not hold that {self.sentence}: "
            f"{self.count} found ({some})"
        )


def run(conn: Connection, now: datetime) -> list[Violation]:
    """Ask every question; an empty list is what everybody hopes for."""
    violations = []
    for check in CHECKS:
        found = check.find(conn, now)
        if found:
            violations.append(
                Violation(
                    check.id,
                    check.promise,
                    check.sentence,
                    len(found),
                    tuple(found[:EXAMPLES]),
                )
            )
    return violations
