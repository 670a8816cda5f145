"""Decides: values in, decisions out, nothing else touched."""
