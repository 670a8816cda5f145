"""Allocation keeps its promises for every fund and crowd that can be thought of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers.domain.allocation import Ask, Decision, Fund, Shelf, draw_order
from vouchers.domain.headroom import Ahead, Source
from vouchers.domain.need import rank_in
from vouchers.domain.reasons import Reason
from vouchers.domain.restrictions import Request, Restrictions
from vouchers.domain.told import sentence

TODAY = date(2026, 12, 7)
NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
REGIONS = ("north", "south")
#: network -> household plan, and every value its list names.
PLANS = {
    "paypoint": [(2_800, 2_800), (4_900, 4_900)],
    "post_office": [(5_600,), (9_800,)],
}
LISTED = {"paypoint": (4_900, 2_800), "post_office": (9_800, 5_600, 4_900, 2_800)}

sources = st.builds(
    Source,
    id=st.integers(1, 10**6),
    pool_id=st.just(1),
    available=st.integers(0, 30_000),
    restrictions=st.builds(
        Restrictions,
        regions=st.sampled_from([frozenset(), frozenset({"north"})]),
        need_bands=st.sampled_from([frozenset(), frozenset({1, 2})]),
    ),
    ends_on=st.sampled_from(
        [None, *(TODAY + timedelta(days=n) for n in (5, 10, 20, 90))]
    ),
    priority=st.integers(0, 1),
)


def request_of(region: str | None = "north", band: int = 5) -> Request:
    """What gifts are asked about for a home in a region and band."""
    return Request(region, "LS1", 1, "prepay_key", band)


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """A home that asks for a whole award."""
    band = draw(st.integers(1, 8))
    network = draw(st.sampled_from(sorted(PLANS)))
    return Ask(
        referral_id=draw(st.integers(1, 10**9)),
        request=request_of(draw(st.sampled_from(REGIONS)), band),
        rank=rank_in(band),
        received_at=NOON + timedelta(minutes=draw(st.integers(0, 60))),
        off_supply=band <= 2,
        network=network,
        plan=draw(st.sampled_from(PLANS[network])),
        listed=LISTED[network],
        valid_days=30,
    )


def fund_of(some: list[Source], **more: object) -> Fund:
    """A fund of these sources under the default rules."""
    return Fund(
        some,
        today=TODAY,
        least_days=14,
        least_days_off_supply=7,
        award_max=9_800,
        voucher_max=9_800,
        parts_max=2,
        **more,  # type: ignore[arg-type]
    )


def ask_of(number: int = 1, band: int = 5, **more: object) -> Ask:
    """One family on PayPoint in the north."""
    values: dict[str, object] = {
        "referral_id": number,
        "request": request_of(band=band),
        "rank": rank_in(band),
        "received_at": NOON,
        "off_supply": band <= 2,
        "network": "paypoint",
        "plan": (4_900, 4_900),
        "listed": LISTED["paypoint"],
        "valid_days": 30,
    }
    return Ask(**{**values, **more})  # type: ignore[arg-type]


crowds = st.lists(asks(), max_size=12, unique_by=lambda ask: ask.referral_id)
purses = st.lists(sources, max_size=5, unique_by=lambda source: source.id)


def decide_all(fund: Fund, crowd: list[Ask]) -> list[tuple[Ask, Decision]]:
    """Everybody in order of need."""
    return [(ask, fund.decide(ask)) for ask in sorted(crowd, key=lambda ask: ask.order)]


@given(purses, crowds)
def test_every_penny_is_accounted_for_and_no_gift_is_overdrawn(
    purse: list[Source], crowd: list[Ask]
) -> None:
    """What was there is what was granted plus what is left, gift by gift."""
    before = {source.id: source.available for source in purse}
    decisions = decide_all(fund_of(purse), crowd)
    for source in purse:
        spent = sum(
            part.pence
            for _, one in decisions
            for part in one.parts
            if part.source_id == source.id
        )
        assert source.available >= 0
        assert before[source.id] == source.available + spent


@given(purses, crowds)
def test_a_decision_grants_or_names_a_rule_and_never_both(
    purse: list[Source], crowd: list[Ask]
) -> None:
    """No award passes its plan; every part respects the gift's limits and dates."""
    by_id = {source.id: source for source in purse}
    for ask, one in decide_all(fund_of(purse), crowd):
        assert bool(one.parts) != bool(one.rule)
        assert one.pence <= one.full_pence == sum(ask.plan)
        assert len(one.parts) <= 4
        for part in one.parts:
            source = by_id[part.source_id]
            assert source.restrictions.covers(ask.request)
            assert part.pence in ask.listed
            least = 7 if ask.off_supply else 14
            assert TODAY + timedelta(days=least) <= part.expires_on
            assert source.ends_on is None or part.expires_on <= source.ends_on
            assert part.expires_on <= TODAY + timedelta(days=30)


@given(purses, crowds)
def test_who_is_passed_could_not_have_been_given_anything(
    purse: list[Source], crowd: list[Ask]
) -> None:
    """After a refusal no gift open to that home can pay its smallest voucher (P10)."""
    fund = fund_of(purse)
    for ask in sorted(crowd, key=lambda ask: ask.order):
        if fund.decide(ask).rule is None:
            continue
        least = 7 if ask.off_supply else 14
        for source in purse:
            open_to = source.restrictions.covers(ask.request) and (
                source.ends_on is None
                or source.ends_on >= TODAY + timedelta(days=least)
            )
            assert not open_to or source.available < min(ask.listed)


@settings(max_examples=60)
@given(purses, crowds, st.data())
def test_parallel_chunks_never_leave_a_needier_home_worse_off(
    purse: list[Source], crowd: list[Ask], data: st.DataObject
) -> None:
    """A chunk that knows who is on the way takes nothing that these could have had."""
    ours = [ask for ask in crowd if data.draw(st.booleans())]
    theirs = [ask for ask in crowd if ask not in ours]
    ahead = [Ahead(ask.rank, ask.request, ask.network, 1) for ask in theirs]
    copies = [
        Source(s.id, s.pool_id, s.available, s.restrictions, None, s.ends_on)
        for s in purse
    ]
    ours_first = fund_of(copies, ahead=ahead)
    taken = {ask.referral_id: one for ask, one in decide_all(ours_first, ours)}
    served = [ask for ask in ours if taken[ask.referral_id].parts]
    if not served:
        return
    # Now the others come: nobody needier than one we served may find too little.
    weakest = max(ask.rank for ask in served)
    needier = [ask for ask in theirs if ask.rank < weakest]
    alone = fund_of(
        [
            Source(s.id, s.pool_id, s.available, s.restrictions, None, s.ends_on)
            for s in purse
        ]
    )
    best = {ask.referral_id: one.pence for ask, one in decide_all(alone, needier)}
    for ask, one in decide_all(fund_of(copies), needier):
        if best[ask.referral_id] and not any(
            other.rank <= ask.rank for other in served
        ):
            assert one.pence > 0


@given(st.integers(0, 200_000), st.integers(0, 20), st.integers(0, 20))
def test_headroom_is_kept_for_each_needier_home_on_its_way(
    pence: int, needier: int, calmer: int
) -> None:
    """A grant leaves a whole award for each needier home; calmer ones do not matter."""
    ahead = [
        Ahead(rank_in(1), request_of(), "paypoint", needier),
        Ahead(rank_in(8), request_of(), "paypoint", calmer),
    ]
    source = Source(1, 1, pence)
    one = fund_of([source], ahead=ahead).decide(ask_of(band=5))
    if one.parts and needier:
        assert source.available >= needier * 9_800
    if one.rule is Reason.NEEDIER_IN_FLIGHT:
        assert needier and source.available == pence


@given(st.lists(st.integers(-10, 60), max_size=8), st.booleans())
def test_stock_units_are_given_once_and_never_too_short_lived(
    days: list[int], off_supply: bool
) -> None:
    """Units that end too soon are skipped; each unit is bound to one voucher."""
    units = sorted((TODAY + timedelta(days=n), 100 + i) for i, n in enumerate(days))
    fund = fund_of(
        [Source(1, 1, 1_000_000)],
        shelves={("paypoint", 4_900): Shelf(list(units))},
        stocked=frozenset({"paypoint"}),
    )
    band = 1 if off_supply else 5
    given_units = []
    for number in range(6):
        one = fund.decide(ask_of(number, band=band))
        given_units += [(part.unit_id, part.expires_on) for part in one.parts]
        if not one.parts:
            assert one.rule is Reason.NO_STOCK
    assert len({unit for unit, _ in given_units}) == len(given_units)
    least = TODAY + timedelta(days=7 if off_supply else 14)
    lasts = {unit: last for last, unit in units}
    assert all(least <= ends <= lasts[unit] for unit, ends in given_units)
    usable = sum(last >= least for last, _ in units)
    assert len(given_units) == min(usable, 12)


def test_the_tightest_and_earliest_ending_gift_is_drawn_on_first() -> None:
    """Unrestricted money can help anyone later, so it goes last."""
    wide = Source(1, 1, 1)
    ending = Source(2, 1, 1, ends_on=TODAY + timedelta(days=30))
    two_regions = Source(3, 1, 1, Restrictions(regions=frozenset(REGIONS)))
    one_region = Source(4, 1, 1, Restrictions(regions=frozenset({"north"})))
    owner_says = Source(5, 1, 1, priority=-1)
    order = draw_order([wide, ending, two_regions, one_region, owner_says])
    assert [source.id for source in order] == [5, 4, 3, 2, 1]


def test_of_a_short_purse_the_part_that_is_payable_is_given() -> None:
    """With 84 pounds in two gifts, one large voucher becomes two smaller ones."""
    fund = fund_of([Source(1, 1, 5_600), Source(2, 1, 5_000)])
    one = fund.decide(
        ask_of(network="post_office", plan=(9_800,), listed=LISTED["post_office"])
    )
    assert [part.pence for part in one.parts] == [5_600, 2_800]
    assert (one.pence, one.full_pence) == (8_400, 9_800)


def test_an_explanation_is_one_sentence() -> None:
    """It names where the money came from and why other gifts were passed."""
    fund = fund_of(
        [
            Source(7, 1, 9_800),
            Source(8, 1, 9_800, Restrictions(regions=frozenset({"south"}))),
        ]
    )
    told = sentence(fund.decide(ask_of()).judged(), {7: "Winter gift", 8: "South"})
    assert told == (
        "Granted £98.00 from Winter gift; South is for other areas or groups."
    )


def test_a_residue_under_the_smallest_voucher_is_told() -> None:
    """What can pay for no voucher is shown, so that it can be returned."""
    fund = fund_of([Source(1, 1, 2_700), Source(2, 1, 2_800), Source(3, 1, 0)])
    assert fund.unspendable({1: 2_800, 2: 2_800, 3: 2_800}) == {1: 2_700}
