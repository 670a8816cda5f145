"""Decides which column of a partner's file is which field of ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from rapidfuzz import fuzz, process

from vouchers.errors import BadFile


class Field(StrEnum):
    """The columns we read, by the names in the template."""

    REFERENCE = "reference"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    DATE_OF_BIRTH = "date_of_birth"
    ADDRESS_LINE_1 = "address_line_1"
    POSTCODE = "postcode"
    METER_TYPE = "meter_type"
    ENERGY_SUPPLIER = "energy_supplier"
    WORKER = "worker"
    RESIDENT_TOLD = "resident_told"
    OFF_SUPPLY = "off_supply"
    DAYS_LEFT = "days_left"
    MOBILE = "mobile"
    EMAIL = "email"
    HOUSEHOLD_SIZE = "household_size"
    ADDRESS_LINE_2 = "address_line_2"
    TOWN = "town"
    UPRN = "uprn"
    LANGUAGE = "language"
    GAS_SUPPLIER = "gas_supplier"
    METER_NUMBER = "meter_number"
    CHILDREN_UNDER_5 = "children_under_5"
    OVER_65 = "over_65"
    MEDICAL = "medical"
    REASON = "reason"
    SAFE_CONTACT = "safe_contact"
    SEPARATE_HOUSEHOLD = "separate_household"
    TEXT_ANY_TIME = "text_any_time"
    ACTION = "action"


#: Columns that every file has; of off_supply and days_left, one is enough.
REQUIRED = tuple(Field)[:10]

#: What we add to a partner's columns in a result file. A result file may be corrected
#: and handed in again, so these are known when they come back at the end of a header.
RESULT_COLUMNS = (
    "row_status",
    "reason_code",
    "reason",
    "tell_the_resident",
    "next_date",
    "voucher_reference",
)

_SYNONYMS: Mapping[Field, str] = {
    Field.REFERENCE: "ref, your reference, our reference, tenant reference,"
    " tenancy reference, tenant ref, tenancy ref, tenant number, tenancy number,"
    " tenant id, tenancy id, client reference, client ref, client id, case reference,"
    " case ref, case number, case id, resident reference, resident id, customer ref,"
    " customer reference, customer id, id",
    Field.GIVEN_NAME: "first name, forename, forenames, given names, christian name,"
    " first names",
    Field.FAMILY_NAME: "last name, surname, family, second name",
    Field.DATE_OF_BIRTH: "dob, birth date, birthdate, born, date birth, d.o.b.",
    Field.ADDRESS_LINE_1: "address, address 1, address1, addr1, addr 1, street,"
    " street address, house and street, first line of address, line 1",
    Field.POSTCODE: "post code, postal code, zip, zip code, pcode",
    Field.METER_TYPE: "meter, type of meter, payment type, payment method,"
    " energy payment type",
    Field.ENERGY_SUPPLIER: "supplier, electricity supplier, electric supplier,"
    " energy company, energy provider, electricity provider, fuel supplier",
    Field.WORKER: "worker name, referrer, referred by, referring worker, case worker,"
    " caseworker, support worker, housing officer, officer, adviser, advisor,"
    " staff member, staff name",
    Field.RESIDENT_TOLD: "told, told resident, resident informed, informed,"
    " privacy notice given, declaration, resident has been told, consent, tenant told",
    Field.OFF_SUPPLY: "off supply now, no supply, supply off, disconnected,"
    " self disconnected, off",
    Field.DAYS_LEFT: "days of credit left, days remaining, credit days, days credit,"
    " days until off supply, days of supply left, days left of credit",
    Field.MOBILE: "mobile number, mobile phone, mobile no, phone, phone number,"
    " telephone, telephone number, tel, contact number, cell, mobile telephone,"
    " tenant mobile",
    Field.EMAIL: "e-mail, email address, e-mail address, mail",
    Field.HOUSEHOLD_SIZE: "people in household, number in household, people,"
    " no in household, occupants, household, number of people, people in home,"
    " size of household",
    Field.ADDRESS_LINE_2: "address 2, address2, addr2, line 2, second line of address,"
    " locality",
    Field.TOWN: "city, town or city, town/city, post town",
    Field.UPRN: "unique property reference number, property reference number",
    Field.LANGUAGE: "preferred language, lang, language preference",
    Field.GAS_SUPPLIER: "gas company, gas provider",
    Field.METER_NUMBER: "mpan, mprn, mpxn, meter point, meter point number, mpan mprn,"
    " supply number, meter no",
    Field.CHILDREN_UNDER_5: "child under 5, children under five, under 5, under 5s,"
    " under fives, child under five, young children",
    Field.OVER_65: "aged over 65, over 65s, anyone over 65, pensioner, older person,"
    " 65 plus, 65+",
    Field.MEDICAL: "medical need, medical needs, medical condition, health condition,"
    " medically vulnerable, medical equipment, medical device",
    Field.REASON: "reason code, reason for referral, crisis reason, reason for crisis",
    Field.SAFE_CONTACT: "safe to contact, safe contact method, contact safely,"
    " contact preference, safe to text",
    Field.SEPARATE_HOUSEHOLD: "own household, separate households, lives separately",
    Field.TEXT_ANY_TIME: "text at any time, any time, text any hour, text anytime",
    Field.ACTION: "row action, add correct withdraw, change",
}

#: How alike an unknown heading must be to a known one to be taken for a slip.
_SLIP_SCORE = 84
_COLUMNS_MAX = 200


@lru_cache(maxsize=2048)
def fold(heading: str) -> str:
    """Form in which headings are compared: letters and digits only, lower case."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", heading).lower())


_KNOWN: Mapping[str, Field] = {
    fold(name): known
    for known in Field
    for name in (known.value, *_SYNONYMS.get(known, "").split(","))
    if fold(name)
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field stands in one file, and how the file's dates read."""

    header: tuple[str, ...]
    index: Mapping[Field, int]
    #: Columns that are not ours; they are handed back and never read.
    unknown: tuple[int, ...] = ()
    #: Row of the header as Excel counts.
    header_row: int = 1
    #: How many columns at the end are ours, from a result file that came back.
    ours: int = 0
    #: Some date in the rows at hand has its month first, so none is safe to guess.
    month_first: bool = field(default=False, compare=False)

    @property
    def own(self) -> tuple[str, ...]:
        """The partner's own headings."""
        return self.header[: len(self.header) - self.ours]

    def heading(self, known: Field) -> str:
        """The partner's own heading for a field, or our name where it is absent."""
        place = self.index.get(known)
        return known.value if place is None else self.header[place].strip()

    def cell_name(self, known: Field, row_no: int) -> str:
        """Where a field of a row stands, as Excel names it: "C7"."""
        place = self.index.get(known)
        return "" if place is None else f"{letters(place)}{row_no}"


def letters(place: int) -> str:
    """Excel's letters for a column counted from 0: 0 is A, 26 is AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def recognise(heading: str) -> Field | None:
    """The field that a heading means, or None."""
    return _KNOWN.get(fold(heading))


def known_count(headings: Iterable[str]) -> int:
    """How many of `headings` are ours: tells a header from data, a `;` from a `,`."""
    return len({known for known in map(recognise, headings) if known})


def match_header(header: Sequence[str], *, header_row: int = 1) -> Layout:
    """The layout of a file with this header; raise BadFile naming what is wrong."""
    header = _trimmed(header)
    if not header:
        raise BadFile("empty_file", "The file is empty.")
    if len(header) > _COLUMNS_MAX:
        raise BadFile(
            "too_many_columns",
            f"The file has {len(header)} columns; {_COLUMNS_MAX} is the most we read.",
        )
    tail = tuple(map(str.strip, header[-len(RESULT_COLUMNS) :]))
    ours = len(RESULT_COLUMNS) if tail == RESULT_COLUMNS else 0
    places: dict[Field, list[int]] = {}
    unknown: list[int] = []
    for place, heading in enumerate(header[: len(header) - ours]):
        known = recognise(heading)
        if known is None:
            unknown.append(place)
        else:
            places.setdefault(known, []).append(place)
    _refuse_no_header(places)
    _refuse_repeated(header, places)
    _refuse_missing(places, [header[place] for place in unknown])
    _refuse_slips(header, places, unknown)
    return Layout(
        header=tuple(header),
        index={known: found[0] for known, found in places.items()},
        unknown=tuple(unknown),
        header_row=header_row,
        ours=ours,
    )


def _trimmed(header: Sequence[str]) -> list[str]:
    """Excel writes empty columns at the right that nobody sees."""
    kept = list(header)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _refuse_no_header(places: Mapping[Field, list[int]]) -> None:
    if not places:
        raise BadFile(
            "no_header",
            "We found none of our column names. Put the names in row 1: "
            + ", ".join(REQUIRED)
            + ", off_supply (or days_left), mobile.",
        )


def _refuse_repeated(header: Sequence[str], places: Mapping[Field, list[int]]) -> None:
    for known, found in places.items():
        if len(found) > 1:
            named = " and ".join(
                f"'{header[place].strip()}' (column {letters(place)})"
                for place in found
            )
            raise BadFile(
                "repeated_column",
                f"{named} all mean {known.value}. Keep one of them.",
            )


def _refuse_missing(places: Mapping[Field, list[int]], others: list[str]) -> None:
    missing = [known.value for known in REQUIRED if known not in places]
    if Field.OFF_SUPPLY not in places and Field.DAYS_LEFT not in places:
        missing.append("off_supply (or days_left)")
    if not missing:
        return
    text = f"Columns are missing: {', '.join(missing)}."
    named = [heading.strip() for heading in others if heading.strip()]
    if named:
        text += f" We could not place: {', '.join(named[:10])}."
    if "name" in {fold(heading) for heading in others}:
        text += " Split the name into given_name and family_name."
    raise BadFile("missing_column", text)


def _refuse_slips(
    header: Sequence[str], places: Mapping[Field, list[int]], unknown: list[int]
) -> None:
    """A slip in an optional heading must not drop, say, safe_contact in silence."""
    absent = {name: known for name, known in _KNOWN.items() if known not in places}
    for place in unknown:
        folded = fold(header[place])
        if len(folded) < 4:
            continue
        best = process.extractOne(
            folded, absent.keys(), scorer=fuzz.ratio, score_cutoff=_SLIP_SCORE
        )
        if best is not None:
            raise BadFile(
                "unknown_column",
                f"Column {letters(place)} is called '{header[place].strip()}'. "
                f"Did you mean {absent[best[0]].value}? Rename it, or remove it.",
            )
