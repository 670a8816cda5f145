"""One partner's file of people who differ in everything, and a house that takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from schemas.row import SafeContact
from tests.end_to_end.installation import OWNER, SCHEME, TREASURER, roomy_scheme
from tests.partner_files import csv_file, row
from vouchers.backoffice import fund as gifts
from vouchers.backoffice import partners as partners_office
from vouchers.backoffice import scheme as scheme_office
from vouchers.backoffice import status
from vouchers.cli.demo.names import FAMILY, GIVEN
from vouchers.cli.demo.residents import home, mobile
from vouchers.domain.roles import Person, Role
from vouchers.messages.simulator import RunningSimulator, run_in_thread
from vouchers.messages.simulator.server import SimulatorOptions
from vouchers.messages.twilio import TwilioGateway
from vouchers.pipeline import integrate, results
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import ALL_QUEUES, carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables import db_now
from vouchers.store.tables.intake import batch, referral, row_error
from vouchers.store.tables.messages import message
from vouchers.store.tables.work import job

PARTNER = "elm-homes"
_IS_HELD = referral.c.state == "held"
_OLGA = Person(id=0, handle="olga", roles=frozenset(Role), partner_id=None)


def people(count: int) -> list[dict[str, str]]:
    """So many rows; no two share a name, a home, a birthday or a number."""
    return [
        row(
            n,
            given_name=GIVEN[n % len(GIVEN)][0],
            family_name=FAMILY[n * 7 % len(FAMILY)],
            date_of_birth=f"{date(1950, 1, 1) + timedelta(days=n * 37):%d/%m/%Y}",
            # A street of its own for each.
            address_line_1=home(n * 12).line_1,
            postcode=home(n * 12).postcode,
            mobile=f"0{mobile(n)}",
            household_size="1",
        )
        for n in range(count)
    ]


@dataclasses.dataclass
class OneFile:
    """A house with money, a provider, and one partner who may hand in a file."""

    ctx: Context
    simulator: RunningSimulator
    folder: Path

    def submit(self, rows: Sequence[dict[str, str]], name: str = "a.csv") -> Receipt:
        """Hand in a file with these rows."""
        path = csv_file(self.folder / name, list(rows))
        return submit(self.ctx, partner=PARTNER, path=path, via="cli", actor=OWNER)

    def carry(self, *queues: str) -> None:
        """Carry until nothing is ready, not even what was put off."""
        while carry_all(self.ctx, queues or ALL_QUEUES):
            with self.ctx.begin() as uow:
                uow.conn.execute(
                    update(job)
                    .where(job.c.state == "ready", job.c.queue == "send")
                    .values(run_at=db_now())
                )

    def give(self, pence: int, slug: str = "more") -> None:
        """Another gift arrives."""
        gifts.give(
            self.ctx,
            OWNER,
            slug=slug,
            funder_slug="trust",
            pool_slug="main",
            pence=pence,
        )
        gifts.confirm(self.ctx, TREASURER, slug)
        gifts.receive(self.ctx, TREASURER, slug, pence=pence, bank_line=f"line-{slug}")

    def change(self, table: Any, where: Any, **values: Any) -> None:
        """Set columns behind the house's back, as damage or a mend does."""
        with self.ctx.begin() as uow:
            uow.conn.execute(update(table).where(where).values(**values))

    def all(self, *columns: Any, where: Any = True) -> list[Any]:
        """Rows of a query over `columns`."""
        with self.ctx.reading() as conn:
            return list(conn.execute(select(*columns).where(where)))

    def stuck(self) -> list[tuple[str, str, str, int]]:
        """(kind, state, error class, rows) of every job that waits for a person."""
        found = self.all(
            job.c.kind,
            job.c.state,
            job.c.error_class,
            job.c["items"],
            where=job.c.state.in_(("held", "dead")),
        )
        return [(one[0], one[1], one[2], len(one[3])) for one in found]

    def texts(self) -> list[str]:
        """The body of every text that the provider took."""
        return [one["body"] for one in self.simulator.accepted()]

    def states(self) -> dict[str, int]:
        """How many rows there are in each state, errors and held rows among them."""
        counts: dict[str, int] = {}
        for state in [
            *(one.state for one in self.all(referral.c.state)),
            *("held" if one.held else "error" for one in self.all(row_error.c.held)),
        ]:
            counts[state] = counts.get(state, 0) + 1
        return counts

    def told(self) -> dict[str, int]:
        """How many rows there are under each word that the partner reads."""
        counts: dict[str, int] = status.overview(self.ctx, by=_OLGA)["rows"]
        return counts

    def held(self) -> list[int]:
        """Numbers of the rows that are held, at whatever step."""
        held_text = self.all(message.c.referral_id, where=message.c.state == "held")
        return sorted(
            [
                *(one.id for one in self.all(row_error.c.id, where=row_error.c.held)),
                *(one.id for one in self.all(referral.c.id, where=_IS_HELD)),
                *(one.referral_id for one in held_text),
            ]
        )

    def batch_state(self) -> str:
        """The state of the one batch, once the clock has looked at it."""
        integrate.seal(self.ctx)
        results.sweep(self.ctx)
        [one] = self.all(batch.c.state)
        return str(one.state)


@contextmanager
def one_file(
    ctx: Context, folder: Path, *, pence: int = 5_000_000
) -> Iterator[OneFile]:
    """A house under the shipped rules, with a fast sender and one gift received."""
    # Nobody listens for callbacks here: none may come.
    simulator = run_in_thread(SimulatorOptions(callback_delay_s=3_600.0))
    gateway = TwilioGateway(
        account_sid=simulator.server.options.account_sid,
        auth_token=simulator.server.options.auth_token,
        api_url=simulator.url,
        call_limit_s=5.0,
    )
    ctx = dataclasses.replace(ctx, gateway=lambda _provider: gateway)
    scheme_office.seed(ctx, roomy_scheme(), OWNER)
    partners_office.add(
        ctx,
        by=_OLGA,
        door="cli",
        slug=PARTNER,
        name="Elm Homes",
        contact="Wendy Post",
        safe_contact=SafeContact.SMS_OK,
        agreement_on=date(2026, 9, 1),
    )
    gifts.add_funder(ctx, OWNER, slug="trust", name="A Trust")
    gifts.add_pool(ctx, OWNER, scheme=SCHEME, slug="main", name="Main pool")
    made = OneFile(ctx, simulator, folder)
    made.give(pence, "gift")
    try:
        yield made
    finally:
        gateway.close()
        simulator.stop()
