"""How each invented partner writes its files: headers, encoding, dates, yes and no."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from vouchers.cli.demo.names import TOWNS

#: Columns of a file, in the order in which the template has them.
COLUMNS: tuple[str, ...] = (
    "reference",
    "given_name",
    "family_name",
    "date_of_birth",
    "address_line_1",
    "town",
    "postcode",
    "meter_type",
    "energy_supplier",
    "worker",
    "resident_told",
    "off_supply",
    "days_left",
    "mobile",
    "household_size",
    "children_under_5",
    "over_65",
    "medical",
    "safe_contact",
    "separate_household",
)


@dataclass(frozen=True, slots=True)
class Habit:
    """One organisation's way of writing a file."""

    ending: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    date_format: str = "%Y-%m-%d"
    yes: str = "yes"
    no: str = "no"
    #: What this partner calls our columns, where it has names of its own.
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, column: str) -> str:
        """What this partner writes above `column`."""
        return self.headers.get(column, column)

    def spell(self, text: str) -> str:
        """The text as this partner's encoding can hold it."""
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return _plain(text)
        return text


@dataclass(frozen=True, slots=True)
class SamplePartner:
    """An invented organisation that hands in residents."""

    slug: str
    name: str
    known_as: str
    contact: str
    homes: int
    region: str
    habit: Habit
    refuge: bool = False
    safe_contact: str = "sms_ok"
    #: How many of the residents are this partner's, against the others' numbers.
    weight: int = 1


#: Another system's export: other words for the same columns.
_SYNONYMS = {
    "reference": "Tenant reference",
    "given_name": "First name",
    "family_name": "Surname",
    "date_of_birth": "DOB",
    "address_line_1": "Address",
    "town": "Town",
    "postcode": "Post code",
    "meter_type": "Meter type",
    "energy_supplier": "Supplier",
    "worker": "Support worker",
    "resident_told": "Resident told",
    "off_supply": "Off supply",
    "days_left": "Days left",
    "mobile": "Mobile number",
    "household_size": "Household size",
}

FIVE: tuple[SamplePartner, ...] = (
    SamplePartner(
        "harbour-homes",
        "Harbour Homes Housing Association",
        "Harbour Homes",
        "Dana Whitlock",
        18_000,
        "north",
        Habit(),
        weight=104,
    ),
    SamplePartner(
        "calder-council",
        "Calder Borough Council",
        "Calder Council",
        "Imran Sadiq",
        31_000,
        "north",
        Habit(ending="xlsx"),
        weight=120,
    ),
    SamplePartner(
        "tidewater-trust",
        "The Tidewater Trust",
        "Tidewater Trust",
        "Mair Prosser",
        2_400,
        "west",
        Habit(
            encoding="cp1252",
            delimiter=";",
            date_format="%d/%m/%Y",
            yes="Y",
            no="N",
        ),
        weight=76,
    ),
    SamplePartner(
        "northgate-living",
        "Northgate Living",
        "Northgate",
        "Ade Falana",
        9_500,
        "east",
        Habit(
            encoding="utf-8-sig",
            date_format="%d/%m/%Y",
            yes="Yes",
            no="No",
            headers=_SYNONYMS,
        ),
        weight=88,
    ),
    SamplePartner(
        "lantern-refuge",
        "Lantern House Refuge",
        "Lantern",
        "Ros Abernethy",
        40,
        "west",
        Habit(),
        refuge=True,
        safe_contact="partner_only",
        weight=4,
    ),
)


def sample_partners(count: int) -> tuple[SamplePartner, ...]:
    """The five of the demo and, for benchmarks, as many plain ones as are asked for."""
    more = tuple(_plain_partner(number) for number in range(len(FIVE) + 1, count + 1))
    return (FIVE + more)[:count]


def _plain_partner(number: int) -> SamplePartner:
    town = TOWNS[number % len(TOWNS)][0]
    return SamplePartner(
        f"partner-{number:03d}",
        f"{town} Homes {number}",
        f"{town} Homes",
        "Robin Example",
        5_000 + number * 300,
        ("north", "east", "west")[number % 3],
        FIVE[number % 4].habit if number % 2 else Habit(),
        weight=80,
    )


def _plain(text: str) -> str:
    # What a caseworker types whose keyboard has no such letter.
    text = text.replace("ł", "l").replace("Ł", "L")
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
