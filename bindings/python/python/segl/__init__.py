"""Access tokens and signatures with keys that never leave their HSM.

    import segl

    with segl.TokenClient.open("segl.toml", "bank") as client:
        token = client.token()

Clients and signers are meant to be shared by all threads for the life of the program. What can
wait runs without the GIL.
"""

from __future__ import annotations

from segl import _end, _log
from segl._native import CancelToken, Signer, Token, TokenClient, TokenRequest, Validator, shutdown, version
from segl.config import ClientKey, Config, Decryption, DecryptionKey, Dpop, Service, SharedCache, Tls
from segl.consumer_org import ConsumerOrg
from segl.error_code import ErrorCode
from segl.errors import (
    ApiError,
    CallbackError,
    CallCancelledError,
    CallTimeoutError,
    ClosedError,
    ConfigError,
    HsmError,
    InvalidArgumentError,
    KeyUriError,
    KmsError,
    NetworkError,
    PoolTimeoutError,
    SeglError,
    SigningKeyError,
    TokenError,
    UrlError,
    UsageError,
    ValidationError,
)
from segl.http import HttpRequest, HttpResponse, HttpTransport

log_to_logging = _log.log_to_logging
set_log = _log.set_log

_end.register()
log_to_logging()

__all__ = [
    "ApiError",
    "CallCancelledError",
    "CallTimeoutError",
    "CallbackError",
    "CancelToken",
    "ClientKey",
    "ClosedError",
    "Config",
    "ConfigError",
    "ConsumerOrg",
    "Decryption",
    "DecryptionKey",
    "Dpop",
    "ErrorCode",
    "HsmError",
    "HttpRequest",
    "HttpResponse",
    "HttpTransport",
    "InvalidArgumentError",
    "KeyUriError",
    "KmsError",
    "NetworkError",
    "PoolTimeoutError",
    "SeglError",
    "Service",
    "SharedCache",
    "Signer",
    "SigningKeyError",
    "Tls",
    "Token",
    "TokenClient",
    "TokenError",
    "TokenRequest",
    "UrlError",
    "UsageError",
    "ValidationError",
    "Validator",
    "log_to_logging",
    "set_log",
    "shutdown",
    "version",
]
