"""Counts what became of rows whose truth is known: found, merged wrongly, asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.harsh_register import InMemory
from tests.benchmarks.registry import Row
from vouchers.domain.matching.scoring import guard_words
from vouchers.domain.matching.settlement import Outcome, ReviewKind
from vouchers.domain.matching.verdicts import Verdict


@dataclass
class Tally:
    """Figures of one run; `examples` keeps some rows of each mistake."""

    count: Counter[str] = field(default_factory=Counter)
    by_damage: dict[str, Counter[str]] = field(default_factory=dict)
    asked_because: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[Row, Outcome]]] = field(default_factory=dict)

    def add(self, row: Row, outcome: Outcome, known: InMemory) -> None:
        """Count one row against what was known before it."""
        true_id = known.resident.get(row.person_id)
        self.count["rows"] += 1
        asks_who = (
            outcome.review is not None and outcome.review is not ReviewKind.HOUSEHOLD
        )
        if outcome.review is not None:
            self.count["reviews"] += 1
            self.count["person reviews" if asks_who else "household reviews"] += 1
        if true_id is None:
            what = self._new(row, outcome, known, asks_who=asks_who)
        else:
            what = self._repeat(row, outcome, known, asks_who=asks_who)
        self.count[what] += 1
        kept = self.examples.setdefault(what, [])
        if len(kept) < 400:
            kept.append((row, outcome))

    def _repeat(
        self, row: Row, outcome: Outcome, known: InMemory, *, asks_who: bool
    ) -> str:
        true_id = known.resident[row.person_id]
        self.count["repeats"] += 1
        if asks_who:
            shown = any(c.resident_id == true_id for c in outcome.candidates)
            self._because("a repeat", outcome)
            what = "asked, shown" if shown else "asked, not shown"
        elif outcome.new_resident:
            what = "missed"
        else:
            right = outcome.resident_id == true_id
            self.count["automatic"] += 1
            what = "matched" if right else "merged: took for another"
        if what == "matched" and "moved" in row.damage:
            self._leaver(outcome, known)
        for kind in row.damage or ("none",):
            self.by_damage.setdefault(kind, Counter())[what] += 1
        return what

    def _leaver(self, outcome: Outcome, known: InMemory) -> None:
        """Somebody who moved out takes along only what she herself receives."""
        if outcome.left is not None:
            self.count["leavers apart"] += 1
        elif known.register.members[outcome.household_id] - {outcome.resident_id}:
            self.count["leavers not apart"] += 1

    def _new(
        self, row: Row, outcome: Outcome, known: InMemory, *, asks_who: bool
    ) -> str:
        if asks_who:
            self._because("somebody new", outcome)
            return "asked needlessly"
        if outcome.verdict is Verdict.NEW or outcome.new_resident:
            self._home(row, outcome, known)
            return "new"
        self.count["automatic"] += 1
        other = known.brought[outcome.resident_id]
        if other.household_id != row.household_id:
            return "merged: strangers"
        if row.tag == other.tag == "twin":
            return "merged: twins"
        if row.tag == other.tag == "namesake":
            return "merged: parent and child"
        return "merged: housemates"

    def _because(self, whom: str, outcome: Outcome) -> None:
        top = outcome.candidates[0] if outcome.candidates else None
        words = guard_words(top.guards) if top is not None else ["joined"]
        self.asked_because[f"{whom}: {'; '.join(words) or 'the numbers alone'}"] += 1

    def _home(self, row: Row, outcome: Outcome, known: InMemory) -> None:
        """A new person's household: shared, own, or asked, against the truth."""
        if row.tag == "lodger":
            return
        home = known.household.get(row.household_id)
        alone = home is None
        if row.kind == "tenant":
            self.count["tenants"] += 1
        if outcome.review is not None:
            self.count["home asked needlessly" if alone else "home asked rightly"] += 1
            self.count["tenants asked"] += row.kind == "tenant"
        elif outcome.household_id == outcome.arrival.id:
            self.count["home own rightly" if alone else "home missed"] += 1
            if not alone:
                self.examples.setdefault("home missed", []).append((row, outcome))
        elif _lives_there(row, outcome, known):
            self.count["home shared rightly"] += 1
        else:
            self.count["home shared wrongly"] += 1
            self.count["tenants joined"] += row.kind == "tenant"
            self.examples.setdefault("home shared wrongly", []).append((row, outcome))

    def figures(self) -> dict[str, Any]:
        """The shares that goals are set for, with the counts behind them."""
        n = self.count
        merged = sum(count for what, count in n.items() if what.startswith("merged"))
        sharing = n["home shared rightly"] + n["home missed"] + n["home asked rightly"]
        return {
            "rows": n["rows"],
            "repeats": n["repeats"],
            "automatic": n["automatic"],
            "automatic precision": _share(n["matched"], n["matched"] + merged),
            "matched automatically": _share(n["matched"], n["repeats"]),
            "found (automatic or in review)": _share(
                n["matched"] + n["asked, shown"], n["repeats"]
            ),
            "rows in review": _share(n["reviews"], n["rows"]),
            "of these, who is it": _share(n["person reviews"], n["rows"]),
            "of these, which household": _share(n["household reviews"], n["rows"]),
            **{
                what: n[f"merged: {what}"]
                for what in (
                    "housemates", "twins", "parent and child", "strangers",
                    "took for another",
                )
            },
            "household joined, precision": _share(
                n["home shared rightly"],
                n["home shared rightly"] + n["home shared wrongly"],
            ),
            "household joined or asked, recall": _share(
                n["home shared rightly"] + n["home asked rightly"], sharing
            ),
            "household joined, recall": _share(n["home shared rightly"], sharing),
            "household asked needlessly": n["home asked needlessly"],
            "leavers: apart / not": (
                f"{n['leavers apart']} / {n['leavers not apart']}"
            ),
            "new tenants: joined / asked / all": (
                f"{n['tenants joined']} / {n['tenants asked']} / {n['tenants']}"
            ),
        }  # fmt: skip


def _lives_there(row: Row, outcome: Outcome, known: InMemory) -> bool:
    """Is it the household of somebody with whom this person truly lives?"""
    members = known.register.members[outcome.household_id] - {outcome.resident_id}
    return any(
        known.brought[rid].household_id == row.household_id
        for rid in {*members, *(c.resident_id for c in outcome.candidates)}
        if rid in known.brought
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
