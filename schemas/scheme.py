"""The scheme file: all rules of a fund in one readable TOML, refused whole if wrong."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)

from schemas.asking import Asking
from schemas.feed import FeedProfile
from schemas.row import MeterType
from schemas.texting import Texting

#: A name that other parts of the file refer to.
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Pence = Annotated[int, Field(gt=0, le=1_000_000)]
Days = Annotated[int, Field(ge=0, le=3_660)]
#: A part of a whole, above 0 and at most 1.
Share = Annotated[float, Field(gt=0, le=1)]
Month = Annotated[int, Field(ge=1, le=12)]


class Section(BaseModel):
    """What all parts of the file share: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"no time zone is called {name!r}") from None
    return name


class About(Section):
    """What the fund is called and when it is open."""

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    #: Scheme dates, hours and windows are local to this zone.
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    opens_on: date
    closes_on: date
    #: Schemes with the same word share their households' caps.
    cap_group: Slug
    #: Days on which no bulk text goes out.
    holidays: tuple[date, ...] = ()
    #: A partner's first live file comes after one dry run that went well.
    dry_run_first: bool = True


class Eligibility(Section):
    """Whose homes the fund helps."""

    meters: Annotated[tuple[MeterType, ...], Field(min_length=1)]
    #: Prepay: off supply, or the credit lasts at most so many days.
    prepay_days_left_max: Days = 5
    #: The others: bill due, disconnection or an empty tank within so many days.
    other_days_left_max: Days = 5
    #: The worker must say that the resident was told.
    resident_told: bool = True
    household_size_max: Annotated[int, Field(ge=1, le=99)] = 20


class Need(Section):
    """Who goes first."""

    #: At most so many days left: bands 3 and 4, then bands 5 and 6.
    soon_days: Days = 1
    later_days: Days = 3
    #: One band up after so many days of waiting, never into off supply.
    up_after_days: Annotated[int, Field(ge=1)] = 5


class Prices(Section):
    """The values of an award's vouchers from a date on, in some months."""

    name: Slug
    effective_from: date
    months: Annotated[tuple[Month, ...], Field(min_length=1)] = tuple(range(1, 13))
    #: network -> household class -> voucher values in pence.
    pence: Annotated[
        dict[
            Slug,
            dict[
                Slug,
                Annotated[tuple[Pence, ...], Field(min_length=1)],
            ],
        ],
        Field(min_length=1),
    ]


def plain_name(text: str) -> str:
    """Lower case without blanks and signs: "E.ON Next" and "eon-next" are one name."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


class Supplier(Section):
    """An energy supplier, the names people give it, and where its customers redeem."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    network: Slug
    aliases: tuple[str, ...] = ()


class Routing(Section):
    """Which network's voucher works for whom."""

    #: For homes that do not prepay: a network that pays cash out.
    no_prepay: Slug
    #: For `unknown` suppliers: a network that any supplier's customers can use.
    unknown: Slug
    suppliers: Annotated[dict[Slug, Supplier], Field(min_length=1)]

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Every accepted spelling in plain form, with the slug it stands for."""
        return {
            plain_name(spelling): slug
            for slug, found in self.suppliers.items()
            for spelling in (slug, found.name, *found.aliases)
        }


class Supply(StrEnum):
    """Where a network's codes come from."""

    STOCK = "stock"  #: bought and imported
    MINT = "mint"  #: made here, announced in an activation file
    ORDER = "order"  #: one call to the issuer, one code back
    ORDER_FILE = "order_file"  #: a file to an issuer that texts the resident


class CheckDigit(StrEnum):
    """How the end of a code proves the rest."""

    NONE = "none"  #: it does not
    LUHN = "luhn"  #: one digit, as on payment cards
    MOD97 = "mod97"  #: two digits, as in bank account numbers


class Alphabet(StrEnum):
    """Of what a code consists."""

    DIGITS = "digits"  #: typed at a till
    SYMBOLS = "symbols"  #: 32 letters and digits that nobody confuses


class DeliveredBy(StrEnum):
    """Who hands the code to the resident."""

    US = "us"  #: our text
    ISSUER = "issuer"  #: the issuer's text; we never hold the code


class Feed(StrEnum):
    """How we learn what was used."""

    DAILY_FILE = "daily_file"  #: a file of redemptions every day
    NONE = "none"  #: never: an expired voucher's money waits for the lag only


class Network(Section):
    """Where codes are redeemed, what its codes look like, and what it can do."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    supply: Supply
    #: Length of a code, check digits included.
    code_length: Annotated[int, Field(ge=8, le=32)] = 16
    alphabet: Alphabet = Alphabet.DIGITS
    check: CheckDigit = CheckDigit.LUHN
    #: What every code of this network begins with.
    prefix: Annotated[str, Field(pattern=r"^[0-9A-Z]{0,8}$")] = ""
    least_pence: Pence
    most_pence: Pence
    #: Days that a code can be used, counted from the award.
    valid_days: Annotated[int, Field(ge=1, le=366)] = 30
    #: Can a code be made void, its life be extended, its use be looked up?
    void: bool = False
    extend: bool = False
    lookup: bool = False
    partial_use: bool = False
    delivered_by: DeliveredBy = DeliveredBy.US
    #: The codes of one award may stand in one text.
    several_codes_in_one_text: bool = True
    feed: Feed = Feed.DAILY_FILE
    #: A feed older than this holds reminders and raises an alert.
    feed_late_hours: Annotated[int, Field(ge=1)] = 26
    #: How the network's file calls its columns and types.
    feed_file: FeedProfile = FeedProfile()
    #: Days after expiry until unused money is released without the feed's word.
    settlement_lag_days: Days = 7
    #: Calls a minute that the issuer allows; of no effect for stock and mint.
    calls_per_minute: Annotated[int, Field(ge=1)] = 60
    #: For the text: where to go, and what to bring.
    shop: Annotated[str, Field(min_length=1, max_length=60)]
    bring: Annotated[str, Field(min_length=1, max_length=60)]


class Caps(Section):
    """How much one household may have."""

    awards_max: Annotated[int, Field(ge=1)] = 3
    awards_window_days: Annotated[int, Field(ge=1)] = 183
    #: Money of so many full awards in a year.
    year_awards_worth: Annotated[int, Field(ge=1)] = 6
    year_days: Annotated[int, Field(ge=1)] = 365
    #: Inside these a referral joins the earlier award.
    between_days: Days = 14


class Validity(Section):
    """How long a voucher must be usable for it to be worth sending."""

    least_days: Days = 14
    least_days_off_supply: Days = 7


class ReviewTimeout(StrEnum):
    """What happens to an urgent review that nobody has ruled on in time."""

    HOLD = "hold"  #: it goes on waiting, and is escalated
    AWARD_ONCE = "award_once"  #: one first voucher is sent


class NoContactRoute(StrEnum):
    """What happens to a row that no enabled channel can deliver to."""

    REFUSE = "refuse"  #: a row error at accept


class Safety(Section):
    """Rules that protect people."""

    review_timeout: ReviewTimeout = ReviewTimeout.HOLD
    review_target_hours: Annotated[int, Field(ge=1)] = 24
    no_contact_route: NoContactRoute = Field(default=NoContactRoute.REFUSE)
    #: One first voucher for an off-supply row in review, once in so many days.
    first_voucher_days: Annotated[int, Field(ge=1)] = 14


class Breaker(Section):
    """When a file that looks wrong as a whole waits for a person."""

    #: Files with fewer rows never stop.
    rows_min: Annotated[int, Field(ge=2)] = 100
    #: Rows that another row or another partner brought before, of those looked at.
    repeats_share: Share = 0.5
    #: One phone, e-mail, meter, birth date, or home that is not listed as communal.
    same_value_share: Share = 0.3
    #: The same, whatever the size of the file; does not count for birth dates.
    same_value_rows: Annotated[int, Field(ge=2)] = 300
    #: Birth dates that are blank or only fill the cell.
    no_birth_share: Share = 0.5
    #: Rows that have to be corrected.
    errors_share: Share = 0.5
    #: So many times the rows of the largest of the partner's latest files,
    rows_factor: Annotated[float, Field(gt=1)] = 5.0
    #: once there were so many files.
    usual_files_min: Annotated[int, Field(ge=1, le=20)] = 3


class Money(Section):
    """How gifts are taken in."""

    #: Gifts above this need a second person.
    gift_second_person_above_pence: Annotated[int, Field(ge=0)] = 10_000_000
    #: Money may be spent once `received` (the safe way) or already once `confirmed`.
    spend_confirmed: bool = False


class Reminders(Section):
    """When people with unused codes hear from us again."""

    days_after_delivery: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(3, 14)
    )
    days_before_expiry: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(7, 2))
    at_most: Annotated[int, Field(ge=0, le=7)] = 4


class Scheme(Section):
    """All rules of one fund."""

    scheme: About
    eligibility: Eligibility
    need: Need = Need()
    #: Household class -> number of people from which it applies.
    household_classes: Annotated[
        dict[Slug, Annotated[int, Field(ge=1)]], Field(min_length=1)
    ]
    prices: Annotated[tuple[Prices, ...], Field(min_length=1)]
    routing: Routing
    networks: Annotated[dict[Slug, Network], Field(min_length=1)]
    caps: Caps = Caps()
    validity: Validity = Validity()
    safety: Safety = Safety()
    breaker: Breaker = Breaker()
    money: Money = Money()
    messages: Texting = Texting()
    asking: Asking = Asking()
    reminders: Reminders = Reminders()

    @cached_property
    def zone(self) -> ZoneInfo:
        """The scheme's time zone."""
        return ZoneInfo(self.scheme.time_zone)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a scheme file; ValueError has one line for each fault of its form."""
        try:
            # Through JSON, where strict still reads lists as tuples, words as enums.
            tables = json.dumps(tomllib.loads(text), default=str)
            return cls.model_validate_json(tables)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"not a TOML file: {error}") from None
        except ValidationError as error:
            raise ValueError("\n".join(form_faults(error))) from None


def form_faults(error: ValidationError) -> list[str]:
    """Each fault as "where: what", in the words of the file."""
    return [
        f"{'.'.join(str(part) for part in fault['loc'])}: "
        f"{fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()
    ]
