"""Which account stands behind each provider of texts, and what is missing of it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from config.settings import PROVIDERS, Settings
from schemas.texting import Provider, Texting
from vouchers.errors import ProviderNotSetUp

#: What the stand-in takes for an account of GOV.UK Notify.
STAND_IN_KEY = (
    "stand-in-00000000-0000-4000-8000-000000000001-00000000-0000-4000-8000-000000000002"
)
STAND_IN_TEMPLATE = "00000000-0000-4000-8000-000000000003"
STAND_IN_TOKEN = "simulator-notify-token"

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def gateway(settings: Settings, provider: str) -> Any:
    """The gateway of a provider; ProviderNotSetUp when its account is not set."""
    if settings.sms != "simulator" and faults(settings, provider):
        raise ProviderNotSetUp(provider=provider)
    if provider == Provider.NOTIFY:
        return _notify(settings)
    from vouchers.messages import twilio

    return twilio.shared_gateway(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        api_url=settings.provider_url,
    )


def scheme_faults(settings: Settings, texting: Texting) -> list[str]:
    """What this environment lacks to send a scheme's texts: "rule: what to set"."""
    if settings.sms == "simulator":
        return []
    found = faults(settings, texting.provider)
    if texting.provider is Provider.NOTIFY and settings.notify_senders:
        lacking = {texting.sender, texting.neutral_sender} - set(settings.sender_ids)
        found += [f"NOTIFY_SENDERS has no id for {name!r}" for name in sorted(lacking)]
    return [f"messages.provider {texting.provider.value}: {one}" for one in found]


def faults(settings: Settings, provider: str) -> list[str]:
    """What is missing of a provider's account; names of variables, never a value."""
    if provider not in PROVIDERS or provider not in settings.sms.split(","):
        return [f"VOUCHERS_SMS does not name it: it is {settings.sms}"]
    if provider == Provider.TWILIO:
        token = settings.twilio_auth_token.get_secret_value()
        wanted = {
            "TWILIO_ACCOUNT_SID": settings.twilio_account_sid.strip("AC0"),
            "TWILIO_AUTH_TOKEN": token.removeprefix("simulator-token"),
        }
        # A stand-in of somebody's own takes what it likes.
        if settings.twilio_api_url:
            wanted = {}
    else:
        wanted = {
            "NOTIFY_API_KEY": settings.notify_api_key.get_secret_value(),
            "NOTIFY_TEMPLATE_ID": settings.notify_template_id,
            "NOTIFY_SENDERS": settings.notify_senders,
            "NOTIFY_CALLBACK_TOKEN": settings.notify_callback_token.get_secret_value(),
        }
    found = [f"{name} is not set" for name, value in wanted.items() if not value]
    if provider == Provider.NOTIFY:
        found += _odd_ids(settings)
    return found


def _odd_ids(settings: Settings) -> list[str]:
    key = settings.notify_api_key.get_secret_value()
    template = settings.notify_template_id
    ids = settings.sender_ids
    checks = {
        "NOTIFY_API_KEY does not end with two ids": key
        and not (_UUID.fullmatch(key[-73:-37]) and _UUID.fullmatch(key[-36:])),
        "NOTIFY_TEMPLATE_ID is no id": template and not _UUID.fullmatch(template),
        "NOTIFY_SENDERS is not NAME=ID,NAME=ID": settings.notify_senders
        and not (ids and all(map(_UUID.fullmatch, ids.values()))),
    }
    return [what for what, wrong in checks.items() if wrong]


def _notify(settings: Settings) -> Any:
    from vouchers.messages import notify

    key = settings.notify_api_key.get_secret_value()
    token = settings.notify_callback_token.get_secret_value()
    if settings.sms != "simulator":
        return notify.shared_gateway(
            api_key=key,
            api_url=settings.notify_url,
            template_id=settings.notify_template_id,
            sender_id=settings.sender_ids.get,
            callback_token=token,
        )
    return notify.shared_gateway(
        api_key=key or STAND_IN_KEY,
        api_url=settings.notify_url,
        template_id=settings.notify_template_id or STAND_IN_TEMPLATE,
        sender_id=lambda name: str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        callback_token=token or STAND_IN_TOKEN,
    )
