"""What a partner lists: communal homes and workers' phones, which many people share.

In a communal home each single person is a household of their own; a worker's phone
never gets a resident's code and never makes two residents one. Only the hash by which
the matcher finds them is kept, so a listing can be asked for and taken back by whoever
knows what it says, and tells a stranger nothing.
"""

from __future__ import annotations

from vouchers.domain.intake import Fault, sentence
from vouchers.domain.intake.phones import read_mobile
from vouchers.domain.intake.repair import read_postcode
from vouchers.domain.matching.features import read_features, read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.domain.roles import Duty, Person
from vouchers.errors import Refused
from vouchers.pipeline.context import Context
from vouchers.store import parties

COMMUNAL, WORKER_PHONE = "communal", "worker_phone"


def list_communal(
    ctx: Context,
    *,
    slug: str,
    address: str,
    postcode: str,
    by: Person,
    door: str,
    uprn: str = "",
    remove: bool = False,
) -> bool:
    """List a home that many singles share, or take it back; whether it changed.

    Rows may give its UPRN or not, so with a UPRN it is listed under both.
    """
    full = read_postcode(postcode)
    if isinstance(full, Fault):
        raise Refused(sentence(full, column="The postcode"))
    given = {"address_line_1": address, "postcode": full}
    homes = {read_features(given).dwelling}
    if uprn:
        homes.add(read_features({**given, "uprn": uprn}).dwelling)
    if not all(homes):
        raise Refused("give the house number or name as it stands in your files")
    keys = [ctx.keys.match_key(KeyKind.DWELLING, home) for home in sorted(homes)]
    return _change(ctx, slug, COMMUNAL, keys, by, door, remove=remove)


def list_worker_phone(
    ctx: Context,
    *,
    slug: str,
    mobile: str,
    by: Person,
    door: str,
    remove: bool = False,
) -> bool:
    """List a worker's mobile, or take it back; whether that changed anything."""
    found = read_mobile(mobile)
    if isinstance(found, Fault):
        raise Refused(sentence(found, column="The number"))
    key = ctx.keys.match_key(KeyKind.MOBILE, read_phone(found.number))
    return _change(ctx, slug, WORKER_PHONE, [key], by, door, remove=remove)


def _change(
    ctx: Context,
    slug: str,
    kind: str,
    keys: list[int],
    by: Person,
    door: str,
    *,
    remove: bool,
) -> bool:
    by.must(Duty.SUBMIT)
    with ctx.begin(actor=by.actor(door), name="partners.list") as uow:
        row = parties.partner_by_slug(uow.conn, slug)
        by.must_own(row.id)
        change = parties.unlist_key if remove else parties.list_key
        changed = [key for key in keys if change(uow.conn, row.id, kind, key)]
        if changed:
            action = "unlisted" if remove else "listed"
            uow.record(f"partner.{action}", row.id, what=kind, keys=len(changed))
    return bool(changed)
