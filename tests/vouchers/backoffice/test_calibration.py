"""Rulings of real reviews become thresholds, or the reason why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.partner_files import open_house
from tests.referrals import person, receive
from vouchers.backoffice import calibration, reviews
from vouchers.domain.matching.model import parse_model
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, Refused
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import model_in_use
from vouchers.store.bulk import insert_rows
from vouchers.store.tables.identity import review
from vouchers.store.tables.proof import audit_event

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
WES = Person(2, "wes", frozenset({Role.PARTNER}), partner_id=1)
RATES = {"false_match_rate": 0.05, "missed_match_rate": 0.05}


def reviewed(ctx: Context, *pairs: tuple[float, str], **more: Any) -> None:
    """Decided reviews, each with one candidate of that score and that ruling."""
    with ctx.begin() as uow:
        taken = len(uow.conn.execute(select(review.c.id)).all())
        rows = [
            {
                "id": taken + n, "scheme_id": 1, "kind": "person", "state": "decided",
                "protected": False, "need_rank": 1,
                "candidates": [
                    {"resident_id": "7", "person": score, "household": 0.0,
                     "guards": more.get("guards", 0), "parts": []}
                ],
                "model": model_in_use.model().version, "opened_at": uow.now,
                "decided_at": uow.now, "ruling": ruling, "same_as": 7,
                **{k: v for k, v in more.items() if k != "guards"},
            }
            for n, (score, ruling) in enumerate(pairs, start=1)
        ]  # fmt: skip
        insert_rows(uow.conn, review, rows)


def calibrated(ctx: Context, **more: Any) -> calibration.Report:
    """Amy asks."""
    return calibration.calibrate(ctx, AMY, door="test", **{**RATES, **more})


def test_clear_rulings_write_a_new_file_and_leave_the_old_one(
    ctx: Context, tmp_path: Path
) -> None:
    """Version, thresholds and notes are new; the log says what was proposed."""
    reviewed(ctx, *[(0.8 + n / 1000, "same_person") for n in range(100)])
    reviewed(ctx, *[(0.06 + n / 1000, "different") for n in range(100)])
    report = calibrated(ctx, out=tmp_path)
    assert report.rulings == 200
    assert report.file is not None and report.version is not None
    model = parse_model(report.file.read_text(encoding="utf-8"))
    shipped = model_in_use.model()
    assert model.version == report.version != shipped.version
    assert (model.match, model.review) == (0.8, 0.16)
    assert model.levels == shipped.levels
    assert "match 0.95 -> 0.8: 0 of 100 rulings wrong" in report.file.read_text("utf-8")
    with ctx.reading() as conn:
        body = conn.scalar(
            select(audit_event.c.body).where(
                audit_event.c.kind == "matching.calibrated"
            )
        )
    assert json.loads(body or "")["moved"] == ["match 0.95 0.8", "review 0.05 0.16"]
    with pytest.raises(Refused, match="is there already"):
        calibrated(ctx, out=report.file)


def test_a_ruling_of_the_review_desk_counts(ctx: Context) -> None:
    """Hannah is Sarah's twin: one ruling, on a pair that a warning had sent."""
    open_house(ctx)
    for name in ("Sarah", "Hannah"):
        (number,) = receive(ctx, person(given_name=name))
        carry_all(ctx, ["deduplicate"])
    (done,) = reviews.decide(
        ctx, AMY, [number], Ruling.SAME_HOUSEHOLD,
        reason=RulingReason.RELATIVES, door="test",
    )  # fmt: skip
    assert done.done
    report = calibrated(ctx)
    assert (report.rulings, report.guarded) == (1, 1)


def test_too_few_rulings_say_how_many_are_needed(ctx: Context, tmp_path: Path) -> None:
    """Nothing is written, whatever was asked."""
    reviewed(ctx, (0.9, "same_person"), (0.5, "different"))
    report = calibrated(ctx, false_match_rate=0.002, out=tmp_path)
    assert report.refused is not None
    assert "1,497 under the match threshold for 0.20%" in report.refused
    assert not report.moved
    assert list(tmp_path.glob("*.toml")) == []


def test_what_says_nothing_about_the_model_in_use_is_left_out(ctx: Context) -> None:
    """Open ones, protected ones, households, other versions, withdrawn rows."""
    reviewed(ctx, (0.9, "same_person"))
    reviewed(ctx, (0.9, "same_person"), state="undone")
    reviewed(ctx, (0.9, "same_person"), protected=True)
    reviewed(ctx, (0.9, "same_person"), kind="household")
    reviewed(ctx, (0.9, "same_person"), kind="joined")
    reviewed(ctx, (0.9, "withdrawn"))
    reviewed(ctx, (0.9, "different"), model="older")
    report = calibrated(ctx)
    assert (report.rulings, report.others) == (1, {"older": 1})


def test_the_pair_meant_is_the_one_that_was_named(ctx: Context) -> None:
    """Of several candidates the ruling's own counts, with its own score."""
    two = [
        {"resident_id": str(rid), "person": score, "household": 0.0, "guards": 0,
         "parts": []}
        for rid, score in ((6, 0.94), (7, 0.61))
    ]  # fmt: skip
    reviewed(ctx, (0.94, "same_person"), candidates=two)
    (band,) = [band for band in calibrated(ctx).bands if band.rulings]
    assert (band.low, band.high, band.same) == (0.6, 0.7, 1)


def test_strangers_just_below_the_threshold_are_a_warning(ctx: Context) -> None:
    """The threshold cannot be raised by rulings, but somebody should know."""
    reviewed(ctx, *[(0.93, "different" if n % 2 else "same_person") for n in range(80)])
    report = calibrated(ctx)
    assert report.too_low is not None and report.too_low > 0.3
    assert [one.moved for one in report.thresholds] == [False, False]


def test_rates_and_roles_are_checked(ctx: Context) -> None:
    """A rate of nothing cannot be shown; a partner's person sees no rulings."""
    with pytest.raises(Refused, match="between"):
        calibrated(ctx, false_match_rate=0)
    with pytest.raises(NotAllowed):
        calibration.calibrate(ctx, WES, door="test", **RATES)
