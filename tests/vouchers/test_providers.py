"""What is missing of a provider's account is named before the first text."""

from __future__ import annotations

import pytest

from config import settings as environment
from schemas.texting import Provider, Texting
from vouchers import providers
from vouchers.errors import ProviderNotSetUp
from vouchers.messages.notify import NotifyGateway
from vouchers.messages.twilio import TwilioGateway

#: Invented ids.
ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"
WHOLE = {
    "VOUCHERS_SMS": "twilio,notify",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "hush",
    "NOTIFY_API_KEY": f"house-{ONE}-{TWO}",
    "NOTIFY_TEMPLATE_ID": ONE,
    "NOTIFY_SENDERS": f"FuelFund={ONE}, Notice={TWO}",
    "NOTIFY_CALLBACK_TOKEN": "hush hush",
}
NOTIFY = Texting(provider=Provider.NOTIFY)


def faults(texting: Texting = NOTIFY, **changes: str) -> list[str]:
    """What this environment lacks for a scheme."""
    return providers.scheme_faults(environment.read(WHOLE | changes), texting)


@pytest.mark.parametrize("provider", list(Provider))
def test_a_whole_environment_lacks_nothing(provider: Provider) -> None:
    """Each provider's gateway is made from it."""
    texting = Texting(provider=provider)
    made = providers.gateway(environment.read(WHOLE), provider)

    assert faults(texting) == []
    kind = NotifyGateway if provider is Provider.NOTIFY else TwilioGateway
    assert isinstance(made, kind)
    assert "hush" not in repr(made)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NOTIFY_API_KEY", "", "NOTIFY_API_KEY is not set"),
        ("NOTIFY_API_KEY", "secret-words", "does not end with two ids"),
        ("NOTIFY_TEMPLATE_ID", "", "NOTIFY_TEMPLATE_ID is not set"),
        ("NOTIFY_TEMPLATE_ID", "award", "NOTIFY_TEMPLATE_ID is no id"),
        ("NOTIFY_SENDERS", "", "NOTIFY_SENDERS is not set"),
        ("NOTIFY_SENDERS", "FuelFund", "NOTIFY_SENDERS is not NAME=ID"),
        ("NOTIFY_SENDERS", f"FuelFund={ONE}", "NOTIFY_SENDERS has no id for 'Notice'"),
        ("NOTIFY_CALLBACK_TOKEN", "", "NOTIFY_CALLBACK_TOKEN is not set"),
        ("VOUCHERS_SMS", "twilio", "VOUCHERS_SMS does not name it: it is twilio"),
    ],
)
def test_each_missing_setting_is_named(name: str, value: str, said: str) -> None:
    """By its variable, without its value."""
    found = faults(**{name: value})

    assert any(said in one for one in found), found
    assert all(one.startswith("messages.provider notify: ") for one in found)
    assert not any("secret-words" in one for one in found)


def test_twilio_needs_its_own_two() -> None:
    """The stand-in's account is no account."""
    bare = {"VOUCHERS_SMS": "twilio"}
    found = providers.scheme_faults(environment.read(bare), Texting())

    assert found == [
        "messages.provider twilio: TWILIO_ACCOUNT_SID is not set",
        "messages.provider twilio: TWILIO_AUTH_TOKEN is not set",
    ]


def test_the_stand_in_needs_nothing_and_reaches_nobody() -> None:
    """The default: every provider's client is pointed at this machine."""
    plain = environment.read({})

    assert providers.scheme_faults(plain, NOTIFY) == []
    assert plain.notify_url == plain.provider_url == "http://127.0.0.1:8401"


def test_a_provider_without_an_account_has_no_gateway() -> None:
    """Better none than one that fails at each text."""
    only = environment.read(WHOLE | {"VOUCHERS_SMS": "twilio"})

    with pytest.raises(ProviderNotSetUp):
        providers.gateway(only, "notify")
    with pytest.raises(ProviderNotSetUp):
        providers.gateway(environment.read(WHOLE), "pigeon")
