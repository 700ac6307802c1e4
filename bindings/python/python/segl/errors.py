"""Exceptions. Each has a class by the hundred of its number, and some a class of their own.

| numbers | class |
|---|---|
| 1 to 99, the use of segl | `UsageError` |
| 100 | `SigningKeyError` (`KeyError` is Python's) |
| 200, PKCS#11 | `HsmError` |
| 300, AWS KMS | `KmsError` |
| 400 | `NetworkError` |
| 500, the token endpoint | `TokenError` |
| 600, the APIs behind tokens | `ApiError` |
| 700, tokens received | `ValidationError` |
"""

from __future__ import annotations

from typing import Any

from segl.error_code import ErrorCode


class SeglError(Exception):
    """What failed, on what, and what to do. Holds no secret and no personal identifier.

    A callback of the program's may raise one, with a `code` that its caller is to see.
    """

    number: int
    """The stable number, see `ErrorCode`."""
    retryable: bool
    """True when the same call may succeed later without any change."""
    retry_after: float | None
    """How long the server asked to wait, in seconds."""
    http_status: int | None
    """The HTTP status of the answer; of a `ValidationError`, the one that an API answers the token with."""
    ck_rv: int | None
    """The PKCS#11 return value (CK_RV)."""
    ck_function: str | None
    """The PKCS#11 function that returned it, for example "C_Login"."""
    oauth_error: str | None
    """`error` of the token endpoint (RFC 6749 section 5.2); of a `ValidationError`, the one that an API answers the
    token with (RFC 6750 section 3.1)."""
    oauth_error_description: str | None
    """`error_description` of the token endpoint."""
    error_uri: str | None
    """`error_uri` of the token endpoint."""
    provider_code: str | None
    """The provider's own code, for example Maskinporten's "MP-122"."""
    trace_id: str | None
    """The provider's trace id, to be quoted in a support case."""
    config_path: str | None
    """The path of the setting at fault, for example "clients.bank.key"."""

    _usual: ErrorCode = ErrorCode.CALLBACK_FAILED

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode | int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        http_status: int | None = None,
        ck_rv: int | None = None,
        ck_function: str | None = None,
        oauth_error: str | None = None,
        oauth_error_description: str | None = None,
        error_uri: str | None = None,
        provider_code: str | None = None,
        trace_id: str | None = None,
        config_path: str | None = None,
    ) -> None:
        """Without `code` it is the usual one of the class."""
        super().__init__(message)
        self.number = int(self._usual if code is None else code)
        self.retryable = retryable
        self.retry_after = retry_after
        self.http_status = http_status
        self.ck_rv = ck_rv
        self.ck_function = ck_function
        self.oauth_error = oauth_error
        self.oauth_error_description = oauth_error_description
        self.error_uri = error_uri
        self.provider_code = provider_code
        self.trace_id = trace_id
        self.config_path = config_path

    @property
    def code(self) -> ErrorCode | None:
        """The code; None for a number that this version does not know."""
        return _CODES.get(self.number)

    @property
    def name(self) -> str:
        """The name of the code, for example "PIN_INCORRECT"; "UNKNOWN" for a number that this version does not know."""
        return "UNKNOWN" if self.code is None else self.code.name

    @property
    def message(self) -> str:
        """What failed, on what, and what to do."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        name = self.number if self.code is None else self.name
        return f"{type(self).__name__}({name}: {self})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.number), self.__dict__


class UsageError(SeglError):
    """How segl is used: arguments, configuration, callbacks, time (1 to 99)."""

    _usual = ErrorCode.INVALID_ARGUMENT


class InvalidArgumentError(UsageError, ValueError):
    """An argument has a value that cannot be used (2, 4 and 5)."""


class ClosedError(UsageError, ValueError):
    """The object was closed (3)."""

    _usual = ErrorCode.INVALID_HANDLE


class ConfigError(UsageError, ValueError):
    """The configuration is wrong; `config_path` names the setting (6)."""

    _usual = ErrorCode.CONFIG


class CallCancelledError(UsageError):
    """The call was cancelled (8)."""

    _usual = ErrorCode.CANCELLED


class CallTimeoutError(UsageError, TimeoutError):
    """The call's time ran out (9)."""

    _usual = ErrorCode.TIMEOUT


class CallbackError(UsageError):
    """A callback of the program's failed (10). What it raised is the cause."""

    _usual = ErrorCode.CALLBACK_FAILED


class SigningKeyError(SeglError):
    """Keys and certificates (100)."""

    _usual = ErrorCode.KEY_NOT_FOUND


class KeyUriError(SigningKeyError, ValueError):
    """A key URI does not follow its grammar (100)."""

    _usual = ErrorCode.KEY_URI


class HsmError(SeglError):
    """PKCS#11: modules, tokens, PINs, sessions (200)."""

    _usual = ErrorCode.DEVICE


class PoolTimeoutError(HsmError, TimeoutError):
    """All sessions with the token were busy until the call's time ran out (209)."""

    _usual = ErrorCode.POOL_TIMEOUT


class KmsError(SeglError):
    """AWS KMS (300)."""

    _usual = ErrorCode.KMS_UNAVAILABLE


class NetworkError(SeglError):
    """Connections and TLS (400)."""

    _usual = ErrorCode.NETWORK


class UrlError(NetworkError, ValueError):
    """The URL is not https, or not a URL (403)."""

    _usual = ErrorCode.URL


class TokenError(SeglError):
    """The token endpoint (500)."""

    _usual = ErrorCode.TOKEN_OTHER


class ApiError(SeglError):
    """The APIs behind tokens (600)."""

    _usual = ErrorCode.API_REFUSED


class ValidationError(SeglError):
    """A token that was received, or the consent in it, does not allow what is asked (700).

    `http_status` and `oauth_error` are what a resource server answers (RFC 6750 section 3.1).
    """

    _usual = ErrorCode.ACCESS_TOKEN_MALFORMED


_CODES: dict[int, ErrorCode] = {int(code): code for code in ErrorCode}

_HUNDREDS: dict[int, type[SeglError]] = {
    0: UsageError,
    1: SigningKeyError,
    2: HsmError,
    3: KmsError,
    4: NetworkError,
    5: TokenError,
    6: ApiError,
    7: ValidationError,
}

_OWN_CLASS: dict[int, type[SeglError]] = {
    ErrorCode.NULL_ARGUMENT: InvalidArgumentError,
    ErrorCode.INVALID_HANDLE: ClosedError,
    ErrorCode.INVALID_ARGUMENT: InvalidArgumentError,
    ErrorCode.INVALID_UTF8: InvalidArgumentError,
    ErrorCode.CONFIG: ConfigError,
    ErrorCode.CANCELLED: CallCancelledError,
    ErrorCode.TIMEOUT: CallTimeoutError,
    ErrorCode.CALLBACK_FAILED: CallbackError,
    ErrorCode.KEY_URI: KeyUriError,
    ErrorCode.POOL_TIMEOUT: PoolTimeoutError,
    ErrorCode.URL: UrlError,
}


def error_class(number: int) -> type[SeglError]:
    """The class of the exception for an error number."""
    own = _OWN_CLASS.get(number)
    return own or _HUNDREDS.get(number // 100, SeglError)


def _from_native(
    number: int,
    message: str,
    retryable: bool,
    retry_after: float | None,
    http_status: int | None,
    ck_rv: int | None,
    ck_function: str | None,
    texts: tuple[str | None, str | None, str | None, str | None, str | None, str | None],
) -> SeglError:
    oauth_error, oauth_error_description, error_uri, provider_code, trace_id, config_path = texts
    return error_class(number)(
        message,
        code=number,
        retryable=retryable,
        retry_after=retry_after,
        http_status=http_status,
        ck_rv=ck_rv,
        ck_function=ck_function,
        oauth_error=oauth_error,
        oauth_error_description=oauth_error_description,
        error_uri=error_uri,
        provider_code=provider_code,
        trace_id=trace_id,
        config_path=config_path,
    )


def _rebuild(cls: type[SeglError], message: str, number: int) -> SeglError:
    return cls(message, code=number)
