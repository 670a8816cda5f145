"""Every table of the house, by the area that owns it."""

from vouchers.store.tables import (
    awards,
    identity,
    intake,
    messages,
    money,
    parties,
    proof,
    work,
)
from vouchers.store.tables.types import Instant, db_from_now, db_now, metadata

__all__ = [
    "Instant",
    "awards",
    "db_from_now",
    "db_now",
    "identity",
    "intake",
    "messages",
    "metadata",
    "money",
    "parties",
    "proof",
    "work",
]
