"""Tells on a dry run whether the file would be stopped, and why.

Counts as the circuit breaker does, over all rows of the file; repeats are those among
the rows that the dry run decided on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.row import ResidentRow, SafeContact
from vouchers.domain import breaker
from vouchers.domain.breaker import Watch
from vouchers.domain.matching.features import read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.breaker import Marks, counted, marks
from vouchers.pipeline.context import Context
from vouchers.pipeline.row_reading import Batch
from vouchers.store import gates

#: Rows whose hashes are kept until they are counted.
_AT_ONCE = 500


@dataclass(slots=True)
class Foresight:
    """What the breaker would have counted so far."""

    ctx: Context
    of: Batch
    watch: Watch = field(default_factory=Watch)
    _waiting: list[Marks] = field(default_factory=list)

    def see(self, row: ResidentRow) -> None:
        """Count a row that was understood."""
        keys = self.ctx.keys
        if row.mobile and self.of.worker_phones:
            phone = keys.match_key(KeyKind.MOBILE, read_phone(row.mobile))
            if phone in self.of.worker_phones:
                # Handed in for real, it would go back: nobody is texted there.
                return
        hidden = row.safe_contact is not SafeContact.SMS_OK
        protected = bool(self.of.partner.refuge) or hidden
        self._waiting.append(marks(keys, row, protected=protected))
        if len(self._waiting) >= _AT_ONCE:
            self._count()

    def stops(
        self, *, rows: int, errors: int, matched: int, repeated: int
    ) -> tuple[str, ...]:
        """Why a file of so many rows would stop; `matched` were looked up, and of
        these `repeated` were brought before.
        """
        self._count(errors)
        rules = self.of.rules.breaker
        with self.ctx.reading() as conn:
            sizes = gates.sizes(
                conn, partner_id=self.of.partner.id, scheme_id=self.of.scheme_id
            )
        self.watch.usual = breaker.usual_rows(rules, sizes)
        found = breaker.look_at_rows(rules, self.watch, total=rows)
        found += breaker.look_at_people(
            rules, total=rows, seen=matched, repeats=repeated
        )
        return tuple(stop.sentence for stop in found)

    def _count(self, errors: int = 0) -> None:
        with self.ctx.reading() as conn:
            same = counted(conn, self._waiting)
        unknown = sum(one.unknown_birth for one in self._waiting)
        self.watch.add(same, unknown=unknown, errors=errors)
        self._waiting.clear()
