"""Carry: dramatiq only; no rule lives here."""
