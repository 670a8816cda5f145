"""Tells a partner what became of a dropped file: a short text in its outbox.

Whoever drops a file sees no terminal. A file that was refused, was there before, or was
read in an unusual way has to say so where its sender looks for results.
"""

from __future__ import annotations

import re
from pathlib import Path

from vouchers.domain.calendar import LONDON
from vouchers.pipeline.accept import Receipt, counted
from vouchers.pipeline.context import Context
from vouchers.pipeline.results import replacing

SUFFIX = ".receipt.txt"


def write(ctx: Context, partner: str, name: str, receipt: Receipt) -> Path:
    """Put a receipt beside the partner's results; the newest of a name stays."""
    plain = re.sub(r"[^\w .()\[\]~-]", "_", name).strip(" .") or "file"
    target: Path = ctx.outbox / partner / f"{plain}{SUFFIX}"
    moment = ctx.clock().astimezone(LONDON)
    lines = [name, f"{moment:%d/%m/%Y %H:%M}", "", *words(receipt)]
    with replacing(target) as stream:
        # Notepad of older offices shows bare line feeds as one line.
        stream.write("\r\n".join(lines) + "\r\n")
    return target


def words(receipt: Receipt) -> list[str]:
    """What became of a file, in sentences."""
    if receipt.outcome == "refused":
        return [
            f"This file was not taken. {receipt.message}",
            "Nothing of it was kept. Put it right and drop it into your folder again.",
            f"(Our word for this is {receipt.code}.)",
        ]
    if receipt.outcome == "already_received":
        return [f"{receipt.message} It is batch {receipt.batch_id}."]
    return [
        f"{counted(receipt.rows)} received as batch {receipt.batch_id}.",
        "What becomes of each stands in the result file beside this text.",
        *[f"Please note: {notice.text}" for notice in receipt.notices],
    ]
