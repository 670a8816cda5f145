"""A row becomes a request, or a list of what to correct in words people understand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.row import MeterType, ResidentRow, SafeContact
from schemas.scheme import Scheme
from tests.partner_files import HEADER, RULES, row
from vouchers.domain.intake import (
    Fault,
    Intake,
    Notice,
    RowFault,
    Understood,
    Withdrawal,
    match_header,
    sentence,
    understand,
    with_date_order,
)
from vouchers.domain.intake.faults import NOTICES, SENTENCES

TODAY = date(2026, 12, 7)
SCHEME = Scheme.parse(Path(RULES).read_text(encoding="utf-8"))
COLUMNS = [*HEADER, "email", "uprn", "language", "gas_supplier", "meter_number"]
COLUMNS += ["children_under_5", "over_65", "medical", "reason", "text_any_time"]
LAYOUT = match_header(COLUMNS)


def partner(**changes: object) -> SimpleNamespace:
    """A partner in good standing."""
    values = {
        "refuge": False,
        "safe_contact": "sms_ok",
        "agreement_on": date(2026, 1, 1),
        "excluded": [],
    }
    return SimpleNamespace(**(values | changes))


def read(who: SimpleNamespace | None = None, **changes: str) -> object:
    """The verdict on a good row with some cells changed."""
    values = row(1, **changes)
    cells = [values.get(name, "") for name in COLUMNS]
    return understand(cells, LAYOUT, SCHEME, who or partner(), today=TODAY, row_no=7)


def good(**changes: str) -> ResidentRow:
    """The row as understood, which must be without fault."""
    verdict = read(**changes)
    assert isinstance(verdict, Understood), verdict
    return verdict.row


def codes(**changes: str) -> list[str]:
    """Codes of what is wrong with the row."""
    verdict = read(**changes)
    assert isinstance(verdict, list), verdict
    return [str(fault.code) for fault in verdict]


def test_a_plain_row_is_understood_in_clean_form() -> None:
    """Every field comes in the form the rest of the house works with."""
    found = good(postcode="sw1a1aa", energy_supplier=" Scottish Gas ")
    assert isinstance(found, ResidentRow) is True
    assert found.postcode == "SW1A 1AA"
    assert found.energy_supplier == "british_gas"


def test_a_row_built_without_validation_is_what_validation_would_build() -> None:
    """Rows skip pydantic's checks for speed, so they must survive its round trip."""
    found = good(medical="oxygen", gas_supplier="EDF", uprn="00100023336956")
    assert ResidentRow.unpack(found.pack()) == found
    assert ResidentRow.model_validate(found.model_dump()) == found


def test_faults_name_the_partners_column_and_excels_cell() -> None:
    """A fault is found by cell, in the partner's own words, without the value."""
    layout = match_header([{"postcode": "Post Code "}.get(n, n) for n in COLUMNS])
    values = row(1, postcode="secret")
    cells = [values.get(name, "") for name in COLUMNS]
    (fault,) = understand(cells, layout, SCHEME, partner(), today=TODAY, row_no=7)
    assert isinstance(fault, RowFault)
    assert (fault.cell, fault.column) == ("F7", "Post Code")
    assert fault.sentence == "Post Code is not a UK postcode."


def test_all_faults_of_a_row_are_told_at_once() -> None:
    """Nobody has to send a file three times to learn three faults."""
    assert codes(postcode="x", mobile="0123", worker="", date_of_birth="soon") == [
        "date_unreadable",
        "postcode_invalid",
        "missing",
        "mobile_landline",
    ]


def test_faults_come_from_left_to_right() -> None:
    """A person walks along the row once; column AA comes after Z."""
    faults = [RowFault("x", cell=cell) for cell in ("AA3", "B3", "", "Z3")]
    assert [f.cell for f in sorted(faults, key=lambda f: f.place)] == [
        "",
        "B3",
        "Z3",
        "AA3",
    ]


def test_a_totals_row_is_told_in_one_sentence() -> None:
    """Ten faults would hide what the row is."""
    blank = dict.fromkeys(HEADER, "") | {"reference": "Total", "household_size": "6"}
    assert codes(**blank) == ["nearly_empty"]


def test_column_names_in_the_middle_are_told_in_one_sentence() -> None:
    """Two sheets pasted one below the other bring the header along."""
    verdict = understand(HEADER, LAYOUT, SCHEME, partner(), today=TODAY, row_no=7)
    assert isinstance(verdict, list)
    assert [fault.code for fault in verdict] == ["header_again"]


def test_no_sentence_ends_in_the_air() -> None:
    """In a count of faults the choices of one row are not at hand."""
    for fault in Fault:
        assert sentence(fault, column="The cell").endswith(".")


def test_who_has_no_usable_number_is_not_told_to_leave_it_blank() -> None:
    """Left blank, the row would come back once more."""
    for fault in Fault:
        if fault.startswith("mobile_"):
            assert "blank" not in SENTENCES[fault]


@pytest.mark.parametrize("name", HEADER[:10])
def test_required_cells_may_not_be_blank(name: str) -> None:
    """The first ten columns are needed in every row."""
    assert codes(**{name: " "}) == ["missing"]


def test_off_supply_or_days_left_must_be_said_and_not_contradict() -> None:
    """Need is what decides who goes first: it is never assumed."""
    assert codes(off_supply="", days_left="") == ["supply_missing"]
    assert codes(off_supply="no", days_left="") == ["supply_missing"]
    assert codes(off_supply="yes", days_left="3") == ["supply_contradicts"]
    assert good(off_supply="yes", days_left="").off_supply
    assert good(off_supply="", days_left="2 days").days_left == 2
    assert good(off_supply="yes", days_left="0").off_supply


def test_blanks_mean_what_the_rules_say() -> None:
    """A blank household is one person, with a notice; other blanks are no."""
    verdict = read(household_size="")
    assert isinstance(verdict, Understood)
    assert verdict.row.household_size == 1
    assert Notice.HOUSEHOLD_SIZE_BLANK in verdict.notices
    assert not (verdict.row.medical or verdict.row.over_65 or verdict.row.text_any_time)
    assert verdict.row.language == "en"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("prepay_key", MeterType.PREPAY_KEY),
        ("Key meter", MeterType.PREPAY_KEY),
        ("PPM", MeterType.PREPAY_KEY),
        ("Smart Pre-payment", None),
        ("smart prepay", MeterType.PREPAY_SMART),
        ("Direct Debit", MeterType.CREDIT),
        ("district heating", MeterType.HEAT_NETWORK),
        ("Oil", MeterType.OFF_GRID),
        ("steam", None),
    ],
)
def test_meter_types_by_the_words_partners_use(
    text: str, kind: MeterType | None
) -> None:
    """Known words are taken; others come back with the choices."""
    if kind is None:
        assert codes(meter_type=text) == ["meter_type_unknown"]
    else:
        assert good(meter_type=text).meter_type is kind


def test_an_unknown_supplier_comes_back_with_a_suggestion() -> None:
    """A supplier is never guessed; `unknown` is a legal answer."""
    verdict = read(energy_supplier="Octopuss")
    assert isinstance(verdict, list)
    assert "Did you mean Octopus Energy?" in verdict[0].sentence
    assert good(energy_supplier="unknown").energy_supplier == "unknown"


def test_safe_contact_blank_takes_the_partners_profile() -> None:
    """Refuges default to the worker; others to an ordinary text."""
    assert good().safe_contact is SafeContact.SMS_OK
    refuge = read(partner(refuge=True), mobile="")
    assert isinstance(refuge, Understood)
    assert refuge.row.safe_contact is SafeContact.PARTNER_ONLY
    assert codes(safe_contact="maybe") == ["not_a_choice"]


def test_nobody_without_a_safe_route_gets_a_code() -> None:
    """A row to be texted needs a mobile."""
    assert codes(mobile="") == ["no_contact_route"]
    assert good(mobile="", safe_contact="partner_only").mobile is None


def test_a_neutral_text_needs_a_resident_who_was_told() -> None:
    """Somebody who does not know what will come would take it for a fraud."""
    assert "neutral_needs_told" in codes(safe_contact="sms_neutral", resident_told="no")
    assert good(safe_contact="sms_neutral").safe_contact is SafeContact.SMS_NEUTRAL


def test_the_schemes_own_rules_speak_in_their_own_sentences() -> None:
    """Too many days left is told by the scheme's rule, at its column."""
    verdict = read(days_left="9")
    assert isinstance(verdict, list)
    assert [fault.code for fault in verdict] == ["not_at_risk_yet"]
    assert verdict[0].cell == "L7"
    assert "not close enough" in verdict[0].sentence


def test_a_withdrawal_needs_only_its_reference() -> None:
    """Whoever withdraws need not know the meter any more."""
    cells = [{"reference": "T1", "action": "Cancel"}.get(n, "") for n in COLUMNS]
    verdict = understand(cells, LAYOUT, SCHEME, partner(), today=TODAY)
    assert verdict == Withdrawal("T1")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"given_name": "=A1&B1"}, "formula_cell"),
        ({"given_name": "= A1"}, "formula_cell"),
        ({"given_name": "#REF!"}, "excel_error"),
        ({"given_name": "A\0nn"}, "bad_character"),
        ({"given_name": "An\ufffdn"}, "bad_character"),
        ({"given_name": "A" * 300}, "cell_too_long"),
        ({"mobile": "7.7E+09"}, "rounded_number"),
        ({"mobile": "7.70E+09"}, "rounded_number"),
        ({"reference": "1.23E+18"}, "rounded_number"),
        ({"meter_number": "1.2E+12"}, "rounded_number"),
        ({"meter_number": "12345"}, "meter_number_invalid"),
        ({"uprn": "12 High St"}, "uprn_invalid"),
        ({"email": "ann at home"}, "email_invalid"),
        ({"household_size": "many"}, "not_a_number"),
        ({"household_size": "0"}, "number_out_of_range"),
        ({"resident_told": "perhaps"}, "not_yes_or_no"),
        ({"postcode": "SW1A"}, "postcode_incomplete"),
        ({"date_of_birth": "31/12/2030"}, "date_in_future"),
        ({"date_of_birth": "01/01/1890"}, "date_too_old"),
        ({"date_of_birth": "01/01/2015"}, "under_16"),
        ({"date_of_birth": "12/31/1980"}, "date_month_first"),
        ({"date_of_birth": "03/04/80"}, "date_short_year"),
        ({"date_of_birth": "30/02/1980"}, "date_unreadable"),
    ],
)
def test_damage_is_named(changes: dict[str, str], code: str) -> None:
    """What Excel or a slip did to a cell has a code of its own."""
    assert code in codes(**changes)


def test_excels_rounding_is_told_in_the_words_that_mend_it() -> None:
    """The sentence says what happened and what to do."""
    verdict = read(mobile="7.7E+09")
    assert isinstance(verdict, list)
    assert verdict[0].sentence.startswith(
        "Excel has rounded this number; format the column as Text"
    )


def test_ambiguous_dates_are_refused_once_the_file_shows_american_ones() -> None:
    """03/04/1980 is the 3rd of April, unless a neighbour has its month first."""
    values = row(1, date_of_birth="03/04/1980")
    cells = [values.get(name, "") for name in COLUMNS]
    other = [{"date_of_birth": "12/31/1980"}.get(name, "") for name in COLUMNS]
    calm = Intake(with_date_order(LAYOUT, [cells]), SCHEME, partner(), TODAY)
    alarmed = Intake(with_date_order(LAYOUT, [cells, other]), SCHEME, partner(), TODAY)
    verdict = calm.understand(cells)
    assert isinstance(verdict, Understood)
    assert verdict.row.date_of_birth == date(1980, 4, 3)
    (fault,) = alarmed.understand(cells)
    assert isinstance(fault, RowFault)
    assert fault.code == "date_ambiguous"


def test_extra_cells_are_told_not_dropped() -> None:
    """A comma inside a cell shifts the rest: such a row is never half read."""
    values = row(1)
    cells = [values.get(name, "") for name in COLUMNS] + ["more"]
    (fault,) = understand(cells, LAYOUT, SCHEME, partner(), today=TODAY)
    assert isinstance(fault, RowFault)
    assert fault.code == "extra_cells"


def test_free_text_is_not_collected() -> None:
    """A reason that is a story is dropped with a notice; a code is kept."""
    story = read(reason="He was beaten by his landlord, see my notes of Tuesday")
    assert isinstance(story, Understood)
    assert story.row.reason is None
    assert Notice.REASON_UNKNOWN in story.notices
    assert good(reason="Benefit delay").reason == "benefit_delay"


def test_every_code_has_its_sentence() -> None:
    """One table speaks for all faults, one for all notices."""
    assert set(SENTENCES) == set(Fault)
    assert set(NOTICES) == set(Notice)


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), max_size=len(COLUMNS) + 2))
def test_any_cells_end_as_a_request_or_as_faults(cells: list[str]) -> None:
    """Nothing a cell can hold makes the reading fail."""
    verdict = understand(cells, LAYOUT, SCHEME, partner(), today=TODAY)
    assert isinstance(verdict, Understood | Withdrawal) or verdict


@settings(deadline=None)
@given(st.sampled_from(COLUMNS), st.text(max_size=60))
def test_one_odd_cell_ends_as_a_request_or_as_faults(name: str, text: str) -> None:
    """A row that is right but for one cell is taken or returned, never lost."""
    verdict = read(**{name: text})
    assert isinstance(verdict, Understood | Withdrawal) or verdict
    if isinstance(verdict, Understood):
        assert ResidentRow.unpack(verdict.row.pack()) == verdict.row
