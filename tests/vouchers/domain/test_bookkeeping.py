"""Books that other programs read: names they accept, cells that do nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.bookkeeping import account_name, pounds, safe_cell
from vouchers.domain.ids import Place


@given(st.text(max_size=30), st.none() | st.text(max_size=30), st.sampled_from(Place))
def test_every_name_is_one_that_beancount_accepts(scheme, gift, place):
    """Each part begins with a capital or digit and holds letters, digits, hyphens."""
    for part in account_name(place, scheme, gift).split(":"):
        assert re.fullmatch(r"[A-Z0-9][A-Za-z0-9-]*", part)


@pytest.mark.parametrize(
    ("pence", "text"),
    [(0, "0.00"), (5, "0.05"), (4900, "49.00"), (-1, "-0.01"), (-123456, "-1234.56")],
)
def test_pounds_have_two_decimals(pence, text):
    """No float comes near money."""
    assert pounds(pence) == text


@pytest.mark.parametrize("start", "=+-@\t")
def test_a_cell_is_never_a_formula(start):
    """A name that begins like a formula is shown, not run."""
    assert safe_cell(f'{start}HYPERLINK("x")').startswith("\"'")
