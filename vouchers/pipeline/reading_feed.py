"""A network's CSV becomes lines; one that makes no sense is named, not dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from schemas.feed import AmountUnit, FeedLine, FeedProfile, LineType
from vouchers.domain.redemption import RETURNS
from vouchers.errors import BadFile

#: The largest file that is read: about five million lines.
BYTES_MAX = 512 * 1024 * 1024
#: Types that need no amount: the rest that we know of is what ends.
_NO_AMOUNT = frozenset({LineType.EXPIRED, LineType.CANCELLED})


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that makes no sense, and why, without the cell's content."""

    number: int
    why: str


class _LineError(Exception):
    """Why a line is unreadable."""


def read_lines(
    content: bytes, profile: FeedProfile, zone: ZoneInfo
) -> Iterator[FeedLine | Unreadable]:
    """The file's lines in order; BadFile if it has not the columns of the profile."""
    text = _decode(content)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        columns = _columns(next(rows, []), profile)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                yield _line(rows.line_num, _Cells(row, columns), profile, zone)
            except _LineError as error:
                yield Unreadable(rows.line_num, str(error))
    except csv.Error:
        raise BadFile("not_csv", "This is not a CSV file.") from None


@dataclass(frozen=True, slots=True)
class _Cells:
    row: list[str]
    columns: dict[str, int]

    def get(self, name: str) -> str:
        place = self.columns.get(name)
        if place is None or place >= len(self.row):
            return ""
        return self.row[place].strip().lstrip("'")


def _decode(content: bytes) -> str:
    if b"\x00" in content:
        raise BadFile("not_csv", "This is not a CSV file: save the sheet as CSV.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(",;\t|", key=head.count)


def _columns(header: list[str], profile: FeedProfile) -> dict[str, int]:
    places = {_plain(name): place for place, name in reversed([*enumerate(header)])}
    wanted = {
        name: _plain(getattr(profile, name))
        for name in (
            "code",
            "voucher",
            "transaction",
            "type",
            "amount",
            "balance",
            "date",
        )
    }
    found = {name: places[word] for name, word in wanted.items() if word in places}
    missing = [
        getattr(profile, name)
        for name in ("transaction", "type", "amount", "date")
        if name not in found
    ]
    if "code" not in found and "voucher" not in found:
        missing.insert(0, profile.code)
    if missing:
        raise BadFile("missing_column", f"The file has no column {', '.join(missing)}.")
    return found


def _plain(heading: str) -> str:
    return "".join(mark for mark in heading.casefold() if mark.isalnum())


def _line(number: int, cells: _Cells, profile: FeedProfile, zone: ZoneInfo) -> FeedLine:
    type_ = _type(cells.get("type"), profile)
    amount = cells.get("amount")
    code = "".join(mark for mark in cells.get("code").upper() if mark.isalnum())
    voucher = cells.get("voucher")
    if not code and not voucher.isdigit():
        raise _LineError("it names no code")
    if amount or type_ not in _NO_AMOUNT:
        pence = _pence(amount, profile.amounts_in, may_be_negative=type_ in RETURNS)
    else:
        pence = 0
    balance = cells.get("balance")
    try:
        return FeedLine(
            number=number,
            code=code or None,
            voucher_id=int(voucher) if voucher.isdigit() and not code else None,
            transaction_id=cells.get("transaction"),
            type=type_,
            amount_pence=pence,
            balance_pence=_pence(balance, profile.amounts_in) if balance else None,
            at=_moment(cells.get("date"), profile, zone),
        )
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        raise _LineError(f"{field} is missing, too long or too large") from None


def _type(word: str, profile: FeedProfile) -> LineType:
    words = {_plain(name): type_ for name, type_ in profile.types.items()}
    for type_ in LineType:
        words.setdefault(type_.value, type_)
    found = words.get(_plain(word))
    if found is None:
        raise _LineError("its type is not known")
    return found


def _pence(text: str, unit: AmountUnit, *, may_be_negative: bool = False) -> int:
    try:
        amount = Decimal(text.replace("£", "").replace(",", "").replace(" ", ""))
    except InvalidOperation:
        raise _LineError("an amount is not a number") from None
    if not amount.is_finite():
        raise _LineError("an amount is not a number")
    pence = amount * 100 if unit == AmountUnit.POUNDS else amount
    if may_be_negative:
        pence = abs(pence)
    if pence != pence.to_integral_value():
        raise _LineError("an amount has parts of a penny")
    if pence < 0:
        raise _LineError("an amount is negative")
    return int(pence)


def _moment(text: str, profile: FeedProfile, zone: ZoneInfo) -> datetime:
    moment = _iso(text)
    for form in profile.date_formats:
        if moment is not None:
            break
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007  (zone added below)
        except ValueError:
            continue
    if moment is None:
        raise _LineError("its date cannot be read")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
