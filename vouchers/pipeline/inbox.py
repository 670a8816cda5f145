"""The drop folder: a finished file is claimed by a rename, submitted, and filed away.

`inbox/<partner>/[<scheme>/]name.csv` becomes `processing/...`, then `done/...` or
`rejected/...` with a `.why.txt`; a receipt goes to the partner's outbox. Whatever was
claimed when a process died is submitted again at the next start; a batch that was half
staged then goes on where it stopped.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from watchfiles import watch as notices

from vouchers.crashpoints import crashpoint
from vouchers.errors import NotFound, VoucherError
from vouchers.pipeline import accept, receipts
from vouchers.pipeline.accept import FILE_MAX, Receipt
from vouchers.pipeline.context import Context
from vouchers.store import parties

log = structlog.get_logger()

#: Seconds for which a file must stay as it is before it is taken.
QUIET_S = 5.0
#: Pause between looks when the system does not tell us of changes: network drives.
LOOK_EVERY_S = 2.0
SUFFIXES = (".csv", ".xlsx")
#: Kinds of file that people drop in good faith: handed back with a word, never ignored.
OTHER_KINDS = (
    ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".txt", ".tsv", ".pdf", ".doc",
    ".docx", ".zip",
)  # fmt: skip
PROCESSING, DONE, REJECTED = "processing", "done", "rejected"
_OURS = frozenset({PROCESSING, DONE, REJECTED})
#: Why a file was refused, beside it.
_WHY = ".why.txt"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file in a partner's folder."""

    path: Path
    partner: str
    scheme: str | None


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a dropped file."""

    partner: str
    name: str
    receipt: Receipt
    path: Path


class Inbox:
    """Looks into the folders again and again, and remembers what is still growing."""

    def __init__(self, ctx: Context, *, quiet_s: float = QUIET_S) -> None:
        self._ctx = ctx
        self._quiet_s = quiet_s
        #: Size and time of change when a file was first seen so.
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        #: Files outside any partner's folder that were reported.
        self._astray: set[Path] = set()

    def resume(self) -> list[Filed]:
        """Submit what was claimed by a process that died."""
        return [self._submit(claimed) for claimed in self._claimed()]

    def look(self, monotonic_s: float) -> list[Filed]:
        """Take every file that is finished at this moment of a steady clock."""
        filed = []
        there = set()
        self._report_astray()
        for dropped in self._dropped():
            there.add(dropped.path)
            if self._is_finished(dropped.path, monotonic_s):
                claimed = self._claim(dropped)
                if claimed is not None:
                    filed.append(self._submit(claimed))
        for gone in self._seen.keys() - there:
            del self._seen[gone]
        return filed

    # ------------------------------------------------------------ finding

    def _dropped(self) -> Iterator[Dropped]:
        for partner in _folders(self._ctx.inbox):
            if partner.name in _OURS:
                continue
            for path in _files(partner):
                yield Dropped(path, partner.name, None)
            for scheme in _folders(partner):
                if scheme.name not in _OURS:
                    for path in _files(scheme):
                        yield Dropped(path, partner.name, scheme.name)

    def _report_astray(self) -> None:
        """A file beside the partners' folders is nobody's: only an operator can act."""
        astray = set(_files(self._ctx.inbox)) if self._ctx.inbox.is_dir() else set()
        if astray - self._astray:
            log.warning("files_without_partner", count=len(astray))
        self._astray = astray

    def _claimed(self) -> Iterator[Dropped]:
        for partner in _folders(self._ctx.inbox):
            claimed = partner / PROCESSING
            if not claimed.is_dir() or claimed.is_symlink():
                continue
            for path in _files(claimed):
                yield Dropped(path, partner.name, None)
            for scheme in _folders(claimed):
                for path in _files(scheme):
                    yield Dropped(path, partner.name, scheme.name)

    def _is_finished(self, path: Path, now_s: float) -> bool:
        try:
            found = path.lstat()
        except OSError:
            return False
        if _marker(path).exists():
            return True
        mark = (found.st_size, found.st_mtime_ns)
        before = self._seen.get(path)
        if before is None or before[0] != mark:
            self._seen[path] = (mark, now_s)
            return self._quiet_s <= 0
        return now_s - before[1] >= self._quiet_s

    # ------------------------------------------------------------ taking

    def _claim(self, dropped: Dropped) -> Dropped | None:
        """Rename into `processing`: of several watchers one succeeds."""
        folder = self._ctx.inbox / dropped.partner / PROCESSING
        if dropped.scheme:
            folder /= dropped.scheme
        folder.mkdir(parents=True, exist_ok=True)
        target = _free(folder / dropped.path.name)
        try:
            dropped.path.rename(target)
        except FileNotFoundError:
            return None
        _marker(dropped.path).unlink(missing_ok=True)
        self._seen.pop(dropped.path, None)
        crashpoint("inbox.claimed")
        return Dropped(target, dropped.partner, dropped.scheme)

    def _submit(self, claimed: Dropped) -> Filed:
        receipt = self._receipt(claimed)
        crashpoint("inbox.submitted")
        refused = receipt.outcome == "refused"
        folder = self._ctx.inbox / claimed.partner / (REJECTED if refused else DONE)
        folder.mkdir(parents=True, exist_ok=True)
        target = _free(folder / claimed.path.name)
        if refused:
            why = f"{receipt.code}: {receipt.message}\n"
            target.with_name(f"{target.name}{_WHY}").write_text(why, encoding="utf-8")
        # Before it is filed: what lies in `processing` is taken up again, and told.
        self._tell(claimed, receipt)
        try:
            claimed.path.rename(target)
        except FileNotFoundError:
            # Another watcher resumed the same file; both submits were one.
            log.info("file_filed_elsewhere", batch_id=receipt.batch_id)
        crashpoint("inbox.filed")
        log.info(
            "file_taken",
            partner=claimed.partner,
            state=receipt.outcome,
            code=receipt.code,
            batch_id=receipt.batch_id,
            rows=receipt.rows,
        )
        return Filed(claimed.partner, claimed.path.name, receipt, target)

    def _tell(self, claimed: Dropped, receipt: Receipt) -> None:
        """Leave a receipt with the results; a folder that is nobody's gets none."""
        try:
            with self._ctx.reading() as conn:
                parties.partner_by_slug(conn, claimed.partner)
        except NotFound:
            return
        receipts.write(self._ctx, claimed.partner, claimed.path.name, receipt)

    def _receipt(self, claimed: Dropped) -> Receipt:
        """Submit a claimed file; what is no plain file of fair size is refused."""
        found = claimed.path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return Receipt(
                "refused", code="not_a_plain_file", message="Links are not followed."
            )
        if found.st_size > FILE_MAX:
            return Receipt(
                "refused", code="file_too_big", message="The file is too big. Split it."
            )
        if not is_final_name(claimed.path.name):
            return Receipt(
                "refused",
                code="wrong_kind_of_file",
                message="We take files that end in .csv or .xlsx. Open it in Excel and"
                " save it as one of these.",
            )
        try:
            return accept.submit(
                self._ctx,
                partner=claimed.partner,
                scheme=claimed.scheme,
                path=claimed.path,
                via="folder",
                actor=f"{claimed.partner}/folder",
            )
        except NotFound as unknown:
            message = (
                f"{unknown}. The first folder is named after the partner, one inside"
                " it after the scheme."
            )
            return Receipt("refused", code="not_found", message=message)


def watch(
    ctx: Context,
    stop: threading.Event,
    *,
    quiet_s: float = QUIET_S,
    every_s: float = LOOK_EVERY_S,
) -> None:
    """Take files as they arrive, until `stop` is set.

    The system's notices only shorten the wait: folders on a network send none.
    """
    inbox = Inbox(ctx, quiet_s=quiet_s)
    _look(inbox.resume)
    for _ in notices(
        ctx.inbox,
        stop_event=stop,
        step=50,
        debounce=200,
        rust_timeout=int(every_s * 1_000),
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        _look(lambda: inbox.look(time.monotonic()))


def _look(look: Callable[[], object]) -> None:
    """One file that cannot be taken now must not end the watch."""
    try:
        look()
    except (OSError, VoucherError) as error:
        log.warning("inbox_not_read", error_class=type(error).__name__)


# ---------------------------------------------------------------- names


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.startswith(".")
            )
    except FileNotFoundError:
        return []


def _files(folder: Path) -> list[Path]:
    """Files with a final name; a link counts, so that it can be refused in words."""
    with os.scandir(folder) as entries:
        return sorted(
            Path(entry.path)
            for entry in entries
            if (is_final_name(entry.name) or is_other_kind(entry.name))
            and not entry.is_dir(follow_symlinks=False)
        )


def is_final_name(name: str) -> bool:
    """Whether a file of this name may be taken: no upload in progress, no lock file."""
    return _ends(name, SUFFIXES)


def is_other_kind(name: str) -> bool:
    """Whether a file of this name was meant for us, but is of no kind that we take."""
    return _ends(name, OTHER_KINDS) and not name.lower().endswith(_WHY)


def _ends(name: str, suffixes: tuple[str, ...]) -> bool:
    lower = name.lower()
    return lower.endswith(suffixes) and not lower.startswith((".", "~$"))


def _marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.done")


def _free(path: Path) -> Path:
    """A name in its folder that no earlier file has: "jan.csv", then "jan~2.csv"."""
    number = 1
    free = path
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.stem}~{number}{path.suffix}")
    return free
