"""The invented registry: the same people every time, and the truth about them."""

from __future__ import annotations

from itertools import islice

from tests.benchmarks.harsh_tally import Tally
from tests.benchmarks.matching_harsh import run
from tests.benchmarks.registry import arrivals, residents
from vouchers.domain.intake.phones import Mobile, read_mobile


def test_the_same_seed_gives_the_same_people() -> None:
    """Two streams of one seed are equal, of another seed are not."""
    once, again = list(residents(1, 50)), list(residents(1, 50))

    assert once == again
    assert once != list(residents(2, 50))
    assert list(arrivals(1, 50, 50)) == list(arrivals(1, 50, 50))


def test_repeats_are_people_of_the_registry() -> None:
    """Whoever comes again was there; whoever is new was not."""
    known = {row.person_id for row in residents(3, 2_000)}
    coming = list(islice(arrivals(3, 2_000, 600), 600))

    repeats = {row.person_id for row in coming if row.kind == "repeat"}
    strangers = {row.person_id for row in coming if row.kind == "elsewhere"}
    assert len(repeats) > 60
    assert repeats <= known
    assert not strangers & known


def test_phones_have_the_form_of_mobiles() -> None:
    """Every phone of the registry would be accepted from a partner's file."""
    phones = {row.fields["mobile"] for row in residents(1, 300)} - {""}

    assert all(isinstance(read_mobile(phone), Mobile) for phone in phones)


def test_nobody_of_a_small_harsh_registry_is_merged_with_another() -> None:
    """The goals hold: no wrong merge, and nearly all that come again are found."""
    result, tally = run(1, 3_000, 1_500)

    assert isinstance(tally, Tally)
    assert result["automatic"] > 150
    assert result["automatic precision"] == 1.0
    assert result["found (automatic or in review)"] > 0.97
    assert result["of these, who is it"] < 0.06
