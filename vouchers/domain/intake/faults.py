"""The one table of what can be wrong with a row, in words a housing officer uses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Codes of what has to be corrected in a row."""

    MISSING = "missing"
    CELL_TOO_LONG = "cell_too_long"
    BAD_CHARACTER = "bad_character"
    FORMULA_CELL = "formula_cell"
    EXCEL_ERROR = "excel_error"
    ROUNDED_NUMBER = "rounded_number"
    EXTRA_CELLS = "extra_cells"
    UNCLOSED_QUOTE = "unclosed_quote"
    UNFINISHED_ROW = "unfinished_row"
    ROW_TOO_LONG = "row_too_long"
    HEADER_AGAIN = "header_again"
    NEARLY_EMPTY = "nearly_empty"
    REPEATED_REFERENCE = "repeated_reference"
    DATE_UNREADABLE = "date_unreadable"
    DATE_MONTH_FIRST = "date_month_first"
    DATE_AMBIGUOUS = "date_ambiguous"
    DATE_SHORT_YEAR = "date_short_year"
    DATE_IN_FUTURE = "date_in_future"
    DATE_TOO_OLD = "date_too_old"
    UNDER_16 = "under_16"
    NOT_YES_OR_NO = "not_yes_or_no"
    NOT_A_NUMBER = "not_a_number"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    NOT_A_CHOICE = "not_a_choice"
    POSTCODE_INVALID = "postcode_invalid"
    POSTCODE_INCOMPLETE = "postcode_incomplete"
    METER_TYPE_UNKNOWN = "meter_type_unknown"
    METER_NUMBER_INVALID = "meter_number_invalid"
    UPRN_INVALID = "uprn_invalid"
    SUPPLIER_UNKNOWN = "supplier_unknown"
    EMAIL_INVALID = "email_invalid"
    MOBILE_NOT_DIGITS = "mobile_not_digits"
    MOBILE_TOO_SHORT = "mobile_too_short"
    MOBILE_TOO_LONG = "mobile_too_long"
    MOBILE_TWO_NUMBERS = "mobile_two_numbers"
    MOBILE_LANDLINE = "mobile_landline"
    MOBILE_PERSONAL = "mobile_personal"
    MOBILE_PAGER = "mobile_pager"
    MOBILE_FOREIGN = "mobile_foreign"
    MOBILE_CROWN_DEPENDENCY = "mobile_crown_dependency"
    MOBILE_INVALID = "mobile_invalid"
    SUPPLY_MISSING = "supply_missing"
    SUPPLY_CONTRADICTS = "supply_contradicts"
    NEUTRAL_NEEDS_TOLD = "neutral_needs_told"
    NO_CONTACT_ROUTE = "no_contact_route"
    FAILED_HERE = "failed_here"


_NOT_A_MOBILE = "Give a UK mobile number (07...)."

_A_WORD = "one of the words that the handbook lists."

#: Sentence of each code; {column} is the partner's heading, {hint} what we know more.
SENTENCES: dict[Fault, str] = {
    Fault.MISSING: "{column} is empty. Fill it in.",
    Fault.CELL_TOO_LONG: "{column} is too long. Shorten it.{hint}",
    Fault.BAD_CHARACTER: "{column} has a character that we cannot read. Type it anew.",
    Fault.FORMULA_CELL: "{column} is a formula. Copy it and paste it as a value.",
    Fault.EXCEL_ERROR: "{column} shows an Excel error. Type the value.",
    Fault.ROUNDED_NUMBER: "Excel has rounded this number; format the column as Text"
    " and type it anew.",
    Fault.EXTRA_CELLS: "This row has more cells than there are columns. Look for a"
    " comma inside a cell.",
    Fault.UNCLOSED_QUOTE: 'This row has a quotation mark (") that does not close.'
    " Remove it, or close it.",
    Fault.UNFINISHED_ROW: "The file ends in the middle of this row. Save it and send"
    " it again.",
    Fault.ROW_TOO_LONG: "This row is far too long to be one resident.",
    Fault.HEADER_AGAIN: "This row has the column names again. Remove it.",
    Fault.NEARLY_EMPTY: "Nearly all cells of this row are empty. Fill them in, or"
    " remove the row if it is a total or a note.",
    Fault.REPEATED_REFERENCE: "{column} is used twice in this file.{hint} Give each"
    " row its own.",
    Fault.DATE_UNREADABLE: "{column} is not a date we can read. Write it like"
    " 31/12/1980.",
    Fault.DATE_MONTH_FIRST: "{column} seems to have the month first. Write the day"
    " first, like 31/12/1980.",
    Fault.DATE_AMBIGUOUS: "{column} can be read in two ways, as other dates in this"
    " file have the month first. Write it like 1980-12-31.",
    Fault.DATE_SHORT_YEAR: "{column} needs a year of four digits, like 31/12/1980.",
    Fault.DATE_IN_FUTURE: "{column} is in the future.",
    Fault.DATE_TOO_OLD: "{column} is more than 115 years ago.",
    Fault.UNDER_16: "{column} is that of a child. Give the adult who pays for energy.",
    Fault.NOT_YES_OR_NO: "{column} must be yes or no.",
    Fault.NOT_A_NUMBER: "{column} must be a whole number.",
    Fault.NUMBER_OUT_OF_RANGE: "{column} is out of range.{hint}",
    Fault.NOT_A_CHOICE: "{column} must be one of these:{hint}",
    Fault.POSTCODE_INVALID: "{column} is not a UK postcode.",
    Fault.POSTCODE_INCOMPLETE: "{column} is only half a postcode. Give all of it.",
    Fault.METER_TYPE_UNKNOWN: "{column} must be one of these:{hint}",
    Fault.METER_NUMBER_INVALID: "{column} must be an MPAN (13 digits) or an MPRN"
    " (6 to 10 digits).",
    Fault.UPRN_INVALID: "{column} must be at most 12 digits.",
    Fault.SUPPLIER_UNKNOWN: "{column} is not a supplier we know.{hint} Write 'unknown'"
    " if you do not know it.",
    Fault.EMAIL_INVALID: "{column} is not an e-mail address.",
    Fault.MOBILE_NOT_DIGITS: "{column} has something other than digits. "
    + _NOT_A_MOBILE,
    Fault.MOBILE_TOO_SHORT: "{column} has too few digits. " + _NOT_A_MOBILE,
    Fault.MOBILE_TOO_LONG: "{column} has too many digits. " + _NOT_A_MOBILE,
    Fault.MOBILE_TWO_NUMBERS: "{column} holds more than one number. Keep one.",
    Fault.MOBILE_LANDLINE: "{column} is a landline, which could read the code aloud. "
    + _NOT_A_MOBILE,
    Fault.MOBILE_PERSONAL: "{column} starts with 070, which is not a mobile. "
    + _NOT_A_MOBILE,
    Fault.MOBILE_PAGER: "{column} is a pager number. " + _NOT_A_MOBILE,
    Fault.MOBILE_FOREIGN: "{column} is not a UK number. " + _NOT_A_MOBILE,
    Fault.MOBILE_CROWN_DEPENDENCY: "{column} is a number of Jersey, Guernsey or the"
    " Isle of Man, which the scheme cannot text. " + _NOT_A_MOBILE,
    Fault.MOBILE_INVALID: "{column} is not a mobile number in use. " + _NOT_A_MOBILE,
    Fault.SUPPLY_MISSING: "Say whether the home is off supply now, or how many days"
    " of credit are left.",
    Fault.SUPPLY_CONTRADICTS: "The row says off supply and also that days are left."
    " Keep the one that is true.",
    Fault.NEUTRAL_NEEDS_TOLD: "A neutral text needs a resident who was told what will"
    " come. Tell them first.",
    Fault.NO_CONTACT_ROUTE: "We have no safe way to get a voucher to this person.{hint}"
    " If a text is safe, give their mobile number, with sms_ok or sms_neutral; if none"
    " is, we cannot help through this fund yet.",
    Fault.FAILED_HERE: "We could not process this row. We are looking at it; you need"
    " do nothing.",
}


class Notice(StrEnum):
    """What was taken for granted or repaired in a row that was accepted."""

    HOUSEHOLD_SIZE_BLANK = "household_size_blank"
    MOBILE_ZERO_RESTORED = "mobile_zero_restored"
    DATE_FROM_NUMBER = "date_from_number"
    PREPAY_TAKEN_AS_KEY = "prepay_taken_as_key"
    LANGUAGE_UNKNOWN = "language_unknown"
    REASON_UNKNOWN = "reason_unknown"
    RESIDENT_NOT_TOLD = "resident_not_told"


NOTICES: dict[Notice, str] = {
    Notice.HOUSEHOLD_SIZE_BLANK: "Household size was blank, so we took one person."
    " Correct the row if more people live there.",
    Notice.MOBILE_ZERO_RESTORED: "Excel had dropped the first 0 of the mobile number;"
    " we put it back.",
    Notice.DATE_FROM_NUMBER: "Excel had turned the date of birth into a number; we"
    " turned it back.",
    Notice.PREPAY_TAKEN_AS_KEY: "We took the meter to be a key or card meter. Write"
    " prepay_smart if it is a smart meter.",
    Notice.LANGUAGE_UNKNOWN: "We cannot write in that language; the text will be in"
    " English.",
    Notice.REASON_UNKNOWN: "The reason is not one of the scheme's codes; it was not"
    " kept.",
    Notice.RESIDENT_NOT_TOLD: "Please tell the resident that a text will come.",
}


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing to correct in a row; it never holds the value itself."""

    code: str
    #: The partner's own heading; blank where the whole row is meant.
    column: str = ""
    #: What we know more and may say: choices, a supplier's name, another row's number.
    hint: str = ""
    #: Excel's name of the cell, as "C7".
    cell: str = ""

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands from left to right; what concerns the whole row is first."""
        column = self.cell.rstrip("0123456789")
        return len(column), column

    @property
    def sentence(self) -> str:
        """What the partner reads."""
        return sentence(self.code, column=self.column, hint=self.hint)


def sentence(code: str, *, column: str = "", hint: str = "") -> str:
    """What a housing officer reads for a code."""
    try:
        text = SENTENCES[Fault(code)]
    except ValueError:
        # A rule of the scheme; its sentence came as the hint.
        return hint or code.replace("_", " ")
    told = text.format(column=column or "This row", hint=f" {hint}" if hint else "")
    # Without the choices at hand, as in a count of faults.
    return told.replace("one of these:", _A_WORD) if told.endswith(":") else told
