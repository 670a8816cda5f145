"""Settings come from the environment, with every fault named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings


def test_nothing_set_means_one_machine_and_no_service() -> None:
    """The default is SQLite, the in-process broker and the simulator."""
    read = settings.read({})
    assert read.embedded
    assert read.broker_url == "memory"
    assert read.sms == "simulator"
    assert read.keys == Path("var/keys.json")


def test_all_faults_are_named_at_once_by_their_variables() -> None:
    """An operator mends the environment in one go."""
    with pytest.raises(ValueError, match=r"VOUCHERS_SMS.*VOUCHERS_THREADS"):
        settings.read({"VOUCHERS_SMS": "pigeon", "VOUCHERS_THREADS": "many"})


def test_a_secret_does_not_show_itself() -> None:
    """Printing the settings prints no token."""
    read = settings.read({"TWILIO_AUTH_TOKEN": "hush", "VOUCHERS_TOKEN": "hush"})
    assert "hush" not in repr(read)
