"""What a person would not notice changes nothing: case, spaces, accents, titles."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vouchers.domain.matching.hard_cases import Case, Row, cases, judge
from vouchers.domain.matching.features import read_features

NAMES = ("given_name", "family_name")
WORDS = (*NAMES, "address_line_1")
_ACCENTS = str.maketrans("aeionscy", "áéíöñšçý")


def _with(row: Row, names: tuple[str, ...], change: Callable[[str], str]) -> Row:
    """The row with some of its filled fields changed."""
    return {k: change(v) if k in names and v else v for k, v in row.items()}


DISGUISES: dict[str, Callable[[Row], Row]] = {
    "capitals": lambda row: _with(row, WORDS, str.upper),
    "small letters": lambda row: _with(row, WORDS, str.lower),
    "spaces": lambda row: _with(row, WORDS, lambda v: f"  {v.replace(' ', '   ')} "),
    "non-breaking spaces": lambda row: _with(
        row, NAMES, lambda v: v.replace(" ", "\u00a0")
    ),
    "accents": lambda row: _with(row, NAMES, lambda v: v.translate(_ACCENTS)),
    "accents apart": lambda row: _with(
        row, NAMES, lambda v: unicodedata.normalize("NFD", v)
    ),
    "title in front": lambda row: _with(row, ("given_name",), lambda v: f"Mrs. {v}"),
    "title behind": lambda row: _with(row, ("family_name",), lambda v: f"{v} (Mr)"),
    "full stop": lambda row: _with(row, ("address_line_1",), lambda v: f"{v}."),
    "commas": lambda row: _with(
        row, ("address_line_1",), lambda v: v.replace(" ", ", ", 1)
    ),
    "postcode packed": lambda row: _with(
        row, ("postcode",), lambda v: v.replace(" ", "").lower()
    ),
    "phone at home": lambda row: _with(
        row, ("mobile",), lambda v: f"0{v[3:7]} {v[7:10]} {v[10:]}"
    ),
    "phone from abroad": lambda row: _with(row, ("mobile",), lambda v: f"00{v[1:]}"),
    "phone both ways": lambda row: _with(
        row, ("mobile",), lambda v: f"+44 (0) {v[3:]}"
    ),
    "phone as a number": lambda row: _with(row, ("mobile",), lambda v: v[3:]),
    "e-mail in capitals": lambda row: _with(row, ("email",), str.upper),
}


#: A phone is written one way at a time.
PHONES = sorted(name for name in DISGUISES if name.startswith("phone"))
OTHERS = sorted(set(DISGUISES) - set(PHONES))


@given(
    st.sampled_from(cases()),
    st.sets(st.sampled_from(OTHERS), max_size=3),
    st.sampled_from(PHONES),
)
@settings(max_examples=300, deadline=None)
def test_a_disguise_changes_no_verdict(case: Case, worn: set[str], phone: str) -> None:
    """Any case of the table, its second row written in other ways: the same verdict."""
    row = case.b
    for name in (*sorted(worn), phone):
        row = DISGUISES[name](row)
    assert judge(case._replace(b=row))[:2] == judge(case)[:2]


@given(st.sampled_from(cases()), st.sampled_from(sorted(DISGUISES)))
@settings(max_examples=200, deadline=None)
def test_most_disguises_are_not_even_read(case: Case, name: str) -> None:
    """Whoever wears it has the same phone, postcode, birth date and number."""
    plain, worn = read_features(case.a), read_features(DISGUISES[name](case.a))
    assert worn._replace(given="", others="", surname="", rest="", suffix="") == (
        plain._replace(given="", others="", surname="", rest="", suffix="")
    )
