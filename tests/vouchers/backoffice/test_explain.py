"""One referral's story: what each role sees of it, and what nobody sees."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from vouchers.backoffice import explain, partners, scheme, status
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, NotFound
from vouchers.pipeline import accept
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import parties

OWNER = Person(1, "owner", frozenset({Role.OWNER}))
OPERATOR = Person(2, "olga", frozenset({Role.OPERATOR}))
SAFE = Person(3, "saf", frozenset({Role.SAFEGUARDING}))
RULES = Path(__file__).resolve().parents[3] / "config" / "scheme.toml"
HEADER = (
    "reference,given_name,family_name,date_of_birth,address_line_1,postcode,meter_type,"
    "energy_supplier,worker,resident_told,off_supply,mobile,safe_contact"
)
NGOZI = (
    "Ngozi,Okafor,1980-02-29,1 Alder Street,HX1 1AA,prepay_key,EDF,J. Hartley,yes,yes"
)


@pytest.fixture
def house(ctx: Context, tmp_path: Path) -> Context:
    """Two partners that know the same person, and one who hides a resident."""
    scheme.seed(ctx, RULES.read_text(encoding="utf-8"))
    for slug, row in (
        ("first", f"A-1,{NGOZI},07700900123,"),
        ("second", f"B-1,{NGOZI},07700900123,"),
        ("refuge", f"C-1,{NGOZI.replace('Okafor', 'Mensah')},07700900124,sms_neutral"),
    ):
        partners.add(
            ctx,
            slug=slug,
            name=slug.title(),
            contact="Somebody",
            agreement_on=date(2026, 1, 5),
            refuge=slug == "refuge",
            by=OWNER,
            door="cli",
        )
        path = tmp_path / f"{slug}.csv"
        path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
        for dry_run in (True, False):
            accept.submit(
                ctx, partner=slug, path=path, via="cli", actor="olga/cli",
                dry_run=dry_run,
            )  # fmt: skip
        carry_all(ctx)
    return ctx


def tell(ctx: Context, by: Person, reference: str, partner: str) -> dict[str, object]:
    """The story as this person is told it."""
    return explain.explain(ctx, reference=reference, partner=partner, by=by, door="cli")


def test_every_step_has_its_time_actor_and_rule(house: Context) -> None:
    """P11: the steps of a referral, each with who did it, in the order of the log."""
    story = tell(house, OPERATOR, "A-1", "first")

    steps = story["steps"]
    assert isinstance(steps, list)
    assert [step["kind"] for step in steps][:2] == [
        "referral.received",
        "referral.matched",
    ]
    assert all(step["at"] and step["by"] for step in steps)
    assert "Need band 2 of 8" in " ".join(steps[0]["details"])


def test_a_match_is_explained_part_by_part(house: Context) -> None:
    """The second partner's row names the candidate, the score and each field."""
    story = json.dumps(tell(house, OPERATOR, "B-1", "second"), default=str)

    assert "Candidate 1: resident" in story
    assert "first brought by first" in story
    assert "same person" in story


def test_a_reference_is_found_however_it_is_typed(house: Context) -> None:
    """Case and blanks are no part of a reference; our own number works as well."""
    story = tell(house, OPERATOR, " a-1 ", "first")

    assert tell(house, OPERATOR, str(story["referral"]), "first") == story


def test_a_partner_reads_the_outcome_and_nothing_of_others(house: Context) -> None:
    """P9: no other partner, no score, no transfer, no other resident."""
    with house.reading() as conn:
        from vouchers.store.parties import partner_by_slug

        number = partner_by_slug(conn, "second").id
    bob = Person(4, "bob", frozenset({Role.PARTNER}), number)

    story = json.dumps(tell(house, bob, "B-1", "second"), default=str)

    assert "first" not in story.replace("first_referral", "")
    assert "Candidate" not in story
    assert "transfers" not in story
    with pytest.raises(NotAllowed):
        tell(house, bob, "A-1", "first")


def test_a_protected_story_is_for_safeguarding_only(house: Context) -> None:
    """Others learn the state; not where, not how, and they cannot open it."""
    veiled = tell(house, OPERATOR, "C-1", "refuge")
    open_ = tell(house, SAFE, "C-1", "refuge")

    assert "outcode" not in veiled
    assert open_["outcode"] == "HX1"
    assert "note" in veiled
    with pytest.raises(NotAllowed):
        explain.explain(
            house,
            reference="C-1",
            partner="refuge",
            by=OPERATOR,
            door="cli",
            open_reason="resident rang",
        )


def test_a_protected_resident_is_not_found_by_others(house: Context) -> None:
    """Search gives an operator nobody, and safeguarding the row."""
    asked = {"door": "cli", "reason": "resident rang", "mobile": "07700900124"}

    assert status.search(house, by=OPERATOR, **asked) == []  # type: ignore[arg-type]
    assert len(status.search(house, by=SAFE, **asked)) == 1  # type: ignore[arg-type]


def test_every_row_has_its_place(house: Context) -> None:
    """P1: the words of each batch add up to its rows."""
    overview = status.overview(house, by=OWNER)

    assert [account["rows_total"] for account in overview["batches"]] == [1, 1, 1]
    assert overview["unaccounted"] == 0
    assert sum(overview["rows"].values()) == 3


def test_an_unknown_reference_says_where_to_look(house: Context) -> None:
    """A row that was never accepted is in the result file, and the answer says so."""
    with pytest.raises(NotFound, match="vouchers results"):
        tell(house, OPERATOR, "Z-9", "first")


def test_a_files_name_is_shown_to_its_partner_only(house: Context) -> None:
    """A name may be a resident's: staff know a file by its batch number."""
    with house.reading() as conn:
        own = parties.partner_by_slug(conn, "first").id
    worker = Person(4, "wendy", frozenset({Role.PARTNER}), own)

    assert [one["file"] for one in status.overview(house, by=worker)["batches"]] == [
        "first.csv"
    ]
    assert {one["file"] for one in status.overview(house, by=OPERATOR)["batches"]} == {
        None
    }
