"""A small world for tests about money: one scheme, one gift, live vouchers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import insert, select

from vouchers.domain.ids import (
    Place,
    award_id,
    minted_code_id,
    referral_id,
    row_of,
    voucher_id,
)
from vouchers.domain.ledger import Kind, move
from vouchers.pipeline.context import Context
from vouchers.store import ledger
from vouchers.store.bulk import insert_rows
from vouchers.store.tables import awards, identity, intake, money, parties

RULES = Path(__file__).parent.parent / "config" / "scheme.toml"
NETWORK = "paypoint"
#: The last day of every voucher here; the tests' clock starts on 7 December 2026.
LAST_DAY = date(2026, 12, 20)


@dataclass
class World:
    """Numbers of what is at hand."""

    ctx: Context
    scheme: int = 0
    gift: int = 0
    batch: int = 0
    vouchers: list[int] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)

    def balances(self) -> dict[str, int]:
        """Where the gift's pence are, zeros left out."""
        with self.ctx.reading() as conn:
            places = ledger.of_contribution(conn, self.gift)
        return {place.name.lower(): pence for place, pence in places.items() if pence}

    def voucher(self, n: int = 0) -> object:
        """The row of the nth voucher."""
        query = select(awards.voucher).where(awards.voucher.c.id == self.vouchers[n])
        with self.ctx.reading() as conn:
            return conn.execute(query).one()

    def discrepancies(self) -> list[tuple[str, int]]:
        """What a person must look at: (kind, pence), in order."""
        table = awards.discrepancy
        query = select(table.c.kind, table.c.amount_pence).order_by(table.c.id)
        with self.ctx.reading() as conn:
            return [tuple(row) for row in conn.execute(query)]


def world(ctx: Context, *, count: int = 1, gift_pence: int = 100_000) -> World:
    """A scheme with rules, a received gift, and `count` live vouchers of 49 pounds."""
    made = World(ctx)
    with ctx.begin() as uow:
        conn, now = uow.conn, uow.now
        made.scheme = _new(
            conn, parties.scheme, slug="winter", name="Winter", version=1
        )
        _new(
            conn,
            parties.scheme_version,
            scheme_id=made.scheme,
            number=1,
            body=RULES.read_text(encoding="utf-8"),
            digest="test",
            state="active",
            loaded_by="olu",
            loaded_at=now,
        )
        partner = _new(
            conn,
            parties.partner,
            slug="elm",
            name="Elm Homes",
            known_as="Elm",
            excluded=[],
            created_at=now,
        )
        funder = _new(conn, money.funder, slug="fund", name="A Fund")
        pool = _new(conn, money.pool, scheme_id=made.scheme, slug="pool", name="Pool")
        made.gift = _new(
            conn,
            money.contribution,
            pool_id=pool,
            scheme_id=made.scheme,
            funder_id=funder,
            slug="gift",
            state="received",
            pledged_pence=gift_pence,
            restrictions={},
            created_by="olu",
            created_at=now,
        )
        made.batch = _new(
            conn,
            intake.batch,
            partner_id=partner,
            scheme_id=made.scheme,
            digest=bytes(16),
            name_key=bytes(16),
            state="open",
            notices=[],
            via="cli",
            actor="olu",
            rows_total=count,
            received_at=now,
        )
        gift = _transfer(made, "gift:1", Kind.RECEIVE, Place.GIVEN, gift_pence, now)
        ledger.post(uow, [gift])
        uow.record(
            "contribution.received",
            made.gift,
            state="received",
            transfers=ledger.in_audit([gift]),
        )
        for n in range(count):
            _issue(uow, made, partner, pool, n)
    return made


def _new(conn: object, table: object, **values: object) -> int:
    statement = insert(table).values(**values).returning(table.c.id)
    return conn.execute(statement).scalar_one()


def _transfer(made, key, kind, source, pence, now, voucher=None):
    targets = {Kind.RECEIVE: Place.AVAILABLE, Kind.ISSUE: Place.ISSUED}
    return move(
        kind,
        key=key,
        source=source,
        target=targets[kind],
        pence=pence,
        scheme_id=made.scheme,
        contribution_id=made.gift,
        event_at=now,
        voucher_id=voucher,
    )


def _issue(uow, made, partner, pool, n):
    """What accept, deduplicate and allocate leave behind for one resident."""
    referral = referral_id(made.batch, n + 2)
    now, today = uow.now, uow.now.date()
    person = {"id": referral, "created_at": now}
    insert_rows(uow.conn, identity.household, [person])
    insert_rows(uow.conn, identity.resident, [{**person, "protected": False}])
    insert_rows(
        uow.conn,
        intake.referral,
        [
            {
                "id": referral,
                "batch_id": made.batch,
                "partner_id": partner,
                "scheme_id": made.scheme,
                "row_no": n + 2,
                "state": "granted",
                "action": "add",
                "reference_key": bytes(16),
                "content_key": bytes(16),
                "outcode": "LS1",
                "meter_type": "prepay_key",
                "supplier": "edf",
                "off_supply": False,
                "need_band": 4,
                "need_rank": 400,
                "household_size": 2,
                "safe_contact": "sms_ok",
                "protected": False,
                "separate_household": False,
                "text_any_time": False,
                "language": "en",
                "notices": [],
                "received_at": now,
                "received_on": today,
                "resident_id": referral,
                "household_id": referral,
                "updated_at": now,
            }
        ],
    )
    _grant(uow, made, partner, pool, referral)


def _grant(uow, made, partner, pool, referral):
    """What allocate leaves behind: an award, its voucher, its code."""
    award = award_id(referral)
    number = voucher_id(award, 0)
    n = row_of(referral) - 2
    now, today = uow.now, uow.now.date()
    insert_rows(
        uow.conn,
        awards.award,
        [
            {
                "id": award,
                "referral_id": referral,
                "partner_id": partner,
                "scheme_id": made.scheme,
                "cap_group": "national",
                "pool_id": pool,
                "resident_id": referral,
                "household_id": referral,
                "network": NETWORK,
                "state": "granted",
                "amount_pence": 4900,
                "full_pence": 4900,
                "granted_at": now,
                "granted_on": today,
                "judged": {},
            }
        ],
    )
    insert_rows(
        uow.conn,
        awards.voucher,
        [
            {
                "id": number,
                "award_id": award,
                "scheme_id": made.scheme,
                "contribution_id": made.gift,
                "network": NETWORK,
                "number": 1,
                "value_pence": 4900,
                "code_id": minted_code_id(number),
                "state": "live",
                "issued_at": now,
                "expires_on": LAST_DAY,
            }
        ],
    )
    uow.record("referral.granted", referral, state="granted")
    uow.record("award.granted", award, state="granted", vouchers=[number])
    _bind(uow, made, number, n)


def _bind(uow, made, number, n):
    """A code for a voucher, and the money behind it moved."""
    code, plain = minted_code_id(number), f"6331{n:012d}"
    insert_rows(
        uow.conn,
        money.code,
        [
            {
                "id": code,
                "digest": made.ctx.keys.code_digest(plain),
                "network": NETWORK,
                "value_pence": 4900,
                "state": "bound",
                "sealed": made.ctx.keys.seal("code.sealed", code, plain.encode()),
                "tail_key": made.ctx.keys.tail_key(plain),
                "voucher_id": number,
            }
        ],
    )
    issue = _transfer(
        made, f"issue:{number}", Kind.ISSUE, Place.AVAILABLE, 4900, uow.now, number
    )
    ledger.post(uow, [issue])
    uow.record(
        "voucher.issued", number, state="live", transfers=ledger.in_audit([issue])
    )
    made.vouchers.append(number)
    made.codes[number] = plain
