"""Check before asking: would this resident be supported, by the pipeline's own rules.

The question is hashed in memory and forgotten: what stays is a count and an event that
says who asked, when, and which kind of answer they got.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from schemas.row import ResidentRow
from schemas.scheme import Scheme
from vouchers.domain import asking, eligibility, routing
from vouchers.domain.asking import Answer, Answered, Limit, Own, TurnedAway
from vouchers.domain.calendar import local_date
from vouchers.domain.intake.asked import Asked, read_question
from vouchers.domain.matching.features import read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.domain.matching.settlement import Arrival, Outcome
from vouchers.domain.matching.verdicts import Verdict
from vouchers.domain.outcomes import word
from vouchers.domain.roles import Duty, Person
from vouchers.errors import BadFile, NotAllowed, Refused, TooMany
from vouchers.pipeline import deduplicate
from vouchers.pipeline.context import Context
from vouchers.pipeline.judging import Bench
from vouchers.pipeline.row_reading import TEXTED
from vouchers.store import asks, awards, parties, referrals, schemes
from vouchers.store.registry import AnyRow
from vouchers.store.schemes import SchemeRow
from vouchers.store.unit_of_work import UnitOfWork

#: Stands for the row that is not there; no referral has this number.
_NOBODY = -1


def ask(
    ctx: Context,
    person: Person,
    *,
    partner: str | None,
    given: Mapping[str, str],
    door: str,
    scheme: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Answered:
    """Answer one question of a partner about one resident.

    `given` is heading -> text. Raises BadFile for a question that cannot be read,
    Refused where the partner may not ask, TooMany when a limit is used up; what is
    turned away is not counted as asked.
    """
    person.must(Duty.ASK)
    started = time.monotonic()
    now = ctx.clock()
    with ctx.reading() as conn:
        asker = _asker(conn, person, partner)
        fund = schemes.by_slug(conn, scheme) if scheme else schemes.only(conn)
        rules = schemes.active(conn, fund.id)
    today = local_date(now, rules.zone)
    _may_ask(asker, fund, rules, now)
    asked = read_question(given, rules, asker, today=today)
    if not isinstance(asked, Asked):
        raise BadFile("to_correct", " ".join(fault.sentence for fault in asked))
    _count(ctx, person, asker, rules, door)
    with ctx.reading() as conn:
        found = _answer(ctx, conn, asker, fund, rules, asked, now)
    with ctx.begin(actor=person.actor(door), name="check.ask") as uow:
        uow.record("check.asked", asker.id, person=person.id, answer=found.answer.value)
    pause(asking.wait_s(time.monotonic() - started))
    return found


def document_of(found: Answered) -> dict[str, Any]:
    """An answer as programs read it, the same by command and over HTTP."""
    own = found.own
    return {
        "answer": found.answer.value,
        "sentence": found.sentence,
        "next_on": found.next_on.isoformat() if found.next_on else None,
        "own_request": own
        and {
            "reference": own.reference,
            "received_on": own.received_on.isoformat(),
            "row_status": own.word,
        },
    }


def _asker(conn: Connection, person: Person, slug: str | None) -> AnyRow:
    """The partner that asks; a partner's person asks for no other."""
    if slug is None:
        if person.partner_id is None:
            raise Refused("say for which partner you ask")
        return parties.partner_by_id(conn, person.partner_id)
    row = parties.partner_by_slug(conn, slug)
    if person.partner_id not in (None, row.id):
        raise NotAllowed(f"{person.handle} asks for their own organisation only")
    return row


def _may_ask(asker: AnyRow, fund: SchemeRow, rules: Scheme, now: datetime) -> None:
    """Raise Refused where a file of this partner would not be taken either."""
    if asker.state != "active":
        raise Refused("We take no questions from you at present. Ring us.")
    if fund.state != "open":
        raise Refused(f"{rules.scheme.name} is {fund.state}.")
    today = local_date(now, rules.zone)
    for code in eligibility.partner_faults(rules, asker, today=today):
        raise Refused(eligibility.FAULTS[code][1])


# ------------------------------------------------------------------ how often


def _count(
    ctx: Context, person: Person, asker: AnyRow, rules: Scheme, door: str
) -> None:
    """Count the question before it is looked at; TooMany when a limit is used up."""
    limits = rules.asking
    hour, day = asking.HOUR_SLOTS, asking.DAY_SLOTS
    subjects: tuple[tuple[asks.Who, int, tuple[Limit, ...]], ...] = (
        ("partner", asker.id,
         (Limit(limits.partner_hour, hour), Limit(limits.partner_day, day))),
        ("person", person.id,
         (Limit(limits.person_hour, hour), Limit(limits.person_day, day))),
    )  # fmt: skip
    with ctx.begin(actor=person.actor(door), name="check.count") as uow:
        slot = asking.slot_of(uow.now)
        away: dict[asks.Who, TurnedAway] = {}
        for who, number, its in subjects:
            counts = asks.lock(uow.conn, who, number, slot)
            if (wait := asking.turned_away(counts, its, uow.now)) is not None:
                away[who] = wait
        firsts = [
            asks.count(uow.conn, who, number, slot, let_in=not away)
            for who, number, _ in subjects
        ]
        if any(firsts):
            # Once a slot: somebody who hammers must not fill the log.
            uow.record("check.turned_away", asker.id, person=person.id, by=[*away])
        now = uow.now
    if away:
        raise _too_many(away, rules, now)


def _too_many(
    away: Mapping[asks.Who, TurnedAway], rules: Scheme, now: datetime
) -> TooMany:
    who, wait = max(away.items(), key=lambda each: each[1].again_at)
    again = wait.again_at.astimezone(rules.zone)
    whose = "Your organisation has" if who == "partner" else "You have"
    when = f"{again:%H:%M}"
    if again.date() != local_date(now, rules.zone):
        when += f" on {again:%d/%m/%Y}"
    return TooMany(
        f"{whose} asked as often as the scheme allows ({wait.limit.words}). Ask again "
        f"from {when}, or hand the rows in: a file has no such limit.",
        wait.again_at,
    )


# ------------------------------------------------------------------ the answer


def _answer(
    ctx: Context,
    conn: Connection,
    asker: AnyRow,
    fund: SchemeRow,
    rules: Scheme,
    asked: Asked,
    now: datetime,
) -> Answered:
    """Recognise and judge as the steps do; nothing is written."""
    row = asked.row
    if row is None:
        why = " ".join(fault.sentence for fault in asked.not_covered)
        return Answered(Answer.NOT_COVERED, why=why)
    if row.safe_contact not in TEXTED or _is_workers(ctx, conn, asker, row):
        return Answered(
            Answer.NOT_COVERED, why=eligibility.FAULTS["no_contact_route"][1]
        )
    protected = asker.refuge or row.safe_contact != "sms_ok"
    reading = deduplicate.read_opened(
        ctx.keys, _NOBODY, row.pack(), protected=protected
    )
    if not reading.features.born:
        why = "The date of birth only fills the cell: with the true one we can say."
        return Answered(Answer.CANNOT_BE_SAID, why=why)
    arrival = Arrival(_NOBODY, protected, row.separate_household)
    (outcome,) = deduplicate.recognise(conn, ctx.keys, [arrival], [reading], now=now)
    bench = Bench(
        UnitOfWork(conn, now, "check"), fund, rules, local_date(now, rules.zone)
    )
    own = _own(ctx, conn, asker, outcome)
    found = _judged(bench, asker, row, outcome, own)
    if not protected:
        return found
    # Of protected residents nobody learns anything but what they said themselves.
    mine = own is not None and found.answer is Answer.ALREADY_SUPPORTED
    return found if mine else Answered(Answer.CANNOT_BE_SAID, own=own)


def _is_workers(
    ctx: Context, conn: Connection, asker: AnyRow, row: ResidentRow
) -> bool:
    """Whether the mobile is one that the partner listed as a worker's."""
    if not row.mobile:
        return False
    key = ctx.keys.match_key(KeyKind.MOBILE, read_phone(row.mobile))
    return key in referrals.worker_phones(conn, asker.id)


def _judged(
    bench: Bench, asker: AnyRow, row: ResidentRow, outcome: Outcome, own: Own | None
) -> Answered:
    """What caps and open requests make of the resident that was recognised."""
    if outcome.review is not None:
        return Answered(Answer.NEEDS_A_PERSON, own=own)
    network = routing.network(
        meter_type=row.meter_type,
        supplier=row.energy_supplier,
        gas_supplier=row.gas_supplier,
        scheme=bench.rules,
    )
    home = outcome.household_id
    past = bench.histories({home}).get(home, [])
    asking_row = _as_candidate(bench, asker, row, outcome)
    full_pence = sum(bench.plan_of(asking_row, network or ""))
    judgement = bench.caps_of(asking_row, past, full_pence)
    if judgement.refusal is not None:
        elsewhere = any(one.partner_id != asker.id for one in past)
        if asking_row.protected and elsewhere:
            return Answered(Answer.CANNOT_BE_SAID, own=own)
        return Answered(Answer.ALREADY_SUPPORTED, judgement.next_on, own=own)
    if asks.partners_under_way(bench.uow.conn, home):
        return Answered(
            Answer.CANNOT_BE_SAID,
            why="" if own is None else "Your own request is under way.",
            own=own,
        )
    return Answered(Answer.WOULD_BE_SUPPORTED, own=own)


def _as_candidate(
    bench: Bench, asker: AnyRow, row: ResidentRow, outcome: Outcome
) -> awards.Candidate:
    """The row as allocate would see it."""
    return awards.Candidate(
        id=_NOBODY, batch_id=0, partner_id=asker.id, scheme_id=bench.scheme.id,
        state="matched", outcode=row.outcode, region=asker.region,
        meter_type=row.meter_type.value, supplier=row.energy_supplier,
        gas_supplier=row.gas_supplier, network=None, off_supply=row.off_supply,
        need_band=0, need_rank=0, household_size=row.household_size,
        safe_contact=row.safe_contact.value, protected=outcome.arrival.protected,
        language=row.language, received_at=bench.uow.now,
        resident_id=outcome.resident_id, household_id=outcome.household_id,
        judged=None, reason=None,
    )  # fmt: skip


def _own(ctx: Context, conn: Connection, asker: AnyRow, outcome: Outcome) -> Own | None:
    """The partner's own latest request for exactly this resident."""
    if outcome.verdict is not Verdict.MATCH:
        return None
    found: Any = asks.own_request(conn, asker.id, outcome.resident_id)
    if found is None:
        return None
    packed = ctx.keys.open("referral.row_sealed", found.id, found.row_sealed)
    return Own(
        reference=str(json.loads(packed)["reference"]),
        received_on=found.received_on,
        word=word(state=found.state).value,
    )
