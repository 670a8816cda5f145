"""Sets an installation up as its owner would: scheme, partners, funders, money."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from config import settings
from schemas.row import SafeContact
from tests.end_to_end.stack import ROOT, Stack
from vouchers import bootstrap
from vouchers.backoffice import fund as gifts
from vouchers.backoffice import partners as partners_office
from vouchers.backoffice import people as people_office
from vouchers.backoffice import scheme as scheme_office
from vouchers.cli.demo.files import Sample
from vouchers.domain.roles import Person, Role
from vouchers.pipeline.context import Context
from vouchers.store.sealing import Keyring

#: Two different people, since a large gift needs a second one.
OWNER = "olga/cli"
TREASURER = "tom/cli"
_OLGA = Person(id=0, handle="olga", roles=frozenset(Role), partner_id=None)
SCHEME = "winter_fund"


def roomy_scheme(**changes: str) -> str:
    """The shipped scheme with a fast sender and no dry run asked of partners.

    `changes` replaces "key = old" by "key = new", once each, by the name of the key.
    """
    body = (ROOT / "config" / "scheme.toml").read_text(encoding="utf-8")
    wanted = {"segments_per_second": "100000.0", "burst_s": "1000.0", **changes}
    body = body.replace("[scheme]\n", "[scheme]\ndry_run_first = false\n", 1)
    for key, value in wanted.items():
        before, found, rest = body.partition(f"\n{key} = ")
        assert found, f"the scheme file has no {key}"
        body = f"{before}{found}{value}\n{rest.partition(chr(10))[2]}"
    return body


@contextmanager
def house(stack: Stack) -> Iterator[Context]:
    """The installation of `stack`, opened in this process for setting up."""
    wanted = settings.read({**stack.environ})
    if not wanted.keys.exists():
        Keyring.create(wanted.keys)
    app = bootstrap.build(wanted, migrate=True)
    try:
        yield app.context
    finally:
        app.context.engine.dispose()


def register(stack: Stack, sample: Sample) -> None:
    """Load the scheme and register the sample's partners, ready for live files."""
    body = Path(stack.environ.get("VOUCHERS_SCHEME", _DEFAULT)).read_text("utf-8")
    with house(stack) as ctx:
        token = people_office.first_owner(ctx)
        if token is not None:
            stack.environ["VOUCHERS_TOKEN"] = token
        scheme_office.seed(ctx, body, OWNER)
        for partner in sample.partners:
            partners_office.add(
                ctx,
                by=_OLGA,
                door="cli",
                slug=partner.slug,
                name=partner.name,
                known_as=partner.known_as,
                contact=partner.contact,
                homes=partner.homes,
                region=partner.region,
                refuge=partner.refuge,
                safe_contact=SafeContact(partner.safe_contact),
                agreement_on=date(2026, 9, 1),
            )


_DEFAULT = os.fspath(ROOT / "config" / "scheme.toml")


def fund(stack: Stack, *, pence: int, name: str = "gift", **how: object) -> None:
    """Give, confirm and receive one gift into the main pool."""
    with house(stack) as ctx:
        _once(lambda: gifts.add_funder(ctx, OWNER, slug="trust", name="A Trust"))
        _once(
            lambda: gifts.add_pool(
                ctx, OWNER, scheme=SCHEME, slug="main", name="Main pool"
            )
        )
        gifts.give(
            ctx,
            OWNER,
            slug=name,
            funder_slug="trust",
            pool_slug="main",
            pence=pence,
            **how,  # type: ignore[arg-type]
        )
        gifts.confirm(ctx, TREASURER, name)
        gifts.receive(ctx, TREASURER, name, pence=pence, bank_line=f"line-{name}")


def _once(add: Callable[[], object]) -> None:
    from vouchers.errors import VoucherError

    try:
        add()
    except VoucherError as error:
        assert "already" in str(error).lower(), error
