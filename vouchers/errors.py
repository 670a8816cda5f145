"""One tree of errors; the class docstring is the message a person reads."""

from __future__ import annotations

from datetime import datetime


class VoucherError(Exception):
    """Something went wrong that the caller has to know."""

    def __init__(self, message: str | None = None, **ids: float | str | None) -> None:
        self.ids = ids
        super().__init__(message or (self.__doc__ or "").strip())


class Refused(VoucherError):
    """The request is not allowed as things stand; the message says what to do."""


class TooMany(Refused):
    """A limit is used up for now; `again_at` says when it is not."""

    def __init__(self, message: str, again_at: datetime) -> None:
        self.again_at = again_at
        super().__init__(message)


class NotFound(VoucherError):
    """No such thing here."""


class NotAllowed(VoucherError):
    """This person's roles do not allow that."""


class IllegalMove(VoucherError):
    """A state may not follow the one before it."""


class LedgerError(VoucherError):
    """A transfer that the books refuse."""


class SameKeyOtherContent(LedgerError):
    """A transfer with this key is already posted with other content."""


class CodeTaken(VoucherError):
    """A code that has been seen before was offered again."""


class RowFailed(VoucherError):
    """Our code failed on one row among those that are decided together."""

    def __init__(self, referral: int, orig: Exception) -> None:
        self.referral = referral
        #: What is told of it: the class of what went wrong.
        self.orig = orig
        super().__init__(referral=referral)


class LostLease(VoucherError):
    """The job has another owner by now; nothing of this attempt is kept."""


class Busy(VoucherError):
    """Somebody else holds what this job needs; it goes back to its queue."""


class KeysMismatch(VoucherError):
    """The key file does not belong to this database; point VOUCHERS_KEYS at its own."""


class SealBroken(VoucherError):
    """Sealed data does not open: it was changed, moved or sealed with another key."""


class BadFile(VoucherError):
    """A file that cannot be read as a whole; `code` names why."""

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        super().__init__(message, code=code)


class BadScheme(VoucherError):
    """The scheme file has faults; each names the rule and what to do."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class GatewayUnavailable(VoucherError):
    """The provider cannot be asked just now."""


class ProviderNotSetUp(GatewayUnavailable):
    """A scheme texts through a provider whose account this process was not given."""
