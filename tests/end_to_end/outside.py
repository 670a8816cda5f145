"""An outsider's check of a run: reads only what was handed out, shares no code with us.

What it gets: the dropped files' row counts, `status --json`, the result files, the
ledger as CSV, the audit log's bundle, the provider's own record of what it accepted.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

Event = dict[str, Any]

#: A voucher's code as the text shows it: digits in groups of four.
_CODE = re.compile(r"\b\d{4}(?: \d{1,4}){3,4}\b")


@dataclass(frozen=True)
class Exports:
    """Everything that was handed out, in one folder."""

    #: Data rows of each dropped file, by partner.
    rows: Mapping[str, int]
    status: Mapping[str, Any]
    results: Mapping[str, Path]
    ledger: Path
    audit: Path
    accepted: Iterable[Mapping[str, Any]]

    def events(self) -> list[Event]:
        """The audit log's events in their order."""
        with zipfile.ZipFile(self.audit) as archive:
            [name] = [n for n in archive.namelist() if n.endswith(".jsonl")]
            return [json.loads(line) for line in archive.read(name).splitlines()]


def faults(exports: Exports) -> list[str]:
    """Everything that breaks a promise, in words; empty when all is well."""
    events = exports.events()
    return [
        *every_row_is_accounted_for(exports),
        *no_household_is_over_its_cap(events),
        *the_books_balance(exports.ledger),
        *each_code_went_to_one_award(exports, events),
    ]


def every_row_is_accounted_for(exports: Exports) -> Iterable[str]:
    """P1: as many rows in the status and in the result file as in the dropped file."""
    for batch in exports.status["batches"]:
        partner, total = batch["partner"], batch["rows_total"]
        told = sum(batch["words"].values())
        if not (exports.rows[partner] == total == told):
            yield f"{partner}: {exports.rows[partner]}, {total}, {told} rows"
        with exports.results[partner].open(encoding="utf-8-sig", newline="") as lines:
            words = Counter(row["row_status"] for row in csv.DictReader(lines))
        if {k: n for k, n in batch["words"].items() if n} != dict(words):
            yield f"{partner}: the result file says {words}, status {batch['words']}"
    if len(exports.status["batches"]) != len(exports.rows):
        yield "there are more or fewer batches than dropped files"


def no_household_is_over_its_cap(
    events: Iterable[Event],
    *,
    awards_max: int = 3,
    window_days: int = 183,
    between_days: int = 14,
) -> Iterable[str]:
    """P2: per household, as the log tells it in its order."""
    granted: dict[int, list[date]] = defaultdict(list)
    for event in events:
        if event["kind"] != "award.granted":
            continue
        day = datetime.fromisoformat(event["at"]).date()
        before = granted[event["household"]]
        if any(day - other < timedelta(days=between_days) for other in before):
            yield f"household {event['household']}: two awards in {between_days} days"
        recent = [d for d in before if day - d < timedelta(days=window_days)]
        if len(recent) >= awards_max:
            yield f"household {event['household']}: over {awards_max} awards"
        before.append(day)


def the_books_balance(ledger: Path) -> Iterable[str]:
    """P3: re-add every transfer; no place below zero at any time; stored = summed."""
    balance: Counter[str] = Counter()
    stated: dict[str, int] = {}
    keys: set[str] = set()
    with ledger.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            pence = round(float(row["pounds"]) * 100)
            if row["kind"] == "balance":
                stated[row["debit"] or row["credit"]] = pence
                continue
            if row["key"] in keys or pence <= 0:
                yield f"transfer {row['key']} appears twice or moves nothing"
            keys.add(row["key"])
            balance[row["debit"]] -= pence
            balance[row["credit"]] += pence
            if balance[row["debit"]] < 0 and not _may_be_negative(row["debit"]):
                yield f"{row['debit']} fell below zero at {row['key']}"
    for name, pence in stated.items():
        if balance[name] != pence:
            yield f"{name}: stated {pence}, summed {balance[name]}"
    if sum(balance.values()) != 0:
        yield "the books do not sum to zero"
    if not stated:
        yield "the ledger states no balances"


def _may_be_negative(account: str) -> bool:
    place = account.lower()
    return any(word in place for word in ("given", "suspense", "prepaid"))


def each_code_went_to_one_award(exports: Exports, events: list[Event]) -> Iterable[str]:
    """P4 and P5: one accepted message an award; no code in two; no award without."""
    vouchers = {
        event["entity"]: len(event["vouchers"])
        for event in events
        if event["kind"] == "award.granted"
    }
    texted: dict[int, str] = {}
    owner: dict[str, int] = {}
    for message in exports.accepted:
        # An attempt's number holds its message's, that one its award's.
        award = int(message["attempt_id"]) >> 4 >> 6
        if award in texted:
            yield f"award {award}: the provider took two messages"
        texted[award] = message["to"]
        codes = _CODE.findall(message["body"])
        if len(codes) != vouchers.get(award):
            yield f"award {award}: {len(codes)} codes in the text"
        for code in codes:
            if owner.setdefault(code, award) != award:
                yield f"one code went to the awards {owner[code]} and {award}"
    last = {
        event["entity"] >> 6: event["state"]
        for event in events
        if event["kind"].startswith("message.") and "state" in event
    }
    for award in vouchers.keys() - texted.keys():
        if last.get(award) not in ("failed", "held", "cancelled"):
            yield f"award {award}: no message was accepted, and nobody was told"
