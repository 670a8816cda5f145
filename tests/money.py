"""Builds a small fund for tests: approved rules, gifts, partners, referrals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from vouchers.backoffice import fund
from vouchers.backoffice import scheme as rules_desk
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import Place, referral_id
from vouchers.domain.need import assess
from vouchers.pipeline.context import Context
from vouchers.store import ledger, schemes
from vouchers.store.bulk import insert_rows
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.awards import award, voucher, waitlist
from vouchers.store.tables.identity import household, membership, resident
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.money import account, contribution
from vouchers.store.tables.parties import partner

DEFAULT = Path("config/scheme.toml").read_text(encoding="utf-8")


@dataclass
class Fund:
    """A scheme with one pool, and ways to put referrals in front of it."""

    ctx: Context
    scheme_id: int = 0
    partners: list[int] = field(default_factory=list)
    batches: dict[int, int] = field(default_factory=dict)
    rows: int = 1

    def give(self, slug: str, pence: int, **more: Any) -> int:
        """A gift that was pledged, confirmed and received."""
        number = fund.give(
            self.ctx,
            "amy/cli",
            slug=slug,
            funder_slug="trust",
            pool_slug="main",
            pence=pence,
            **more,
        )
        fund.confirm(self.ctx, "bob/cli", slug)
        line = f"line-{slug}"
        fund.receive(self.ctx, "bob/cli", slug, pence=pence, bank_line=line)
        return number

    def refer(self, count: int = 1, **facts: Any) -> list[int]:
        """Matched referrals, each a household of its own unless one is said."""
        rows = [self._row(facts, n) for n in range(count)]
        with self.ctx.begin(name="test") as uow:
            fresh = [row for row in rows if facts.get("household_id") is None]
            insert_rows(
                uow.conn,
                resident,
                [
                    {
                        "id": row["id"],
                        "protected": row["protected"],
                        "created_at": uow.now,
                    }
                    for row in rows
                ],
            )
            insert_rows(
                uow.conn,
                household,
                [{"id": row["id"], "created_at": uow.now} for row in fresh],
            )
            insert_rows(
                uow.conn,
                membership,
                [
                    {
                        "household_id": row["household_id"],
                        "resident_id": row["resident_id"],
                        "from_on": row["received_on"],
                    }
                    for row in rows
                ],
            )
            insert_rows(uow.conn, referral, rows)
        return [row["id"] for row in rows]

    def allocate(self, ids: list[int], **payload: Any) -> None:
        """Promise a chunk of these referrals."""
        with self.ctx.begin(name="test") as uow:
            uow.enqueue(JobSpec("allocate", "allocate.chunk", ids, payload=payload))

    def states(self, ids: list[int]) -> list[str]:
        """The states of these referrals, in their order."""
        return [self.referral(number).state for number in ids]

    def referral(self, number: int) -> Any:
        """One referral's row."""
        return self._one(referral, referral.c.id == number)

    def awards(self, *ids: int) -> list[Any]:
        """All awards, or those of some referrals."""
        found = self._all(award)
        return [row for row in found if not ids or row.referral_id in ids]

    def vouchers(self, *ids: int) -> list[Any]:
        """All vouchers, or those of some referrals' awards."""
        mine = {row.id for row in self.awards(*ids)}
        return [row for row in self._all(voucher) if row.award_id in mine]

    def place(self, number: int) -> Any:
        """A referral's place on the waitlist."""
        return self._one(waitlist, waitlist.c.referral_id == number)

    def left(self, slug: str) -> int:
        """What is available of a gift."""
        return self.places(slug)[Place.AVAILABLE]

    def places(self, slug: str) -> dict[Place, int]:
        """Where a gift's money is."""
        gift = self._one(contribution, contribution.c.slug == slug)
        with self.ctx.reading() as conn:
            return ledger.of_contribution(conn, gift.id)

    def assert_books_balance(self) -> None:
        """Per gift, what was given is where it is; nothing stands below zero."""
        for gift in self._all(contribution):
            with self.ctx.reading() as conn:
                places = ledger.of_contribution(conn, gift.id)
            given = places.pop(Place.GIVEN)
            assert given == sum(places.values())
            assert min(places.values()) >= 0
        charged: dict[int, int] = {}
        for row in self._all(voucher):
            if row.state == "live":
                charged[row.contribution_id] = (
                    charged.get(row.contribution_id, 0) + row.value_pence
                )
        for row in self._all(account):
            if row.place == Place.ISSUED:
                assert row.balance_pence == charged.get(row.contribution_id, 0)

    def batch_of(self, partner_id: int) -> int:
        """A file of this partner's, made on first use."""
        if partner_id not in self.batches:
            with self.ctx.begin(name="test") as uow:
                self.batches[partner_id] = uow.conn.execute(
                    insert(batch)
                    .values(
                        partner_id=partner_id,
                        scheme_id=self.scheme_id,
                        digest=partner_id.to_bytes(16, "big"),
                        name_key=b"n" * 16,
                        state="open",
                        notices=[],
                        via="test",
                        actor="test",
                        rows_staged=0,
                        received_at=uow.now,
                    )
                    .returning(batch.c.id)
                ).scalar_one()
        return self.batches[partner_id]

    def _row(self, facts: dict[str, Any], n: int) -> dict[str, Any]:
        self.rows += 1
        facts = dict(facts)
        partner_id = facts.pop("partner_id", self.partners[0])
        off_supply = facts.pop("off_supply", False)
        days_left = facts.pop("days_left", None if off_supply else 3)
        now = self.ctx.clock()
        with self.ctx.reading() as conn:
            rules = schemes.active(conn, self.scheme_id)
        need = assess(
            off_supply=off_supply,
            days_left=days_left,
            medical_device=facts.pop("medical_device", False),
            medical=facts.pop("medical", False),
            child_under_5=False,
            over_65=False,
            rules=rules.need,
        )
        number = referral_id(self.batch_of(partner_id), self.rows)
        received = facts.pop("received_at", now - timedelta(minutes=10)) + timedelta(
            seconds=n
        )
        household_id = facts.pop("household_id", None) or number
        return {
            "id": number,
            "batch_id": self.batch_of(partner_id),
            "partner_id": partner_id,
            "scheme_id": self.scheme_id,
            "row_no": self.rows,
            "state": "matched",
            "action": "add",
            "reference_key": number.to_bytes(16, "big"),
            "content_key": number.to_bytes(16, "big"),
            "outcode": "LS1",
            "region": None,
            "meter_type": "prepay_key",
            "supplier": "edf",
            "network": "paypoint",
            "off_supply": off_supply,
            "days_left": days_left,
            "need_band": need.band,
            "need_rank": need.rank,
            "household_size": 2,
            "safe_contact": "sms_ok",
            "protected": False,
            "separate_household": False,
            "text_any_time": False,
            "language": "en",
            "notices": [],
            "received_at": received,
            "received_on": local_date(received),
            "resident_id": number,
            "household_id": household_id,
            "updated_at": now,
            **facts,
        }

    def _one(self, table: Any, where: Any) -> Any:
        with self.ctx.reading() as conn:
            return conn.execute(select(table).where(where)).one()

    def _all(self, table: Any) -> list[Any]:
        key = next(iter(table.primary_key))
        with self.ctx.reading() as conn:
            return list(conn.execute(select(table).order_by(key)))


def open_fund(ctx: Context, text: str = DEFAULT, *, partners: int = 2) -> Fund:
    """The default scheme in force, a funder, a pool and some partners; no money yet."""
    row = rules_desk.seed(ctx, text)
    assert row is not None
    fund.add_funder(ctx, "amy/cli", slug="trust", name="The Trust")
    fund.add_pool(ctx, "amy/cli", scheme=row.slug, slug="main", name="Main pool")
    made = Fund(ctx, scheme_id=row.id)
    with ctx.begin(name="test") as uow:
        for n in range(partners):
            made.partners.append(
                uow.conn.execute(
                    insert(partner)
                    .values(
                        slug=f"homes-{n}",
                        name=f"Homes {n}",
                        known_as=f"Homes {n}",
                        agreement_on=datetime(2025, 1, 1, tzinfo=UTC).date(),
                        excluded=[],
                        created_at=uow.now,
                    )
                    .returning(partner.c.id)
                ).scalar_one()
            )
    return made
