"""Settings from the environment, checked all at once, with no secret in any repr."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

#: Where `vouchers simulator` and `vouchers run` put the provider's stand-in.
SIMULATOR_PORT = 8401

#: Providers that texts can go through; a scheme names its own.
PROVIDERS = frozenset({"twilio", "notify"})

#: Environment variable of each setting.
NAMES = {
    "database_url": "VOUCHERS_DATABASE_URL",
    "broker_url": "VOUCHERS_BROKER_URL",
    "scheme_file": "VOUCHERS_SCHEME",
    "keys_file": "VOUCHERS_KEYS",
    "model_file": "VOUCHERS_MODEL",
    "sms": "VOUCHERS_SMS",
    "twilio_api_url": "VOUCHERS_TWILIO_API_URL",
    "twilio_account_sid": "TWILIO_ACCOUNT_SID",
    "twilio_auth_token": "TWILIO_AUTH_TOKEN",
    "notify_api_url": "VOUCHERS_NOTIFY_API_URL",
    "notify_api_key": "NOTIFY_API_KEY",
    "notify_template_id": "NOTIFY_TEMPLATE_ID",
    "notify_senders": "NOTIFY_SENDERS",
    "notify_callback_token": "NOTIFY_CALLBACK_TOKEN",
    "public_url": "VOUCHERS_PUBLIC_URL",
    "inbox": "VOUCHERS_INBOX",
    "outbox": "VOUCHERS_OUTBOX",
    "token": "VOUCHERS_TOKEN",
    "var": "VOUCHERS_VAR",
    "threads": "VOUCHERS_THREADS",
    "web_port": "VOUCHERS_WEB_PORT",
    "log_format": "VOUCHERS_LOG",
    "clock": "VOUCHERS_CLOCK",
}


class Settings(BaseModel):
    """What the environment decides; everything else is in the scheme file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Folder of the embedded default: database, keys, inbox, outbox.
    var: Path = Path("var")
    #: SQLAlchemy URL; empty means SQLite under `var`.
    database_url: str = ""
    #: `memory` runs dramatiq in this process; else redis://host:port/db.
    broker_url: str = "memory"
    #: Seeds an empty database; after that the loaded version rules.
    scheme_file: Path = Path(__file__).parent / "scheme.toml"
    keys_file: Path | None = None
    #: The matching model, where it is not the shipped one; the same on every host.
    model_file: Path | None = None
    #: `simulator`, or the providers whose accounts are set: `twilio`, `notify`, both
    #: with a comma between.
    sms: str = "simulator"
    twilio_api_url: str | None = None
    twilio_account_sid: str = "AC00000000000000000000000000000000"
    twilio_auth_token: SecretStr = SecretStr("simulator-token")
    notify_api_url: str | None = None
    notify_api_key: SecretStr = SecretStr("")
    notify_template_id: str = ""
    #: Notify's id of each sender that a scheme names: "FuelFund=ID,Notice=ID".
    notify_senders: str = ""
    notify_callback_token: SecretStr = SecretStr("")
    #: Where the provider reaches our callbacks, as the provider sees it.
    public_url: str = "http://127.0.0.1:8400"
    inbox: Path | None = None
    outbox: Path | None = None
    token: SecretStr | None = None
    threads: int = Field(default=4, ge=1, le=64)
    web_port: int = Field(default=8400, ge=0, le=65535)
    log_format: Literal["json", "console", "auto"] = "auto"
    #: An ISO moment at which the business clock stands still: demos and benchmarks.
    clock: str | None = None

    @field_validator("sms")
    @classmethod
    def _known_providers(cls, given: str) -> str:
        words = [word.strip() for word in given.split(",") if word.strip()]
        if words != ["simulator"] and (not words or set(words) - PROVIDERS):
            raise ValueError("either simulator, or twilio, notify, or both")
        return ",".join(words)

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database in use."""
        return self.database_url or f"sqlite:///{self.var / 'vouchers.sqlite'}"

    @property
    def embedded(self) -> bool:
        """Whether everything lives in this process and one file."""
        return self.database.startswith("sqlite")

    @property
    def provider_url(self) -> str | None:
        """Base address of the text provider; None is Twilio's own.

        Set to `simulator`, no text can ever reach Twilio: without an address of its
        own the client is pointed at the stand-in's usual port on this machine.
        """
        if self.sms == "simulator":
            return self.twilio_api_url or f"http://127.0.0.1:{SIMULATOR_PORT}"
        return self.twilio_api_url

    @property
    def notify_url(self) -> str | None:
        """Base address of GOV.UK Notify; None is its own, never so as a simulator."""
        if self.sms == "simulator":
            return self.notify_api_url or self.provider_url
        return self.notify_api_url

    @property
    def sender_ids(self) -> dict[str, str]:
        """Notify's ids by the names that schemes give their senders."""
        pairs = (one.partition("=") for one in self.notify_senders.split(","))
        return {name.strip(): given.strip() for name, _, given in pairs if given}

    @property
    def keys(self) -> Path:
        """The key file; it never lies in the database."""
        return self.keys_file or self.var / "keys.json"

    @property
    def inbox_folder(self) -> Path:
        """Where partners drop files."""
        return self.inbox or self.var / "inbox"

    @property
    def outbox_folder(self) -> Path:
        """Where partners find results."""
        return self.outbox or self.var / "outbox"


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read every setting from `environ`; raise ValueError naming all faults at once."""
    environ = os.environ if environ is None else environ
    given = {field: environ[name] for field, name in NAMES.items() if environ.get(name)}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        lines = [
            f"{NAMES.get(str(fault['loc'][0]), fault['loc'][0])}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise ValueError("; ".join(lines)) from None
