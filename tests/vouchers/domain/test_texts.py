"""Proves what residents read, and that its cost is known before it is sent."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.texts import (
    GSM7,
    GSM7_EXTENSION,
    TEMPLATES,
    Coded,
    Wording,
    faults_of,
    grouped,
    has_link,
    pounds,
    render,
    sanitise,
    segments,
    words_for,
)

BASIC = sorted(GSM7)
WIDE = st.text(alphabet=st.sampled_from([*BASIC, *sorted(GSM7_EXTENSION)]))


def wording(template: str = "award", **changes: object) -> Wording:
    """The wording of an ordinary award, with changes."""
    usual = {
        "template": template,
        "language": "en",
        "sender": "FuelFund",
        "partner": "Elm Homes",
        "shop": "any PayPoint shop",
        "bring": "your gas card, key or smart card",
        "until": date(2026, 12, 14),
    }
    return Wording(**{**usual, **changes})


def test_an_award_says_all_a_resident_needs() -> None:
    """Sender, partner, that it is free, code, shop, last day, what to bring."""
    text = render(wording(), [Coded("6337123456789012345", 4900)])

    assert text == (
        "FuelFund: a free £49 energy voucher, arranged by Elm Homes. Code 6337 1234 "
        "5678 9012 345. Use it at any PayPoint shop by 14 Dec 2026. Bring your gas "
        "card, key or smart card. Keep the receipt."
    )


def test_two_codes_are_counted_and_totalled() -> None:
    """Each code says which of how many it is, and the text says the total."""
    text = render(wording(), [Coded("1111222233334444", 4900)] * 2)

    assert "£98 in total" in text
    assert "1 of 2 (£49): 1111 2222 3333 4444, 2 of 2 (£49): 1111" in text


def test_a_neutral_text_names_nobody() -> None:
    """Neither the fund nor the partner nor the word voucher is in it."""
    text = render(wording("neutral"), [Coded("1111222233334444", 4900)])

    for word in ("FuelFund", "Elm", "voucher", "energy", "£"):
        assert word not in text
    assert "1111 2222 3333 4444" in text and "14 Dec 2026" in text


@pytest.mark.parametrize("language", ["en", "en-GB", "cy", "pl", "../../secret", ""])
def test_every_language_falls_back_to_english(language: str) -> None:
    """A language without wordings gets English, never an error."""
    assert words_for(language, "award") == words_for("en", "award")


def test_every_wording_keeps_the_rules() -> None:
    """No link, no bank words, only known fields, GSM-7 letters only."""
    assert faults_of(words_for("en", "award")) == []


@pytest.mark.parametrize(
    "shape",
    [
        "{codes} {shop} {until} see www.fuel.org",
        "{codes} {shop} {until} your bank account",
        "{codes} {shop} {until} {given_name}",
        "{codes} only",
        "{codes} {shop} {until} ŵ",
    ],
)
def test_a_wording_that_breaks_a_rule_is_named(shape: str) -> None:
    """Each fault of a language file is found."""
    words = dict(words_for("en", "award")) | {"award": {"one": shape, "many": shape}}

    assert any(fault.startswith("award.one") for fault in faults_of(words))


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_wording_of_one_code_takes_two_parts_at_most(template: str) -> None:
    """The usual text stays affordable: a change that costs a part more is seen here."""
    text = render(wording(template), [Coded("6337123456789012345", 4900)])

    assert segments(text) <= 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # The pair would be cut by the end of the first part, so it moves on.
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ŵ" + "a" * 69, 1),
        ("ŵ" + "a" * 70, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 66 + "😀" + "a" * 66, 3),
    ],
)
def test_parts_are_counted_as_networks_do(text: str, parts: int) -> None:
    """Borders of GSM-7 and UCS-2, escapes and surrogates uncut."""
    assert segments(text) == parts


@given(WIDE)
def test_parts_lie_between_the_two_simple_counts(text: str) -> None:
    """Strict packing wastes at most one place a part."""
    places = sum(2 if letter in GSM7_EXTENSION else 1 for letter in text)
    least = 1 if places <= 160 else -(-places // 153)
    most = 1 if places <= 160 else -(-places // 152)

    assert least <= segments(text) <= most


@given(st.text(), st.text(max_size=5))
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    """Adding letters cannot make a text cheaper."""
    assert segments(text + more) >= segments(text)


@given(st.text())
def test_sanitising_settles_at_once(text: str) -> None:
    """Doing it twice changes nothing more."""
    assert sanitise(sanitise(text)) == sanitise(text)


@given(st.text())
def test_sanitising_never_makes_a_text_leave_gsm7(text: str) -> None:
    """Whatever was GSM-7 stays so."""
    if all(letter in GSM7 or letter in GSM7_EXTENSION for letter in text):
        clean = sanitise(text)
        assert all(letter in GSM7 or letter in GSM7_EXTENSION for letter in clean)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Tŷ Cymru’s", "Ty Cymru's"),
        ("“A”–B…", '"A"-B...'),
        ("a\u200bb\u00a0c", "ab c"),
        ("Łódź", "Lodz"),
        ("É£", "É£"),
        ("Дом", "Дом"),
    ],
)
def test_look_alikes_become_plain_letters(before: str, after: str) -> None:
    """One curly quote must not double the price; other scripts stay readable."""
    assert sanitise(before) == after


@given(st.text(alphabet="0123456789", min_size=1, max_size=32))
def test_grouping_keeps_every_digit(code: str) -> None:
    """Fours, in order, nothing lost."""
    assert grouped(code).replace(" ", "") == code
    assert all(len(part) <= 4 for part in grouped(code).split(" "))


@pytest.mark.parametrize(
    ("pence", "said"), [(4900, "£49"), (4950, "£49.50"), (5, "£0.05"), (0, "£0")]
)
def test_amounts_are_said_as_people_say_them(pence: int, said: str) -> None:
    """Whole pounds without pence."""
    assert pounds(pence) == said


@pytest.mark.parametrize("text", ["https://a", "www.x", "elm.org", "fund.org.uk"])
def test_links_are_recognised(text: str) -> None:
    """What a phone would turn into a link."""
    assert has_link(f"see {text} now")


def test_a_repr_shows_no_code() -> None:
    """A traceback must not hold the secret."""
    assert "6337" not in repr(Coded("6337", 4900))


def test_a_text_without_codes_is_refused() -> None:
    """Nothing to say, nothing to send."""
    with pytest.raises(ValueError, match="without a code"):
        render(wording(), [])
