"""Decides what a row says: a resident's request, or the list of what to correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from schemas.row import Action, MeterType, ResidentRow, SafeContact
from schemas.scheme import Scheme
from vouchers.domain import eligibility, routing
from vouchers.domain.intake import repair, words
from vouchers.domain.intake.columns import REQUIRED, Field, Layout, known_count
from vouchers.domain.intake.faults import Fault, Notice, RowFault
from vouchers.domain.intake.phones import read_mobile

T = TypeVar("T")
#: A row with fewer of the required cells filled is a total, a note or a slip.
_FILLED_LEAST = 3
_STRAY_FAULTS = 6


class Partner(eligibility.PartnerFacts, Protocol):
    """What reading a row needs to know of the partner who sent it."""

    @property
    def refuge(self) -> bool:
        """A refuge: all its rows are protected."""

    @property
    def safe_contact(self) -> str:
        """How its residents are reached where a row does not say."""


@dataclass(frozen=True, slots=True)
class Understood:
    """An accepted row, and what was repaired or taken for granted in it."""

    row: ResidentRow
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A row that only takes an earlier one back: its reference is all it needs."""

    reference: str


Verdict = Understood | Withdrawal | list[RowFault]


@dataclass(frozen=True, slots=True)
class Intake:
    """What rows are read against; suppliers looked up once are remembered."""

    layout: Layout
    scheme: Scheme
    partner: Partner
    #: The scheme's local date.
    today: date
    _suppliers: dict[str, routing.SupplierFound] = field(default_factory=dict)

    def understand(self, cells: Sequence[str], *, row_no: int = 0) -> Verdict:
        """What a row asks of us, or every fault in it at once; it never raises."""
        reader = _Reader(self, cells, row_no)
        action = reader.choice(Field.ACTION, words.ACTIONS, Action.ADD)
        if action is Action.WITHDRAW:
            reference = reader.reference()
            return reader.faults or Withdrawal(reference)
        row = reader.row(action)
        if row is None or reader.faults:
            return reader.stray(cells) or sorted(reader.faults, key=attrgetter("place"))
        return Understood(row, tuple(reader.notices))

    def supplier(self, text: str) -> routing.SupplierFound:
        """The scheme's supplier of this name."""
        found = self._suppliers.get(text)
        if found is None:
            found = self._suppliers[text] = routing.supplier(text, self.scheme)
        return found


def understand(
    cells: Sequence[str],
    layout: Layout,
    scheme: Scheme,
    partner: Partner,
    *,
    today: date,
    row_no: int = 0,
) -> Verdict:
    """Read one row by itself; for many of one file, keep an `Intake`."""
    return Intake(layout, scheme, partner, today).understand(cells, row_no=row_no)


def with_date_order(layout: Layout, rows: Sequence[Sequence[str]]) -> Layout:
    """The layout told whether any of `rows` has a date with its month first."""
    place = layout.index[Field.DATE_OF_BIRTH]
    seen = any(
        place < len(cells) and repair.is_month_first(repair.clean(cells[place]))
        for cells in rows
    )
    return replace(layout, month_first=True) if seen else layout


class _Reader:
    """Reads one row field by field and gathers its faults."""

    def __init__(self, intake: Intake, cells: Sequence[str], row_no: int) -> None:
        self.intake = intake
        self.layout = layout = intake.layout
        self.scheme = intake.scheme
        self.row_no = row_no
        self.faults: list[RowFault] = []
        self.notices: list[Notice] = []
        self.values: dict[Field, str] = {}
        if any(cell.strip() for cell in cells[len(layout.header) :]):
            self.faults.append(RowFault(Fault.EXTRA_CELLS))
        for known, place in layout.index.items():
            text = repair.clean(cells[place]) if place < len(cells) else ""
            wrong = repair.cell_fault(text)
            if wrong is not None:
                self.fault(known, wrong)
                text = ""
            self.values[known] = text
        self._bad = {fault.column for fault in self.faults if fault.column}

    def fault(self, known: Field, code: str, hint: str = "") -> None:
        """Note that a field has to be corrected."""
        heading = self.layout.heading(known)
        cell = self.layout.cell_name(known, self.row_no)
        self.faults.append(RowFault(code, heading, hint, cell))

    def text(self, known: Field) -> str:
        """A field's cleaned text, blank where it is absent."""
        return self.values.get(known, "")

    def stray(self, cells: Sequence[str]) -> list[RowFault]:
        """One fault, not ten, for a row that was never meant as a resident."""
        if len(self.faults) < _STRAY_FAULTS:
            return []
        if known_count(cells) > len(REQUIRED) // 2:
            return [RowFault(Fault.HEADER_AGAIN)]
        filled = sum(bool(self.text(known)) for known in REQUIRED)
        return [RowFault(Fault.NEARLY_EMPTY)] if filled < _FILLED_LEAST else []

    def needed(self, known: Field) -> str:
        """A field that may not be blank."""
        text = self.text(known)
        if not text and self.layout.heading(known) not in self._bad:
            self.fault(known, Fault.MISSING)
        return text

    def reference(self) -> str:
        """The partner's own reference, which Excel may have rounded away."""
        text = repair.whole(self.needed(Field.REFERENCE))
        if repair.is_rounded(text):
            self.fault(Field.REFERENCE, Fault.ROUNDED_NUMBER)
        return text

    def read(self, known: Field, how: Callable[[str], T | Fault]) -> T | None:
        """A field that `how` makes sense of; None where it is blank or faulty."""
        text = self.text(known)
        if not text:
            return None
        found = how(text)
        if isinstance(found, Fault):
            self.fault(known, found)
            return None
        return found

    def choice(self, known: Field, choices: Mapping[str, T], blank: T) -> T:
        """One of some words, or `blank` where nothing is said."""
        text = self.text(known)
        if not text:
            return blank
        found = choices.get(words.fold(text))
        if found is None:
            named = dict.fromkeys(str(value) for value in choices.values())
            self.fault(known, Fault.NOT_A_CHOICE, ", ".join(named))
            return blank
        return found

    def yes(self, known: Field) -> bool | None:
        """A yes or a no; None where nothing is said."""
        return self.read(known, _yes_or_no)

    def some(self, known: Field) -> bool:
        """Yes, or a number of people above none; blank means no."""
        return bool(self.read(known, _any_of))

    def number(self, known: Field, least: int, most: int) -> int | None:
        """A whole number within bounds."""
        found = self.read(known, _whole_number)
        if found is not None and not least <= found <= most:
            self.fault(
                known, Fault.NUMBER_OUT_OF_RANGE, f"It must be {least} to {most}."
            )
            return None
        return found

    # ------------------------------------------------------------ fields with rules

    def row(self, action: Action) -> ResidentRow | None:
        """The whole row, or None where it cannot be put together."""
        told = self.yes(Field.RESIDENT_TOLD)
        off_supply, days_left = self.supply()
        medical = words.fold(self.text(Field.MEDICAL))
        device = medical in words.MEDICAL_DEVICE
        values: dict[str, Any] = {
            "reference": self.reference(),
            "date_of_birth": self.born(),
            "postcode": self.read(Field.POSTCODE, repair.read_postcode),
            "meter_type": self.meter_type(),
            "energy_supplier": self.supplier(Field.ENERGY_SUPPLIER),
            "gas_supplier": self.supplier(Field.GAS_SUPPLIER),
            "resident_told": told,
            "off_supply": off_supply,
            "days_left": days_left,
            "mobile": self.mobile(),
            "email": self.read(Field.EMAIL, _email),
            "household_size": self.household_size(),
            "uprn": self.read(Field.UPRN, repair.read_uprn),
            "language": self.language(),
            "meter_number": self.read(Field.METER_NUMBER, repair.read_meter_number),
            "children_under_5": self.some(Field.CHILDREN_UNDER_5),
            "over_65": self.some(Field.OVER_65),
            "medical": device or self.some(Field.MEDICAL),
            "medical_device": device,
            "reason": self.reason(),
            "safe_contact": self.safe_contact(),
            "separate_household": self.yes(Field.SEPARATE_HOUSEHOLD) or False,
            "text_any_time": self.yes(Field.TEXT_ANY_TIME) or False,
            "action": action,
            "address_line_2": self.text(Field.ADDRESS_LINE_2),
            "town": self.text(Field.TOWN),
        }
        for known in REQUIRED:
            text = self.needed(known) if known is not Field.REFERENCE else ""
            values.setdefault(known.value, text)
        if self.faults:
            return None
        row = ResidentRow.model_construct(**values)
        self.rules(row)
        return row

    def supply(self) -> tuple[bool, int | None]:
        """Off supply now, and days left: one of the two must be said."""
        before = len(self.faults)
        off = self.yes(Field.OFF_SUPPLY)
        days = self.number(Field.DAYS_LEFT, 0, 366)
        if len(self.faults) > before:
            return False, None
        if off and days:
            self.fault(Field.DAYS_LEFT, Fault.SUPPLY_CONTRADICTS)
        elif not off and days is None:
            where = Field.DAYS_LEFT if off is False else Field.OFF_SUPPLY
            where = where if where in self.layout.index else Field.DAYS_LEFT
            self.fault(where, Fault.SUPPLY_MISSING)
        return bool(off), days

    def born(self) -> date | None:
        """The date of birth, of somebody who can be a customer."""
        text = self.text(Field.DATE_OF_BIRTH)
        found = self.read(
            Field.DATE_OF_BIRTH,
            lambda text: repair.read_date(text, month_first=self.layout.month_first),
        )
        if found is None:
            return None
        if found > self.intake.today:
            self.fault(Field.DATE_OF_BIRTH, Fault.DATE_IN_FUTURE)
        elif found.year < self.intake.today.year - 115:
            self.fault(Field.DATE_OF_BIRTH, Fault.DATE_TOO_OLD)
        elif (self.intake.today.year - found.year) - (
            (self.intake.today.month, self.intake.today.day) < (found.month, found.day)
        ) < 16:
            self.fault(Field.DATE_OF_BIRTH, Fault.UNDER_16)
        elif repair.is_date_number(repair.whole(text)):
            self.notices.append(Notice.DATE_FROM_NUMBER)
        return found

    def meter_type(self) -> MeterType | None:
        """The meter's type by the words partners use."""
        folded = words.fold(self.text(Field.METER_TYPE))
        if not folded:
            return None
        found = words.METER_TYPES.get(folded)
        if found is None and folded in words.PREPAY_UNSAID:
            self.notices.append(Notice.PREPAY_TAKEN_AS_KEY)
            return MeterType.PREPAY_KEY
        if found is None:
            choices = ", ".join(self.scheme.eligibility.meters)
            self.fault(Field.METER_TYPE, Fault.METER_TYPE_UNKNOWN, choices)
        return found

    def supplier(self, known: Field) -> str | None:
        """A supplier of the scheme's table; never a default for a name not in it."""
        text = self.text(known)
        if not text:
            return None
        found = self.intake.supplier(text)
        if found.slug is None:
            hint = f"Did you mean {found.suggestion}?" if found.suggestion else ""
            self.fault(known, Fault.SUPPLIER_UNKNOWN, hint)
        return found.slug

    def mobile(self) -> str | None:
        """The number a code may go to."""
        found = self.read(Field.MOBILE, read_mobile)
        if found is None:
            return None
        if found.zero_restored:
            self.notices.append(Notice.MOBILE_ZERO_RESTORED)
        return found.number

    def household_size(self) -> int:
        """People in the home; blank means one, and the partner is told so."""
        if not self.text(Field.HOUSEHOLD_SIZE):
            self.notices.append(Notice.HOUSEHOLD_SIZE_BLANK)
            return 1
        most = self.scheme.eligibility.household_size_max
        return self.number(Field.HOUSEHOLD_SIZE, 1, most) or 1

    def language(self) -> str:
        """The language to write in; one that we do not know never stops a voucher."""
        text = self.text(Field.LANGUAGE)
        if not text:
            return "en"
        found = words.LANGUAGES.get(words.fold(text).split(" ")[0])
        if found is None:
            self.notices.append(Notice.LANGUAGE_UNKNOWN)
        return found or "en"

    def reason(self) -> str | None:
        """A code for the crisis; free text is dropped, not kept."""
        text = words.fold(self.text(Field.REASON)).replace(" ", "_")
        if not text:
            return None
        if len(text) > 40 or not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+){0,2}", text):
            self.notices.append(Notice.REASON_UNKNOWN)
            return None
        return text

    def safe_contact(self) -> SafeContact:
        """How to reach this person; blank takes the partner's profile."""
        usual = SafeContact(self.intake.partner.safe_contact)
        if self.intake.partner.refuge and usual is SafeContact.SMS_OK:
            usual = SafeContact.PARTNER_ONLY
        return self.choice(Field.SAFE_CONTACT, words.SAFE_CONTACTS, usual)

    def rules(self, row: ResidentRow) -> None:
        """The scheme's own rules, once the row can be read."""
        by_text = row.safe_contact in (SafeContact.SMS_OK, SafeContact.SMS_NEUTRAL)
        if by_text and row.mobile is None:
            self.fault(Field.MOBILE, Fault.NO_CONTACT_ROUTE)
        if row.safe_contact is SafeContact.SMS_NEUTRAL and not row.resident_told:
            self.fault(Field.SAFE_CONTACT, Fault.NEUTRAL_NEEDS_TOLD)
        for code in eligibility.faults(
            row, self.scheme, self.intake.partner, today=self.intake.today
        ):
            column, text = eligibility.FAULTS[code]
            # What concerns the partner is asked of the file, not of each row. A row
            # that says "do not text" goes back later: it first ends what is under way.
            if column and code != Fault.NO_CONTACT_ROUTE:
                self.fault(Field(column), code, text)
        if not row.resident_told:
            self.notices.append(Notice.RESIDENT_NOT_TOLD)


_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,24}")


def _email(text: str) -> str | Fault:
    return text.lower() if _EMAIL.fullmatch(text) else Fault.EMAIL_INVALID


def _yes_or_no(text: str) -> bool | Fault:
    folded = repair.whole(text).lower()
    if folded in words.YES:
        return True
    return False if folded in words.NO else Fault.NOT_YES_OR_NO


def _any_of(text: str) -> bool | Fault:
    said = repair.whole(text)
    return int(said) > 0 if said.isascii() and said.isdigit() else _yes_or_no(said)


def _whole_number(text: str) -> int | Fault:
    said = repair.whole(text.lower().removesuffix("days").removesuffix("day").strip())
    if not said.isascii() or not said.isdigit() or len(said) > 6:
        return Fault.NOT_A_NUMBER
    return int(said)
