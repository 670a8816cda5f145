"""Checks an exported log with nothing but the export and the public key.

    python -m vouchers.backoffice.audit_verify BUNDLE --key KEY [--checkpoint FILE ...]

Needs no database, no settings and no key file. A checkpoint that was kept elsewhere
(a funder's mailbox, a printout) shows that the log given now continues the log of then.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vouchers.domain import checkpoint as notes
from vouchers.domain.checkpoint import BadNote, Checkpoint, PublicKey
from vouchers.domain.log_check import Fault, LogCheck, Problem

EVENTS = "events.jsonl"
KEY = "public-key.txt"
CHECKPOINTS = "checkpoints/"


@dataclass(frozen=True)
class BundleReport:
    """What an export turned out to be."""

    size: int
    compared: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong, and at least one signature says so."""
        return not self.problems and (self.compared > 0 or self.size == 0)


def verify_bundle(
    bundle: Path, key: PublicKey | None = None, kept: Sequence[Path] = ()
) -> BundleReport:
    """Check every entry of an export against every checkpoint in it and beside it.

    Without `key` the bundle's own is used: then only those who trust whoever handed it
    over learn anything.
    """
    with zipfile.ZipFile(bundle) as archive:
        key = key or PublicKey.parse(archive.read(KEY).decode())
        signed: list[tuple[str, Checkpoint]] = []
        forged: list[str] = []
        for where, note in _notes(archive, kept):
            try:
                signed.append((where, notes.verify(note, key)))
            except BadNote as error:
                forged.append(f"{where}: {error}")
        check = LogCheck(signed)
        for problem in forged:
            check.report(Fault.FORGED, None, problem)
        with archive.open(EVENTS) as lines:
            for line in lines:
                check.entry(line.removesuffix(b"\n"))
        check.end()
    return BundleReport(check.tree.size, check.compared, tuple(check.problems))


def _notes(
    archive: zipfile.ZipFile, kept: Sequence[Path]
) -> Iterator[tuple[str, bytes]]:
    for name in archive.namelist():
        if name.startswith(CHECKPOINTS):
            yield name, archive.read(name)
    for path in kept:
        yield path.name, path.read_bytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point: 0 when the log is what was signed, 1 when it is not."""
    parser = argparse.ArgumentParser(
        prog="audit_verify", description="Check an exported audit log."
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", help="the log's public key, as it was given to you")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], metavar="FILE"
    )
    given = parser.parse_args(arguments)
    key = PublicKey.parse(given.key) if given.key else None
    report = verify_bundle(given.bundle, key, given.checkpoint)
    lines = [str(problem) for problem in report.problems]
    lines.append(
        f"{report.size} entries, {report.compared} checkpoints compared: "
        + ("the log is what was signed" if report.ok else "the log is NOT as signed")
    )
    if key is None:
        lines.append("The key was taken from the bundle itself: compare it with yours.")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
