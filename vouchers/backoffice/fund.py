"""Gifts by hand: funders, pools, contributions, and money that comes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, select, update

from schemas.scheme import Scheme
from vouchers.backoffice.scheme import person_of
from vouchers.domain import prices, scheme_check
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import Place
from vouchers.domain.ledger import Kind, Transfer, move
from vouchers.domain.restrictions import Restrictions
from vouchers.errors import BadScheme, Refused, SameKeyOtherContent
from vouchers.pipeline.context import Context
from vouchers.store import ledger, pools, schemes
from vouchers.store.pools import Gift
from vouchers.store.tables.money import contribution, funder, pool
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a contribution's money is, to the penny."""

    gift: Gift
    places: dict[Place, int]
    #: Part of what is available that is less than any voucher payable from it.
    unspendable_pence: int


def add_funder(ctx: Context, actor: str, *, slug: str, name: str) -> int:
    """Remember who gives; gives the funder's number."""
    with ctx.begin(actor=actor, name="fund.add") as uow:
        _refuse_if_taken(uow, funder, slug)
        number: int = uow.conn.execute(
            insert(funder).values(slug=slug, name=name).returning(funder.c.id)
        ).scalar_one()
        uow.record("funder.added", number)
        return number


def add_pool(ctx: Context, actor: str, *, scheme: str, slug: str, name: str) -> int:
    """Open a budget of a scheme that partners draw on; gives its number."""
    with ctx.begin(actor=actor, name="fund.add") as uow:
        scheme_id = schemes.by_slug(uow.conn, scheme).id
        _refuse_if_taken(uow, pool, slug)
        number: int = uow.conn.execute(
            insert(pool)
            .values(scheme_id=scheme_id, slug=slug, name=name)
            .returning(pool.c.id)
        ).scalar_one()
        uow.record("pool.added", number, state="open", scheme=scheme_id)
        return number


def give(
    ctx: Context,
    actor: str,
    *,
    slug: str,
    funder_slug: str,
    pool_slug: str,
    pence: int,
    restrictions: dict[str, Any] | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    priority: int = 0,
    allows_costs: bool = False,
    matching: dict[str, Any] | None = None,
) -> int:
    """Note a pledge; no money moves yet. BadScheme when part could never be spent."""
    with ctx.begin(actor=actor, name="fund.give") as uow:
        conn = uow.conn
        _refuse_if_taken(uow, contribution, slug)
        home = _one(uow, pool, pool_slug)
        giver = _one(uow, funder, funder_slug)
        rules = schemes.active(conn, home.scheme_id)
        limits = _read(restrictions or {})
        faults = scheme_check.gift_faults(
            rules,
            limits,
            pence=pence,
            starts_on=starts_on,
            ends_on=ends_on,
            today=local_date(uow.now, rules.zone),
        )
        if faults:
            raise BadScheme(faults)
        number: int = conn.execute(
            insert(contribution)
            .values(
                pool_id=home.id,
                scheme_id=home.scheme_id,
                funder_id=giver.id,
                slug=slug,
                state="pledged",
                pledged_pence=pence,
                restrictions=limits.stored(),
                matching=matching,
                priority=priority,
                starts_on=starts_on,
                ends_on=ends_on,
                allows_costs=int(allows_costs),
                created_by=actor,
                created_at=uow.now,
            )
            .returning(contribution.c.id)
        ).scalar_one()
        ledger.open_accounts(conn, scheme_id=home.scheme_id, contribution_id=number)
        uow.record("contribution.pledged", number, state="pledged", pence=pence)
        return number


def confirm(ctx: Context, actor: str, slug: str) -> None:
    """Confirm a pledge; above the scheme's limit whoever noted it may not."""
    with ctx.begin(actor=actor, name="fund.confirm") as uow:
        gift, rules = _locked(uow, slug)
        _expect(gift, {"pledged"})
        _refuse_alone(gift, rules, actor)
        _set_state(uow, gift, "confirmed", approved_by=actor)
        if rules.money.spend_confirmed:
            pools.supply_arrived(uow, gift.scheme_id)


def receive(ctx: Context, actor: str, slug: str, *, pence: int, bank_line: str) -> bool:
    """Book money that arrived; False when this bank line is booked already.

    A gift within the limit needs no confirmation of its own. No more than the pledge is
    taken: raise the pledge first, so that nobody's slip makes money.
    """
    with ctx.begin(actor=actor, name="fund.receive") as uow:
        gift, rules = _locked(uow, slug)
        _expect(gift, {"pledged", "confirmed", "received"})
        if gift.state == "pledged":
            _refuse_alone(gift, rules, actor, limit_only=True)
        _refuse_elsewhere(uow, gift, bank_line)
        arrived = _transfer(
            uow, gift, Kind.RECEIVE, (Place.GIVEN, Place.AVAILABLE), pence, bank_line
        )
        if not _post(uow, gift, "contribution.received", arrived, state="received"):
            return False
        places = ledger.of_contribution(uow.conn, gift.id)
        if places[Place.GIVEN] > gift.pledged_pence:
            raise Refused(
                f"that would be {_pounds(places[Place.GIVEN])}, more than was pledged "
                f"({_pounds(gift.pledged_pence)}); note a further gift for the rest"
            )
        _set_state(uow, gift, "received", record=False)
        pools.supply_arrived(uow, gift.scheme_id)
        return True


def withdraw(
    ctx: Context, actor: str, slug: str, *, pence: int, reference: str
) -> bool:
    """The funder takes back part of a gift that is not spent; never a voucher."""
    return _take_out(
        ctx, actor, slug, Kind.WITHDRAW, Place.GIVEN, pence=pence, reference=reference
    )


def return_unspent(
    ctx: Context, actor: str, slug: str, *, pence: int | None = None, reference: str
) -> bool:
    """Pay what is left (or `pence` of it) back to the funder at the end."""
    return _take_out(
        ctx, actor, slug, Kind.RETURN, Place.RETURNED, pence=pence, reference=reference
    )


def pay_cost(
    ctx: Context, actor: str, slug: str, *, pence: int, reference: str
) -> bool:
    """Pay a fee from a gift that allows it."""
    with ctx.reading() as conn:
        if not pools.gift(conn, slug).allows_costs:
            raise Refused("this gift pays for vouchers only")
    return _take_out(
        ctx, actor, slug, Kind.COST, Place.COSTS, pence=pence, reference=reference
    )


def lapse(ctx: Context, actor: str, slug: str) -> None:
    """Give up a pledge that never came; money that came stays, vouchers too."""
    with ctx.begin(actor=actor, name="fund.lapse") as uow:
        gift, _ = _locked(uow, slug)
        _expect(gift, {"pledged", "confirmed"})
        _set_state(uow, gift, "lapsed")


def close(ctx: Context, actor: str, slug: str) -> None:
    """End a gift of which nothing is left to spend or to come back."""
    with ctx.begin(actor=actor, name="fund.close") as uow:
        gift, _ = _locked(uow, slug)
        _expect(gift, {"received"})
        places = ledger.of_contribution(uow.conn, gift.id)
        if any(
            places[place] for place in (Place.AVAILABLE, Place.COMMITTED, Place.ISSUED)
        ):
            raise Refused("money of this gift is still available or on live vouchers")
        _set_state(uow, gift, "closed")


def standings(ctx: Context, scheme: str | None = None) -> list[Standing]:
    """Every gift with where its money is, oldest first."""
    with ctx.reading() as conn:
        scheme_id = schemes.by_slug(conn, scheme).id if scheme else None
        found = []
        for gift in pools.gifts(conn, scheme_id):
            places = ledger.of_contribution(conn, gift.id)
            rules = schemes.active(conn, gift.scheme_id)
            left = places[Place.AVAILABLE]
            rest = left if left < _smallest(rules) else 0
            found.append(Standing(gift, places, rest))
        return found


def _take_out(
    ctx: Context,
    actor: str,
    slug: str,
    kind: Kind,
    target: Place,
    *,
    pence: int | None,
    reference: str,
) -> bool:
    with ctx.begin(actor=actor, name="fund.take_out") as uow:
        gift, _ = _locked(uow, slug)
        _expect(gift, {"confirmed", "received"})
        left = ledger.of_contribution(uow.conn, gift.id)[Place.AVAILABLE]
        amount = left if pence is None else pence
        if amount == 0 and pence is None:
            return False
        taken = _transfer(uow, gift, kind, (Place.AVAILABLE, target), amount, reference)
        if amount > left and not ledger.is_posted(uow.conn, taken.key):
            raise Refused(
                f"{_pounds(left)} of {slug} is available; what is on vouchers stays"
            )
        return _post(uow, gift, f"contribution.{kind}", taken)


def _transfer(
    uow: UnitOfWork,
    gift: Gift,
    kind: Kind,
    route: tuple[Place, Place],
    pence: int,
    reference: str,
) -> Transfer:
    word = _word(reference)
    if pence <= 0:
        raise Refused("an amount is a penny at least")
    return move(
        kind,
        key=f"{kind}:{gift.id}:{word}",
        source=route[0],
        target=route[1],
        pence=pence,
        scheme_id=gift.scheme_id,
        contribution_id=gift.id,
        event_at=uow.now,
    )


def _post(
    uow: UnitOfWork, gift: Gift, event: str, one: Transfer, state: str | None = None
) -> bool:
    """Book one transfer with its event; False when it is booked already."""
    try:
        fresh = ledger.post(uow, [one])
    except SameKeyOtherContent:
        raise Refused(
            f"this bank line or reference is booked for {gift.slug} already, with "
            "another amount; a further booking needs a reference of its own"
        ) from None
    if not fresh:
        return False
    more = {} if state is None else {"state": state}
    uow.record(
        event, gift.id, pence=one.pence, transfers=ledger.in_audit(fresh), **more
    )
    return True


def _word(reference: str) -> str:
    """A reference as keys hold it: capitals and blanks tell no two bookings apart."""
    word = "".join(reference.split()).casefold()
    if not 1 <= len(word) <= 40:
        raise Refused(
            "a reference of 1 to 40 characters tells this booking from others"
        )
    return word


def _refuse_elsewhere(uow: UnitOfWork, gift: Gift, bank_line: str) -> None:
    """One line of the bank's statement is one arrival: never money of two gifts."""
    other = pools.gift_of_booking(uow.conn, Kind.RECEIVE, _word(bank_line))
    if other not in (None, gift.slug):
        raise Refused(
            f"this bank line is booked for {other} already; if one arrival pays two "
            "gifts, name its parts apart, such as 'LINE part 2'"
        )


def _pounds(pence: int) -> str:
    return f"£{pence // 100:,}.{pence % 100:02d}"


def _locked(uow: UnitOfWork, slug: str) -> tuple[Gift, Scheme]:
    pools.lock(uow.conn, [pools.gift(uow.conn, slug).id])
    gift = pools.gift(uow.conn, slug)
    return gift, schemes.active(uow.conn, gift.scheme_id)


def _expect(gift: Gift, states: set[str]) -> None:
    if gift.state not in states:
        words = " or ".join(sorted(states))
        raise Refused(f"{gift.slug} is {gift.state}; that needs one that is {words}")


def _refuse_alone(
    gift: Gift, rules: Scheme, actor: str, *, limit_only: bool = False
) -> None:
    """A large gift needs a second person; `limit_only` refuses even a second one."""
    if gift.pledged_pence <= rules.money.gift_second_person_above_pence:
        return
    if limit_only:
        raise Refused("a gift of this size has to be confirmed first")
    if person_of(gift.created_by) == person_of(actor):
        raise Refused("a gift of this size has to be confirmed by another person")


def _set_state(
    uow: UnitOfWork,
    gift: Gift,
    state: str,
    *,
    record: bool = True,
    approved_by: str | None = None,
) -> None:
    uow.conn.execute(
        update(contribution)
        .where(contribution.c.id == gift.id)
        .values(state=state, approved_by=approved_by or gift.approved_by)
    )
    if record:
        uow.record(f"contribution.{state}", gift.id, state=state)


def _smallest(rules: Scheme) -> int:
    return min(
        value for name in rules.networks for value in prices.listed_values(rules, name)
    )


def _read(restrictions: dict[str, Any]) -> Restrictions:
    try:
        return Restrictions.read(restrictions)
    except (ValueError, TypeError) as error:
        raise BadScheme([f"restrictions: {error}"]) from None


def _one(uow: UnitOfWork, table: Any, slug: str) -> Any:
    row = uow.conn.execute(select(table).where(table.c.slug == slug)).first()
    if row is None:
        raise Refused(f"no {table.name} is called {slug}")
    return row


def _refuse_if_taken(uow: UnitOfWork, table: Any, slug: str) -> None:
    if uow.conn.execute(select(table.c.id).where(table.c.slug == slug)).first():
        raise Refused(f"a {table.name} is already called {slug}")
