"""For every crash point: the work that leads to it, and the command that dies there.

A scene makes new work before each death, so that no point waits for luck; after a few
deaths the house is left alone, and everything must be finished and right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.broken import Broken
from tests.faults.stages import (
    Stage,
    a_damaged_place_on_the_waitlist,
    a_damaged_row,
    a_dead_worker,
    a_dropped_file,
    a_dry_run,
    a_file_at_the_door,
    a_file_that_ends,
    a_file_that_goes_on,
    a_file_that_is_refused,
    a_file_that_was_read,
    a_job_of_tomorrow,
    a_missing_day,
    a_networks_file,
    a_new_key,
    a_newer_worker_came,
    a_person_mends_it,
    a_review_that_waits,
    a_text_that_may_be_out,
    expired_vouchers,
    files_are_handed_in_again,
    money_for_some,
    new_rows,
    new_rows_an_hour_later,
    somebody_listens_again,
    the_folder_is_looked_at_again,
    the_minute_of,
    the_networks_files_come_again,
    the_provider_reports,
)


@dataclass(frozen=True)
class Scene:
    """Points that are reached by the same work."""

    name: str
    stage: Stage
    units: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    #: Looked at on both databases by a small run, too.
    on_both: bool = False
    #: What happens before the house is left alone: a mend, a command given again.
    then: Callable[[Broken], None] = field(default=lambda _: None)

    @property
    def points(self) -> list[str]:
        """Every point of this scene: around its commits, then the others."""
        around = [
            f"{unit}.{moment}"
            for unit in self.units
            for moment in ("before_commit", "committed")
        ]
        return [*around, *self.places]


SCENES = (
    Scene(
        "money runs short",
        money_for_some,
        ("waitlist.sweep", "allocate.drain.first", "allocate.drain"),
        on_both=True,
    ),
    Scene(
        "a damaged place on the waitlist",
        a_damaged_place_on_the_waitlist,
        ("allocate.aside",),
        then=a_person_mends_it,
    ),
    Scene(
        "a file by command",
        a_file_at_the_door,
        ("start", "accept.received", "accept.stage", "accept.opened"),
        ("accept.registered",),
        then=files_are_handed_in_again,
    ),
    Scene(
        "a dry run",
        a_dry_run,
        ("accept.dry_run",),
        ("accept.rehearsed",),
        then=files_are_handed_in_again,
    ),
    Scene(
        "a refused file",
        a_file_that_is_refused,
        ("accept.refuse",),
        then=files_are_handed_in_again,
    ),
    Scene(
        "a dropped file",
        a_dropped_file,
        (),
        ("inbox.claimed", "inbox.submitted", "inbox.filed"),
        then=the_folder_is_looked_at_again,
    ),
    Scene(
        "the way of a row",
        new_rows,
        (
            "accept.chunk",
            "deduplicate.chunk",
            "allocate.chunk",
            "send.chunk.claim",
            "send.chunk.evidence",
            "send.chunk",
            "deliver.apply",
        ),
        ("send.before_call", "send.after_call"),
        on_both=True,
    ),
    Scene(
        "what is shown and signed",
        new_rows,
        (
            "integrate",
            "integrate.sign",
            "results.finish",
            "results.changed",
            "results.written",
        ),
        ("integrate.remembered", "results.drafted", "results.replaced"),
    ),
    Scene("a file that goes on", a_file_that_goes_on, ("batch.resume",)),
    Scene("a file that ends", a_file_that_ends, ("batch.reject",)),
    Scene("the outcomes of the day", new_rows_an_hour_later, ("results.outcomes",)),
    Scene(
        "the carrying",
        new_rows,
        ("claim", "sweep", "ring", "tick", "beat", "take_back", "goodbye"),
        (
            "carry.claimed",
            "carry.before_step",
            "carry.after_step",
            "ring.handed_over",
        ),
    ),
    Scene("a dead worker", a_dead_worker, ("release",)),
    Scene(
        "a job of tomorrow", a_job_of_tomorrow, ("give_back",), then=a_newer_worker_came
    ),
    Scene("a damaged row", a_damaged_row, ("settle",), then=a_person_mends_it),
    Scene(
        "a text that may be out",
        a_text_that_may_be_out,
        ("send.resolve.evidence", "send.resolve"),
        ("resolve.before_call", "resolve.after_call"),
    ),
    Scene(
        "the provider reports",
        the_provider_reports,
        ("callbacks",),
        then=somebody_listens_again,
    ),
    Scene(
        "a network's file",
        a_networks_file,
        ("redeem.open", "redeem.stage", "redeem.close"),
        then=the_networks_files_come_again,
    ),
    Scene(
        "what was used", a_file_that_was_read, ("redeem.apply",), ("redeem.applied",)
    ),
    Scene(
        "expired vouchers",
        expired_vouchers,
        ("expire.end", "expire.release"),
        on_both=True,
    ),
    Scene("a missing day", a_missing_day, ("expire.gaps",)),
    Scene("a review that waits", a_review_that_waits, ("reviews.escalate",)),
    Scene("a new key", a_new_key, ("keys.reseal",)),
    Scene("the purge", the_minute_of("purge"), ("purge",)),
)
