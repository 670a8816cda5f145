"""Listens and shows: provider callbacks over HTTP."""
