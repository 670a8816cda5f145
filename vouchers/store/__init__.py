"""Remembers: tables, units of work, jobs and bulk writes."""
