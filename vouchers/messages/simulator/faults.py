"""What goes wrong, decided by a plan and a seed, the same in every run."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Fault(StrEnum):
    """A way to misbehave."""

    REFUSE = "refuse"  #: say no, with `refuse_code`
    THROTTLE = "throttle"  #: 429, not processed
    ERROR_BEFORE = "error_before"  #: 500, not accepted
    ERROR_AFTER = "error_after"  #: 500, but accepted
    DROP_BEFORE = "drop_before"  #: connection closed, not accepted
    DROP_AFTER = "drop_after"  #: connection closed, but accepted
    STALL_BEFORE = "stall_before"  #: no answer for `stall_s`, not accepted
    STALL_AFTER = "stall_after"  #: no answer for `stall_s`, but accepted
    CALLBACK_LATE = "callback_late"  #: callbacks come `late_s` later
    CALLBACK_TWICE = "callback_twice"  #: each callback comes twice
    CALLBACK_DISORDER = "callback_disorder"  #: the last callback comes first
    CALLBACK_NEVER = "callback_never"  #: no callback at all


#: Faults of the answer; at most one happens to a request.
OF_ANSWER = (
    Fault.REFUSE,
    Fault.THROTTLE,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.STALL_BEFORE,
    Fault.STALL_AFTER,
)
#: Faults of the callbacks; at most one happens to a message.
OF_CALLBACK = (
    Fault.CALLBACK_LATE,
    Fault.CALLBACK_TWICE,
    Fault.CALLBACK_DISORDER,
    Fault.CALLBACK_NEVER,
)


@dataclass(slots=True)
class Scripted:
    """A fault that the next `times` requests meet, for one number or for any."""

    fault: Fault
    times: int = 1
    to: str | None = None


@dataclass(slots=True)
class FaultPlan:
    """How often what goes wrong; `script` comes before `rates`."""

    seed: int = 0
    rates: dict[Fault, float] = field(default_factory=dict)
    script: list[Scripted] = field(default_factory=list)
    refuse_code: int = 21211
    #: The same for Notify, by the name of a refusal in `simulator.notify_form`.
    refuse_with: str = "not_a_mobile"
    stall_s: float = 30.0
    late_s: float = 5.0

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """The plan that a JSON document describes; unknown words are an error."""
        if unknown := set(given) - set(cls.__slots__):
            raise ValueError(f"a plan has no {', '.join(sorted(unknown))}")
        rest = {k: v for k, v in given.items() if k not in ("rates", "script")}
        return cls(
            **rest,
            rates={Fault(k): float(v) for k, v in given.get("rates", {}).items()},
            script=[
                Scripted(Fault(one["fault"]), one.get("times", 1), one.get("to"))
                for one in given.get("script", [])
            ],
        )

    def of_answer(self, key: str, to: str) -> Fault | None:
        """The fault that the answer to this request meets."""
        return self._choose(OF_ANSWER, key, to)

    def of_callback(self, key: str, to: str) -> Fault | None:
        """The fault that the callbacks of this message meet."""
        return self._choose(OF_CALLBACK, key, to)

    def _choose(self, among: tuple[Fault, ...], key: str, to: str) -> Fault | None:
        for entry in self.script:
            if entry.fault in among and entry.times > 0 and entry.to in (None, to):
                entry.times -= 1
                return entry.fault
        if not self.rates:
            return None
        # By the request's own key and not by its turn: threads may come in any order.
        mark = zlib.crc32(f"{self.seed}:{among[0]}:{key}".encode()) / 2**32
        for fault in among:
            mark -= self.rates.get(fault, 0.0)
            if mark < 0:
                return fault
        return None
