"""Writes the partners' files, and beside them the truth of who is who."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import cycle, islice
from pathlib import Path

from vouchers.cli.demo import residents as people
from vouchers.cli.demo.habits import COLUMNS, SamplePartner, sample_partners
from vouchers.cli.demo.mishaps import MISTAKES, Row, seen_elsewhere
from vouchers.cli.demo.names import WORKERS
from vouchers.cli.demo.residents import Invented


@dataclass(frozen=True, slots=True)
class Truth:
    """Who one row of one file really is."""

    partner: str
    file: str
    #: As Excel counts it: the header is row 1.
    row_no: int
    reference: str
    person: int
    household: int
    #: first, repeat, household, shared_house, protected or mistake.
    kind: str
    #: The mistake in words; empty for rows that are right.
    mistake: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Files on disk, and the truth about each of their rows."""

    partners: tuple[SamplePartner, ...]
    files: tuple[Path, ...]
    truths: tuple[Truth, ...]


@dataclass(slots=True)
class _Entry:
    who: Invented
    kind: str
    mistake: str = ""


def write_partners(
    folder: Path,
    *,
    seed: int,
    partners: int = 5,
    residents: int = 600,
    repeats: float = 0.07,
    mistakes: float = 0.02,
    today: date,
) -> Sample:
    """Write one file a partner under `folder`/SLUG/ and tell who is who.

    `repeats` is the share of residents that a second partner hands in as well, with one
    or two details different; `mistakes` the share of rows that cannot be accepted. The
    same arguments write the same files, byte for byte (XLSX: the same cells).
    """
    chance = random.Random(seed)
    who = sample_partners(partners)
    entries = _entries(
        chance,
        who,
        residents=residents,
        repeats=repeats,
        mistakes=mistakes,
        today=today,
    )
    files: list[Path] = []
    truths: list[Truth] = []
    for partner, own in zip(who, entries, strict=True):
        chance.shuffle(own)
        name = f"{partner.slug}-{today:%Y-%m-%d}.{partner.habit.ending}"
        path = folder / partner.slug / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = []
        for row_no, entry in enumerate(own, start=2):
            reference = f"{partner.slug[:2].upper()}{row_no + 10_000}"
            rows.append(_row(partner, entry, reference, row_no))
            truths.append(
                Truth(
                    partner=partner.slug,
                    file=name,
                    row_no=row_no,
                    reference=reference,
                    person=entry.who.person,
                    household=entry.who.household,
                    kind=entry.kind,
                    mistake=entry.mistake,
                )
            )
        _write(path, partner, rows)
        files.append(path)
    return Sample(who, tuple(files), tuple(truths))


def _entries(
    chance: random.Random,
    partners: Sequence[SamplePartner],
    *,
    residents: int,
    repeats: float,
    mistakes: float,
    today: date,
) -> list[list[_Entry]]:
    wrong = max(len(MISTAKES), round(residents * mistakes)) if mistakes else 0
    everyone = list(people.invent(chance, people=residents + wrong, today=today))
    own: list[list[_Entry]] = [[] for _ in partners]
    open_partners = [n for n, partner in enumerate(partners) if not partner.refuge]
    weights = [partner.weight for partner in partners]
    kept = everyone[:residents]
    seen_homes: set[int] = set()
    first_at: dict[int, int] = {}
    for person in kept:
        at = chance.choices(range(len(partners)), weights=weights)[0]
        kind = "household" if person.household in seen_homes else "first"
        seen_homes.add(person.household)
        if partners[at].refuge:
            kind = "protected"
            # The first of them can be reached through a worker only: nothing to text.
            known = "partner_only" if not own[at] else "sms_neutral"
            person = replace(person, safe_contact=known)
        own[at].append(_Entry(person, kind))
        first_at[person.person] = at
    _share_a_house(own[open_partners[0]])
    for person in chance.sample(kept, k=round(residents * repeats)):
        # A refuge's people are known to nobody else, but somebody else may send them.
        first = first_at[person.person]
        others = [n for n in open_partners if n != first] or open_partners
        twin = seen_elsewhere(chance, person)
        own[chance.choice(others)].append(_Entry(twin, "repeat"))
    for mistake, person in zip(
        islice(cycle(MISTAKES), wrong), everyone[residents:], strict=True
    ):
        own[chance.choice(open_partners)].append(_Entry(person, "mistake", mistake))
    return own


def _share_a_house(rows: list[_Entry]) -> None:
    # Five strangers behind one front door: each is a household of their own.
    singles = [entry for entry in rows if entry.who.household_size == 1][:5]
    if len(singles) < 5:
        return
    house = singles[0].who.home
    for room, entry in enumerate(singles, start=1):
        shared = replace(house, line_1=f"Room {room}, {house.line_1}")
        entry.who = replace(entry.who, home=shared, separate=True)
        entry.kind = "shared_house"


def _row(partner: SamplePartner, entry: _Entry, reference: str, row_no: int) -> Row:
    who, habit = entry.who, partner.habit
    flag = {True: habit.yes, False: habit.no}
    row = {
        "reference": reference,
        "given_name": habit.spell(who.given[0]),
        "family_name": habit.spell(who.family),
        "date_of_birth": who.born.strftime(habit.date_format),
        "address_line_1": who.home.line_1,
        "town": who.home.town,
        "postcode": who.home.postcode,
        "meter_type": who.meter_type,
        "energy_supplier": who.supplier[row_no % len(who.supplier)],
        "worker": WORKERS[row_no % len(WORKERS)],
        "resident_told": habit.yes,
        "off_supply": flag[who.off_supply],
        "days_left": "" if who.off_supply else str(who.days_left),
        "mobile": f"0{who.mobile[:4]} {who.mobile[4:]}" if who.mobile else "",
        "household_size": str(who.household_size),
        "children_under_5": flag[who.child],
        "over_65": flag[who.elder],
        "medical": {"yes": habit.yes, "no": habit.no}.get(who.medical, who.medical),
        "safe_contact": who.safe_contact,
        "separate_household": flag[who.separate],
    }
    if entry.mistake:
        MISTAKES[entry.mistake](row)
    return row


def _write(path: Path, partner: SamplePartner, rows: Iterable[Row]) -> None:
    lines = _lines(partner, rows)
    if partner.habit.ending == "xlsx":
        _write_xlsx(path, lines)
        return
    habit = partner.habit
    with path.open("w", encoding=habit.encoding, newline="") as stream:
        csv.writer(stream, delimiter=habit.delimiter).writerows(lines)


def _lines(partner: SamplePartner, rows: Iterable[Row]) -> Iterator[list[str]]:
    yield [partner.habit.header(column) for column in COLUMNS]
    for row in rows:
        yield [row[column] for column in COLUMNS]


def _write_xlsx(path: Path, lines: Iterable[list[str]]) -> None:
    import xlsxwriter  # late: only one partner in five needs it

    options = {
        "constant_memory": True,
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("Residents")
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)
