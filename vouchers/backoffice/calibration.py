"""From rulings to thresholds: what people said, what it proves, a file that says so.

Nothing changes by itself: the file is a proposal, written beside the model in use; it
is used when VOUCHERS_MODEL names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vouchers.domain.calendar import local_date
from vouchers.domain.matching import calibration
from vouchers.domain.matching.calibration import Band, Ruled, Threshold, TooFew
from vouchers.domain.matching.model_file import edited, next_version
from vouchers.domain.roles import Duty, Person
from vouchers.errors import Refused
from vouchers.pipeline.context import Context
from vouchers.store import model_in_use, ruled

#: What is to be kept in mind whatever the numbers say.
CAVEAT = (
    "Rulings exist only for pairs that were sent to a person. What they prove holds "
    "between the two thresholds; of pairs joined or parted without a person it says "
    "nothing, and a threshold is never moved out of that band."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What the rulings under the model in use come to."""

    model: str
    rulings: int
    #: Rulings on pairs that a guard sent to a person.
    guarded: int
    #: Rulings outside the band between the thresholds.
    outside: int
    #: Version -> rulings under other versions, which are left out.
    others: dict[str, int]
    bands: Sequence[Band]
    thresholds: Sequence[Threshold] = ()
    #: Why no threshold is proposed at all.
    refused: str | None = None
    #: The least share of different just below the match threshold, if too much.
    too_low: float | None = None
    #: Version and place of the file that was written.
    version: str | None = None
    file: Path | None = None

    @property
    def moved(self) -> bool:
        """Whether any threshold is proposed to be another."""
        return any(one.moved for one in self.thresholds)


def calibrate(
    ctx: Context,
    person: Person,
    *,
    false_match_rate: float,
    missed_match_rate: float,
    door: str,
    write: bool = False,
    out: Path | None = None,
) -> Report:
    """Propose thresholds that keep both rates; write them where asked.

    Raises Refused for rates that are none, and where a file would be overwritten.
    """
    person.must(Duty.SEE_WORK)
    for rate in (false_match_rate, missed_match_rate):
        if not 0.0001 <= rate <= 0.5:
            raise Refused("a rate lies between 0.0001 (1 in 10,000) and 0.5")
    model = model_in_use.model()
    with ctx.reading() as conn:
        pairs = ruled.ruled(conn, model.version)
        others = ruled.other_versions(conn, model.version)
    report = _report(
        pairs, others, model.version, (model.match, model.review),
        (false_match_rate, missed_match_rate),
    )  # fmt: skip
    if not (write or out) or not report.moved:
        return report
    return _written(ctx, person, report, door, out)


def _report(
    pairs: Sequence[Ruled],
    others: dict[str, int],
    version: str,
    thresholds: tuple[float, float],
    rates: tuple[float, float],
) -> Report:
    match, review = thresholds
    inside = [one for one in pairs if review <= one.score < match]
    proposed: Sequence[Threshold] = ()
    refused = None
    try:
        proposed = calibration.calibrate(
            pairs, match=match, review=review,
            false_match_rate=rates[0], missed_match_rate=rates[1],
        )  # fmt: skip
    except TooFew as few:
        refused = (
            f"{few.have:,} rulings lie between the thresholds. To move one, at least "
            f"{few.needed:,} clear ones have to lie together at one end: "
            f"{calibration.needed(rates[0]):,} under the match threshold for "
            f"{rates[0]:.2%}, {calibration.needed(rates[1]):,} above the review "
            f"threshold for {rates[1]:.2%}; more if some disagree."
        )
    return Report(
        model=version,
        rulings=len(pairs),
        guarded=sum(one.guarded for one in pairs),
        outside=len(pairs) - len(inside),
        others=others,
        bands=calibration.reliability(
            [one for one in pairs if not one.guarded], match, review
        ),
        thresholds=proposed,
        refused=refused,
        too_low=calibration.too_low(pairs, match, rates[0]),
    )


def _written(
    ctx: Context, person: Person, report: Report, door: str, out: Path | None
) -> Report:
    """Write the proposal into a new file; what is there already stays."""
    version = next_version(report.model, "c", local_date(ctx.clock()))
    place = out or model_in_use.place().parent
    if place.is_dir():
        place = place / f"model-{version}.toml"
    notes = [
        f"Calibrated {local_date(ctx.clock()).isoformat()} from {report.rulings:,} "
        f"rulings under {report.model}:",
        *(
            f"  {one.name} {one.old:g} -> {one.new:g}: {one.why}"
            for one in report.thresholds
        ),
    ]
    made = edited(
        model_in_use.text(),
        {("thresholds", t.name): t.new for t in report.thresholds if t.moved},
        version=version,
        notes=notes,
    )
    try:
        with place.open("x", encoding="utf-8") as stream:
            stream.write(made)
    except FileExistsError:
        raise Refused(f"{place} is there already: name another with --out") from None
    except OSError as error:
        raise Refused(f"{place} cannot be written: {error.strerror}") from None
    with ctx.begin(actor=person.actor(door), name="matching.calibrate") as uow:
        uow.record(
            "matching.calibrated", 0, model=report.model, version=version,
            rulings=report.rulings,
            moved=[f"{t.name} {t.old:g} {t.new:g}" for t in report.thresholds],
        )  # fmt: skip
    return replace(report, version=version, file=place)
