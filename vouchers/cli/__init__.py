"""Commands for people and programs."""
