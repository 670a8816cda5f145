"""The bench of one scheme: judges who asks in order of need, then settles it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from schemas.scheme import Scheme, Supply
from vouchers.domain import caps, prices, routing
from vouchers.domain.allocation import Ask, Decision, Fund, Shelf
from vouchers.domain.caps import Judgement, PastAward
from vouchers.domain.headroom import Ahead, Source
from vouchers.domain.reasons import Reason
from vouchers.errors import RowFailed
from vouchers.pipeline import granting
from vouchers.pipeline.granting import Grant
from vouchers.store import awards, pools, stock
from vouchers.store.awards import Candidate, Waiting
from vouchers.store.schemes import SchemeRow
from vouchers.store.unit_of_work import UnitOfWork

Order = tuple[int, datetime, int]
#: Rows that may be on their way although their file was finished: rulings, appeals.
_STRAY_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Granted:
    """An award is made; without a decision the earlier part was all of it."""

    row: Candidate
    grant: Grant | None


@dataclass(frozen=True, slots=True)
class Declined:
    """No award, for a reason; perhaps from a date on."""

    row: Candidate
    reason: Reason
    next_on: date | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """Entitled, but passed over by a rule, as the supply was at that number."""

    row: Candidate
    rule: Reason
    supply_version: int
    decision: Decision | None = None


Outcome = Granted | Declined | Waits


@contextmanager
def blaming(row: Candidate) -> Iterator[None]:
    """Say on which row our code failed: others are decided with it."""
    try:
        yield
    except SQLAlchemyError:
        raise
    except Exception as error:
        raise RowFailed(row.id, error) from error


@dataclass
class Bench:
    """Everything that one scheme's referrals are judged by in this transaction."""

    uow: UnitOfWork
    scheme: SchemeRow
    rules: Scheme
    today: date
    #: Place in the order of need that nobody behind it may pass.
    barrier: Order | None = None
    #: Place of this work among its partner's: partners take turns.
    turn: int = 0
    #: Who gets no first voucher yet because needier homes are on their way.
    postponed: list[Candidate] = field(default_factory=list)

    def decide(
        self,
        asking: Sequence[Candidate],
        places: Mapping[int, Waiting],
        gifts: Sequence[int],
    ) -> list[Outcome]:
        """Judge all who ask, neediest first; what one gets is gone for the next."""
        histories = self.histories({row.household_id or 0 for row in asking})
        had = awards.of_referrals(self.uow.conn, [row.id for row in asking])
        asks: dict[int, Ask] = {}
        for row in asking:
            with blaming(row):
                ask = self._ask(row, places.get(row.id), had.get(row.id, []))
            if ask is not None:
                asks[row.id] = ask
        fund = self._fund(asking, list(asks.values()), gifts)
        outcomes: list[Outcome] = []
        for row in sorted(asking, key=lambda row: self._order(row, places)):
            past = histories.setdefault(row.household_id or 0, [])
            with blaming(row):
                outcome = self._judge(row, asks.get(row.id), past, had, fund, places)
            outcomes.append(outcome)
            if isinstance(outcome, Granted) and outcome.grant is not None:
                past.append(self._as_past(outcome.grant))
        return outcomes

    def _order(self, row: Candidate, places: Mapping[int, Waiting]) -> Order:
        place = places.get(row.id)
        return place.order if place else (row.need_rank, row.received_at, row.id)

    def _judge(
        self,
        row: Candidate,
        ask: Ask | None,
        past: list[PastAward],
        had: Mapping[int, Sequence[tuple[int, int]]],
        fund: Fund,
        places: Mapping[int, Waiting],
    ) -> Outcome:
        if row.safe_contact not in granting.TEXTED:
            return Declined(row, Reason.NO_CONTACT_ROUTE)
        if ask is None:
            return Declined(row, Reason.NO_NETWORK)
        earlier = had.get(row.id, ())
        judgement = self.caps_of(row, past, sum(ask.plan))
        if judgement.refusal is not None and not earlier:
            return self._refuse(row, judgement, past)
        if not ask.plan:
            return Granted(row, None)
        if judgement.refusal is not None:
            # The first voucher stands; the rest would pass a cap.
            return Granted(row, None)
        version = self.scheme.supply_version
        if self.scheme.state == "paused":
            return Waits(row, Reason.SCHEME_PAUSED, version)
        if self.barrier is not None and self._order(row, places) > self.barrier:
            return Waits(row, Reason.NEEDIER_FIRST, version - 1)
        decision = fund.decide(ask)
        if decision.rule is not None:
            postponed = decision.rule is Reason.NEEDIER_IN_FLIGHT
            return Waits(row, decision.rule, version - postponed, decision)
        return Granted(
            row,
            Grant(
                row=row,
                decision=decision,
                judgement=judgement,
                network=ask.network,
                n=len(earlier),
                rules_version=self.scheme.version,
                turn=self.turn,
            ),
        )

    def caps_of(
        self, row: Candidate, past: Sequence[PastAward], full_pence: int
    ) -> Judgement:
        """Hold one more award against what the household already had."""
        largest = prices.largest_award(self.rules, row.household_size)
        return caps.judge(
            past,
            referral_id=row.id,
            full_pence=full_pence,
            year_pence_max=largest * self.rules.caps.year_awards_worth,
            off_supply=row.off_supply,
            today=self.today,
            caps=self.rules.caps,
        )

    def _refuse(
        self, row: Candidate, judgement: Judgement, past: Sequence[PastAward]
    ) -> Declined:
        reason = judgement.refusal or Reason.ALREADY_SUPPORTED
        elsewhere = any(one.partner_id != row.partner_id for one in past)
        if row.protected and elsewhere:
            # Of a protected person nobody learns that, or when, another helped.
            return Declined(row, Reason.NOT_ELIGIBLE, None, judgement)
        return Declined(row, reason, judgement.next_on, judgement)

    def _ask(
        self,
        row: Candidate,
        place: Waiting | None,
        earlier: Sequence[tuple[int, int]],
    ) -> Ask | None:
        network = row.network or routing.network(
            meter_type=row.meter_type,
            supplier=row.supplier,
            gas_supplier=row.gas_supplier,
            scheme=self.rules,
        )
        if network is None or network not in self.rules.networks:
            return None
        plan = self.plan_of(row, network)
        if not plan:
            return None
        return Ask(
            referral_id=row.id,
            request=row.request,
            rank=place.need_rank if place else row.need_rank,
            received_at=place.since if place else row.received_at,
            off_supply=row.off_supply,
            network=network,
            plan=_left_of(plan, sum(pence for _, pence in earlier)),
            listed=self._listed(network),
            valid_days=self.rules.networks[network].valid_days,
        )

    def plan_of(self, row: Candidate, network: str) -> tuple[int, ...]:
        """Voucher values of a full award for this home today."""
        return prices.plan(
            self.rules,
            network=network,
            household_size=row.household_size,
            day=self.today,
        )

    def _listed(self, network: str) -> tuple[int, ...]:
        return prices.listed_values(self.rules, network)

    def histories(self, households: Collection[int]) -> dict[int, list[PastAward]]:
        """What these households had, as far back as any cap looks."""
        rules = self.rules.caps
        longest = max(rules.awards_window_days, rules.year_days, rules.between_days)
        return awards.histories(
            self.uow.conn,
            households,
            cap_group=self.rules.scheme.cap_group,
            since=self.today - timedelta(days=longest),
        )

    def decide_first(
        self, asking: Sequence[Candidate], gifts: Sequence[int]
    ) -> list[Grant]:
        """One first voucher for each who asks, as far as caps and money allow."""
        histories = self.histories({row.household_id or 0 for row in asking})
        asks = {
            row.id: replace(ask, plan=ask.plan[:1], listed=())
            for row in asking
            if (ask := self._ask(row, None, ()))
        }
        fund = self._fund(asking, list(asks.values()), gifts)
        grants = []
        for row in sorted(asking, key=lambda row: self._order(row, {})):
            ask = asks.get(row.id)
            past = histories.setdefault(row.household_id or 0, [])
            if ask is None or row.safe_contact not in granting.TEXTED:
                continue
            judgement = self.caps_of(row, past, sum(ask.plan))
            if judgement.refusal is not None:
                continue
            decision = fund.decide(ask)
            if decision.parts:
                grant = Grant(
                    row, decision, judgement, ask.network, 0, self.scheme.version
                )
                grants.append(grant)
                past.append(self._as_past(grant))
            elif decision.rule is Reason.NEEDIER_IN_FLIGHT:
                self.postponed.append(row)
        return grants

    def _fund(
        self, asking: Sequence[Candidate], asks: Sequence[Ask], gifts: Sequence[int]
    ) -> Fund:
        sources = pools.sources(self.uow.conn, gifts)
        ahead: list[Ahead] = []
        if not self._plentiful(sources, asks):
            ahead = awards.on_the_way(
                self.uow.conn,
                self.scheme.id,
                without=asking,
                restrictions=[source.restrictions for source in sources],
            )
        return self._make_fund(sources, asks, ahead)

    def _plentiful(self, sources: Sequence[Source], asks: Sequence[Ask]) -> bool:
        """Whether every gift alone could bear everybody, so that nobody is short."""
        if self._stocked() or not sources:
            return False
        open_rows = awards.on_the_way_at_most(self.uow.conn, self.scheme.id)
        people = open_rows + _STRAY_MAX + len(asks)
        most = people * prices.largest_award(self.rules)
        smallest = min(
            (value for name in self.rules.networks for value in self._listed(name)),
            default=0,
        )
        # What is used up down to its rest is no longer drawn on by anybody.
        return all(not smallest <= source.available < most for source in sources)

    def _make_fund(
        self, sources: list[Source], asks: Sequence[Ask], ahead: Sequence[Ahead]
    ) -> Fund:
        rules = self.rules
        return Fund(
            sources,
            today=self.today,
            least_days=rules.validity.least_days,
            least_days_off_supply=rules.validity.least_days_off_supply,
            award_max=prices.largest_award(rules),
            voucher_max=max(
                (value for name in rules.networks for value in self._listed(name)),
                default=0,
            ),
            parts_max=prices.most_vouchers(rules),
            ahead=ahead,
            shelves=self._shelves(asks),
            stocked=self._stocked(),
        )

    def _stocked(self) -> frozenset[str]:
        return frozenset(
            name
            for name, network in self.rules.networks.items()
            if network.supply is Supply.STOCK
        )

    def _shelves(self, asks: Sequence[Ask]) -> dict[tuple[str, int], Shelf]:
        """Lock as many units as could be asked for, of each value that might be."""
        stocked = self._stocked()
        wanted: dict[tuple[str, int], int] = defaultdict(int)
        for ask in asks:
            if ask.network in stocked:
                for value in {*ask.listed, *ask.plan}:
                    wanted[ask.network, value] += max(1, len(ask.plan))
        return stock.shelves(self.uow.conn, self.scheme.id, wanted)

    def _as_past(self, grant: Grant) -> PastAward:
        return PastAward(
            referral_id=grant.row.id,
            granted_on=self.today,
            pence=grant.decision.pence,
            all_redeemed=False,
            partner_id=grant.row.partner_id,
        )


def _left_of(plan: Sequence[int], given_pence: int) -> tuple[int, ...]:
    """What of a plan is still to be given after a first part."""
    left = list(plan)
    while left and given_pence >= left[0]:
        given_pence -= left.pop(0)
    return tuple(left)
