"""Speaks: one gateway protocol, the providers behind it and a simulator."""
