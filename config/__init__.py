"""Tune: settings, the queue table, logging and the scheme file."""
