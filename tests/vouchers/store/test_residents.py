"""Residents as the matcher sees them: what older rules have read is read anew."""

from __future__ import annotations

from sqlalchemy import select, update

from tests.referrals import person, receive
from vouchers.domain.matching.features import read_features
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import residents
from vouchers.store.tables.identity import resident


def test_faces_of_older_reading_rules_are_read_anew(ctx: Context) -> None:
    """After an upgrade the same person is the same, by the identity first given."""
    receive(ctx, person())
    carry_all(ctx, ["deduplicate"])
    with ctx.begin() as uow:
        rid = uow.conn.execute(select(resident.c.id)).scalar_one()
        as_read_now = residents.load(uow.conn, ctx.keys, [rid])[0][rid].faces
        stale = ctx.keys.seal("resident.faces_sealed", rid, b"1.13\x1ewhatever it read")
        uow.conn.execute(update(resident).values(faces_sealed=stale))
    with ctx.reading() as conn:
        assert residents.load(conn, ctx.keys, [rid])[0][rid].faces == as_read_now
    receive(ctx, person())
    carry_all(ctx, ["deduplicate"])
    with ctx.reading() as conn:
        assert conn.execute(select(resident.c.id)).scalars().all() == [rid]


def test_faces_come_back_as_they_were_kept() -> None:
    """Texts are texts and the birth date a number, or no face is ever known again."""
    face = read_features(
        {"given_name": "Sarah", "date_of_birth": "1985-03-17", "postcode": "LS6 2AB"}
    )
    assert residents.read_faces(residents.pack_faces([face])) == [face]
