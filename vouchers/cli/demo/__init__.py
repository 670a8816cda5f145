"""The demo: five invented partners, their files, and what becomes of every row."""
