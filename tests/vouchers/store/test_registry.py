"""The register: people are found by hashed keys, never by a key of too many."""

from __future__ import annotations

from sqlalchemy import select

from tests.referrals import person, receive
from vouchers.backoffice import doctor_work
from vouchers.domain.matching.keys import STOP_WORD, KeyKind
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import registry, residents
from vouchers.store.tables.intake import referral


def test_residents_are_found_by_kind_and_key(ctx: Context) -> None:
    """The same hash under another kind, or another version, finds nobody."""
    with ctx.begin() as uow:
        registry.insert_keys(uow.conn, [(7, (5, -12)), (8, (5, -12)), (9, (6, 3))], 1)
        found = registry.find(uow.conn, [(5, -12), (6, -12), (6, 3)], 1)
        later = registry.find(uow.conn, [(5, -12)], 2)
    assert {mark: sorted(ids) for mark, ids in found.by_key.items()} == {
        (5, -12): [7, 8],
        (6, 3): [9],
    }
    assert dict(later.by_key) == {}


def test_a_key_of_too_many_people_is_ignored_and_counted(ctx: Context) -> None:
    """A phone of 401 residents is nobody's phone; one of 400 still counts."""
    crowd = [(n, (5, 1)) for n in range(1, STOP_WORD + 2)]
    many = [(n, (5, 2)) for n in range(1, STOP_WORD + 1)]
    with ctx.begin() as uow:
        registry.insert_keys(uow.conn, crowd + many, 1)
        found = registry.find(uow.conn, [(5, 1), (5, 2)], 1)
    assert list(found.by_key) == [(5, 2)]
    assert set(found.crowded) == {(5, 1)}


def test_the_register_is_counted_as_it_grows(ctx: Context) -> None:
    """The size that priors need is kept, not counted again each time."""
    receive(ctx, person(), person(given_name="Ewan", family_name="Zwart",
                                  date_of_birth=None, address_line_1="1 Fen Road",
                                  postcode="CB1 1AA", mobile=None))  # fmt: skip
    receive(ctx, person())
    carry_all(ctx, ["deduplicate"])
    with ctx.reading() as conn:
        assert registry.registry_size(conn) == 2


def test_an_identity_keeps_few_faces_and_its_first(ctx: Context) -> None:
    """Later names and homes are kept beside the first, the oldest of them go."""
    faces = [residents.read_features({"given_name": "Sarah"})]
    for n in range(10):
        later = residents.read_features({"given_name": f"Sarah{'abcdefghij'[n]}"})
        faces = residents.with_face(faces, later) or faces
    faces = residents.read_faces(residents.pack_faces(faces)) or []
    assert len(faces) == residents.FACES_MAX
    assert (faces[0].given, faces[-1].given) == ("sarah", "sarahj")
    assert residents.with_face(faces, faces[2]) is None


def test_a_crowded_key_is_named_with_the_rows_that_met_it(ctx: Context) -> None:
    """The row tells it in its decision, the doctor of all rows together."""
    receive(ctx, person(mobile="+447700900002"))
    mark = KeyKind.MOBILE, ctx.keys.match_key(KeyKind.MOBILE, "447700900002")
    with ctx.begin() as uow:
        crowd = [(n, mark) for n in range(1, STOP_WORD + 2)]
        registry.insert_keys(uow.conn, crowd, ctx.keys.match_current)
    carry_all(ctx, ["deduplicate"])
    receive(ctx, person(mobile="+447700900002", reference="T2"))
    carry_all(ctx, ["deduplicate"])
    with ctx.reading() as conn:
        judged = conn.execute(select(referral.c.judged)).scalars().all()
        kinds, cut = registry.bounds_met(conn)
        finding = next(f for f in doctor_work.examine(conn) if f.id == "matching")
    assert [row["match"]["crowded"] for row in judged] == [[5], [5]]
    assert (kinds, cut) == ({5: (1, 2)}, 0)
    assert finding.level == "warn"
    assert "mobile: 2 rows met 1 such keys" in finding.hints


def test_more_candidates_than_are_compared_are_counted(ctx: Context) -> None:
    """Of 70 people with one surname, birth date and postcode 60 are compared."""
    family = [
        person(given_name=f"S{n}", reference=f"F{n}", mobile=None) for n in range(70)
    ]
    receive(ctx, *family)
    carry_all(ctx, ["deduplicate"])
    (rid,) = receive(ctx, person(reference="T2"))
    carry_all(ctx, ["deduplicate"])
    with ctx.reading() as conn:
        asked = select(referral.c.judged).where(referral.c.id == rid)
        judged = conn.execute(asked).scalar_one()
        _, cut = registry.bounds_met(conn)
    assert judged["match"]["cut"] == 10
    assert cut == 1
