"""The books in the words of other programs: hledger, beancount, a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from vouchers.domain.ids import Place

#: Under which of accounting's five headings a place stands. Contributions are owed to
#: their funders until used: what a funder gave is income, what was used an expense.
_HEADINGS = {
    Place.GIVEN: "Income",
    Place.AVAILABLE: "Assets",
    Place.COMMITTED: "Assets",
    Place.ISSUED: "Assets",
    Place.REDEEMED: "Expenses",
    Place.COSTS: "Expenses",
    Place.WRITTEN_OFF: "Expenses",
    Place.RETURNED: "Expenses",
    Place.SUSPENSE: "Liabilities",
    Place.PREPAID: "Assets",
}


class Form(StrEnum):
    """Whose books are written."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Posting:
    """A transfer as the books show it: numbers and codes only."""

    id: int
    on: date
    kind: str
    key: str
    debit: str
    credit: str
    pence: int


@dataclass(frozen=True, slots=True)
class Style:
    """How one program wants its books: opening, posting, closing balance."""

    heading: str
    opening: Callable[[str, date], str]
    posting: Callable[[Posting], str]
    #: Account, its balance, the day after the last posting.
    balance: Callable[[str, int, date], str]


def account_name(place: Place, scheme: str, contribution: str | None) -> str:
    """An account's name for all programs: heading, scheme, gift, place."""
    parts = [_HEADINGS[place], _part(scheme)]
    if contribution is not None:
        parts.append(_part(contribution))
    return ":".join([*parts, _part(place.name)])


def _part(text: str) -> str:
    # Beancount wants each part to begin with a capital and to hold no blanks.
    words = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()
    return words[:1].upper() + words[1:] if words else "X"


def pounds(pence: int) -> str:
    """Pence as pounds with two decimals, by whole numbers only."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    quoted = text.replace('"', '""')
    return f'"\'{quoted}"' if text[:1] in "=+-@\t\r" else f'"{quoted}"'


def style(form: Form) -> Style:
    """How to write for a program."""
    return _STYLES[form]


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9:._-]", "_", text)


def _hledger(posting: Posting) -> str:
    sum_ = pounds(posting.pence)
    return (
        f"{posting.on} {_safe(posting.kind)}  ; transfer:{posting.id} "
        f"key:{_safe(posting.key)}\n"
        f"    {posting.credit}  GBP {sum_}\n"
        f"    {posting.debit}  GBP -{sum_}\n\n"
    )


def _beancount(posting: Posting) -> str:
    sum_ = pounds(posting.pence)
    return (
        f'{posting.on} * "{_safe(posting.kind)}" "{_safe(posting.key)}"\n'
        f"  transfer: {posting.id}\n"
        f"  {posting.credit}  {sum_} GBP\n"
        f"  {posting.debit}  -{sum_} GBP\n\n"
    )


def _csv(posting: Posting) -> str:
    cells = [posting.kind, posting.key, posting.debit, posting.credit]
    texts = ",".join(safe_cell(cell) for cell in cells)
    return f"{posting.id},{posting.on},{texts},{pounds(posting.pence)}\n"


_STYLES = {
    Form.HLEDGER: Style(
        "; fuel vouchers: every transfer, and each account's balance at the end\n"
        "commodity GBP 1,000.00\n\n",
        lambda name, _: f"account {name}\n",
        _hledger,
        lambda name, pence, day: (
            f"{day} balance\n    {name}  GBP 0 = GBP {pounds(pence)}\n\n"
        ),
    ),
    Form.BEANCOUNT: Style(
        'option "title" "Fuel vouchers"\noption "operating_currency" "GBP"\n\n',
        lambda name, day: f"{day} open {name} GBP\n",
        _beancount,
        lambda name, pence, day: f"{day} balance {name}  {pounds(pence)} GBP\n",
    ),
    Form.CSV: Style(
        "transfer,date,kind,key,debit,credit,pounds\n",
        lambda *_: "",
        _csv,
        lambda name, pence, day: (
            f",{day},balance,,{safe_cell(name)},,{pounds(pence)}\n"
        ),
    ),
}
