"""The invented partners' files: the same every time, harmless, and truly labelled."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from vouchers.cli.demo import residents
from vouchers.cli.demo.files import Sample, write_partners
from vouchers.cli.demo.mishaps import MISTAKES

TODAY = date(2026, 12, 7)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The demo's five files."""
    folder = tmp_path_factory.mktemp("files")
    return write_partners(folder, seed=7, today=TODAY)


def test_the_same_seed_writes_the_same_files(sample: Sample, tmp_path: Path) -> None:
    """Two runs give equal truths and, for text files, equal bytes."""
    again = write_partners(tmp_path, seed=7, today=TODAY)

    assert again.truths == sample.truths
    for ours, theirs in zip(sample.files, again.files, strict=True):
        if ours.suffix == ".csv":
            assert ours.read_bytes() == theirs.read_bytes()


def test_another_seed_invents_other_people(sample: Sample, tmp_path: Path) -> None:
    """The seed decides who is in the files."""
    other = write_partners(tmp_path, seed=8, today=TODAY)

    assert other.truths != sample.truths


def test_every_kind_of_row_is_there(sample: Sample) -> None:
    """Repeats, couples, a shared house, protected residents and each mistake."""
    kinds = Counter(truth.kind for truth in sample.truths)

    assert kinds["repeat"] == 42
    assert kinds["shared_house"] == 5
    assert kinds["protected"] > 0
    assert kinds["household"] > 0
    assert {truth.mistake for truth in sample.truths} - {""} == set(MISTAKES)


def test_a_repeat_comes_from_another_partner(sample: Sample) -> None:
    """Whoever comes twice is handed in by two different partners."""
    first = {t.person: t.partner for t in sample.truths if t.kind != "repeat"}
    again = {t.person: t.partner for t in sample.truths if t.kind == "repeat"}

    assert all(first[person] != partner for person, partner in again.items())


def test_truths_name_rows_as_excel_counts_them(sample: Sample) -> None:
    """A truth's row number is where its reference stands in the file."""
    path = next(path for path in sample.files if path.parent.name == "harbour-homes")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))

    own = [truth for truth in sample.truths if truth.partner == "harbour-homes"]

    assert all(rows[truth.row_no - 1][0] == truth.reference for truth in own)


def test_each_partner_writes_in_its_own_way(sample: Sample) -> None:
    """One workbook, one cp1252 file with semicolons, one with other headings."""
    by_name = {path.parent.name: path for path in sample.files}

    tidewater = by_name["tidewater-trust"].read_bytes()
    assert by_name["calder-council"].suffix == ".xlsx"
    assert tidewater.startswith(b"reference;given_name")
    with pytest.raises(UnicodeDecodeError):
        tidewater.decode("utf-8")
    assert b"Tenant reference,First name" in by_name["northgate-living"].read_bytes()


def test_residents_have_numbers_that_nobody_owns() -> None:
    """Below a thousand, each number is of the fictional range and given out once."""
    given = [residents.mobile(n) for n in range(residents.FICTIONAL_COUNT)]

    assert len(set(given)) == len(given)
    assert all(number.startswith("7700900") for number in given)
    assert not {f"7700900{n}" for n in range(900, 917)} & set(given)


def test_numbers_beyond_fiction_stay_apart() -> None:
    """A benchmark's hundred thousand residents have a number each."""
    given = {residents.mobile(n) for n in range(100_000)}

    assert len(given) == 100_000


def test_homes_stay_apart() -> None:
    """Every home number is a front door of its own."""
    doors = {
        (residents.home(n).line_1, residents.home(n).postcode) for n in range(50_000)
    }

    assert len(doors) == 50_000


def test_as_many_partners_as_are_asked_for(tmp_path: Path) -> None:
    """Benchmarks get their number of partners, each with a file."""
    many = write_partners(
        tmp_path, seed=1, partners=39, residents=800, mistakes=0, today=TODAY
    )

    assert len(many.files) == 39
    assert len({truth.person for truth in many.truths}) == 800
