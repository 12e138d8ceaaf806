"""One exception class for each kind of error; the kind says what to do."""

from __future__ import annotations

from typing import ClassVar


class AuraError(Exception):
    """An error of AURA. The message says what is wrong, what was found, and what to do."""

    code: ClassVar[str] = "UNKNOWN"
    """The stable name of the kind, the same in all languages."""

    causes: list[str]
    """What caused it, nearest first, in the words of the causes."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.causes = []


class InvalidSpecError(AuraError):
    """The call is wrong: fix the spec, the option or the SQL text."""

    code = "INVALID_SPEC"


class InvalidDataError(AuraError):
    """The data are wrong: fix the input named in the message."""

    code = "INVALID_DATA"


class NotFoundError(AuraError):
    """The thing named does not exist."""

    code = "NOT_FOUND"


class ConflictError(AuraError):
    """Somebody else changed the same thing, or the state does not allow this call."""

    code = "CONFLICT"


class DeniedError(AuraError):
    """The caller may not do this."""

    code = "DENIED"


class UnavailableError(AuraError):
    """A passing fault: the same call may succeed later."""

    code = "UNAVAILABLE"


class ResourceExhaustedError(AuraError):
    """A limit of disk, memory or size was reached: free or raise it."""

    code = "RESOURCE_EXHAUSTED"


class CancelledError(AuraError):
    """The caller cancelled the operation; nothing of it was kept."""

    code = "CANCELLED"


class InternalError(AuraError):
    """A fault in AURA itself: report it."""

    code = "INTERNAL"
