"""What is written in Rust. The package `segl` is its public face."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, final

from segl.config import Config
from segl.consumer_org import ConsumerOrg
from segl.http import HttpRequest, HttpResponse, HttpTransport

__all__ = [
    "CancelToken",
    "Signer",
    "Token",
    "TokenClient",
    "TokenRequest",
    "Validator",
    "after_fork_in_child",
    "after_fork_in_parent",
    "asks_for_dpop_nonce",
    "before_fork",
    "error_codes",
    "finalize",
    "log_through",
    "shutdown",
    "version",
]

class _ToJson(Protocol):
    def to_json(self) -> str: ...

@final
class CancelToken:
    """Ends calls early, from any thread. One may be given to many calls; once triggered it stays so."""

    def __new__(cls) -> CancelToken: ...
    def trigger(self) -> None:
        """Ends every call that was given this token, with `CallCancelledError`."""

    @property
    def triggered(self) -> bool:
        """True once it was triggered."""

@final
class Token:
    """An access token. It does not change; `repr` does not show it."""

    @property
    def access_token(self) -> str:
        """The token itself; a secret. The same object every time."""

    @property
    def authorization(self) -> str:
        """The value of the header `Authorization`: "Bearer …" or "DPoP …"; a secret."""

    @property
    def response(self) -> str:
        """The whole token response, JSON as it was received (RFC 6749 section 5.1); it holds the token."""

    @property
    def scope(self) -> str | None:
        """The granted scope, if the answer names it."""

    @property
    def expires_at(self) -> datetime:
        """When the token ends, in UTC."""

    @property
    def from_cache(self) -> bool:
        """False when the token was fetched for the call that returned it."""

    @property
    def dpop(self) -> bool:
        """True when the token is bound to a key: each request needs a proof of `TokenClient.dpop_proof`."""

    @property
    def generation(self) -> int:
        """Tells this token from every other that this process was given; never 0."""

@final
class TokenRequest:
    """One token request. It does not change, can be compared, and is worth keeping: asking with the same
    object again is the fastest way to a cached token. What is left out comes from the client's settings.
    """

    def __new__(
        cls,
        *,
        scopes: Sequence[str] | None = None,
        resource: Sequence[str] | None = None,
        consumer_org: str | ConsumerOrg | None = None,
        pid: str | None = None,
        authorization_details: Sequence[Mapping[str, Any]] | str | None = None,
    ) -> TokenRequest:
        """`scopes` and `resource` (RFC 8707) stand in the place of the client's. `consumer_org` is the organisation
        number of the consumer (delegation), or `ConsumerOrg.OWN` for none whatever the settings say. `pid` is the
        person to whom the token is restricted. `authorization_details` (RFC 9396) may be JSON text.

        Raises `InvalidArgumentError` that names the member; values are not shown.
        """

    @staticmethod
    def from_json(text: str) -> TokenRequest:
        """From a JSON object with the members that `segl token --request` takes."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Signer:
    """A private key that can sign, wherever it lives. For all threads.

    `timeout` is in seconds, everywhere; a call that takes longer ends with `CallTimeoutError`.
    """

    @staticmethod
    def open(
        uri: str,
        pin: str | bytes | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Signer:
        """Opens the key that a URI names: `pkcs11:` (RFC 7512), `awskms:` or `file:`.

        `pin` is the PIN or passphrase, in the place of the URI's `pin-source`; for `awskms:` it is credentials, as
        JSON in the form of `credential_process`. A PIN that the device refused is not tried again.

        Raises `KeyUriError`, `SigningKeyError`, `HsmError`, `KmsError`.
        """

    @staticmethod
    def from_bytes(key: bytes | bytearray | memoryview, passphrase: str | bytes | None = None) -> Signer:
        """Opens a private key from memory: PEM, DER or PKCS#12. Raises `SigningKeyError`."""

    @staticmethod
    def from_callback(
        public_jwk: Mapping[str, Any] | str,
        sign: Callable[[str, bytes], bytes],
    ) -> Signer:
        """A key that the program signs with: another SDK, a cloud vault, a smart card.

        `sign(alg, message)` is given a JOSE name such as "ES256" and the message, which is not hashed yet, and
        returns the signature in JOSE form: RSA as it is, ECDSA as R||S. It is called on the threads that need
        signatures, and for tokens on threads of segl's own, on several at a time. Every signature is checked with
        the public key before it is used. What it raises becomes a `CallbackError` with that as its cause.
        """

    def sign(
        self,
        alg: str,
        message: bytes | bytearray | memoryview,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> bytes:
        """Signs a message, which is not hashed yet. The signature is in JOSE form: RSA as it is, ECDSA as R||S."""

    def jws(
        self,
        header: Mapping[str, Any] | str,
        payload: bytes | bytearray | memoryview,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
        """Signs a JWS in compact serialisation (RFC 7515 section 7.1).

        `header` is the protected header with `alg`, a mapping or JSON text; members that segl does not know
        pass through, `crit` and `b64` are refused.
        """

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 7517) with `kid`, `use` and `alg`: what is registered at a service."""

    def describe(self) -> dict[str, Any]:
        """What the key is and where it lives; see `segl_signer_describe` in segl.h. The device is not asked."""

    def health(self) -> dict[str, Any]:
        """How the key is doing; see `segl_signer_health` in segl.h. The device is not asked."""

    def probe(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> None:
        """Checks that the key can be used now, by a signature where that is the only proof."""

    def close(self) -> None:
        """Lets go of the key. Clients that were made with it keep it; calls that run finish. Harmless twice."""

    @property
    def closed(self) -> bool:
        """True once it was closed; its methods then raise `ClosedError`."""

    def __enter__(self) -> Signer: ...
    def __exit__(
        self,
        _class: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None: ...

@final
class TokenClient:
    """One client at one service. For all threads, for the life of the program, and for forked children.

    `timeout` is in seconds, everywhere; a call that takes longer ends with `CallTimeoutError`.
    """

    @staticmethod
    def open(
        path: str | os.PathLike[str],
        name: str,
        *,
        signer: Signer | None = None,
        tls_signer: Signer | None = None,
        dpop_signer: Signer | None = None,
        transport: HttpTransport | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> TokenClient:
        """Makes the client that a configuration file (segl.toml) names, and opens its key; nothing is sent.

        `signer` stands in the place of the settings `key` and `keys`, `tls_signer` of `tls.key`, `dpop_signer` of
        `dpop.key`. `transport` sends in the place of segl's own.

        Raises `UsageError` with the code IO when the file cannot be read, `ConfigError`, or as `Signer.open`.
        """

    @staticmethod
    def create(
        config: Config | Mapping[str, Any] | _ToJson | str,
        *,
        signer: Signer | None = None,
        tls_signer: Signer | None = None,
        dpop_signer: Signer | None = None,
        transport: HttpTransport | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> TokenClient:
        """As `open`, from settings that the program has made: a `Config`, a mapping or JSON text."""

    def token(
        self,
        request: TokenRequest | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Token:
        """An access token that is good for a while: from the cache, or a new one.

        While the cached token is the one to use, the same object comes back. However many threads ask for
        a token, it is fetched once, on a thread of segl's own. Without a timeout the wait is 30 seconds.

        Raises `TokenError` when the endpoint refuses, `NetworkError` when it cannot be reached, or what the
        key's home reports.
        """

    def ready(self, request: TokenRequest | None = None) -> Token | None:
        """The token that `token` would return without waiting, if there is one."""

    def assertion(
        self,
        request: TokenRequest | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
        """A signed assertion, a JWT, with a new `jti`. Nothing is sent."""

    def registration(
        self,
        index: int = 0,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
        """The JWT that registers the client's key, or `keys[index]`, with DNB. Other profiles have none."""

    def send(
        self,
        request: HttpRequest,
        token_request: TokenRequest | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> HttpResponse:
        """Sends a request to an API with the client's token, its client certificate and a DPoP proof, as it has them.

        After an answer of 401 the request is sent once more with a new token. Every status is an answer. Redirects
        are not followed. The client's setting `apis` limits where the token may go: `ApiError` with the code
        API_NOT_ALLOWED.
        `Authorization`, `DPoP`, `Host` and `Content-Length` are segl's to set.
        """

    def call_api(
        self,
        operation: str,
        input: Mapping[str, Any] | str,
        token_request: TokenRequest | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Calls an operation of an API that segl knows, with the client's token: "krr.lookup" and the others in
        docs/services.md.

        `input` is what docs/operations.schema.json has for the operation, a mapping or JSON text, such as
        `{"persons": ["05848998356"]}` for "krr.lookup". The answer may be about a person; what Python made of it cannot
        be wiped. The token is replaced once when the API refuses it, and what changes nothing is sent again after
        failures that pass. The setting `services` says where an API is, when that is not where the client's
        environment has it.

        Raises `InvalidArgumentError` for an operation or input that is none, whose values it does not repeat,
        `ConfigError` for the setting `services`, `ApiError` when the API refuses, or as `send`.
        """

    def reject(self, token: Token, request: TokenRequest | None = None) -> bool:
        """Drops a token that an API rejected (401), if it is still the cached one.

        `request` is what the token was asked for with. True when it was dropped. Within 10 seconds of
        a rejection the next one drops nothing.
        """

    def forget(self, request: TokenRequest | None = None) -> None:
        """Forgets the cached token of a request, or without one all tokens."""

    def health(self) -> dict[str, Any]:
        """How the client is doing: `keys`, `tls`, `dpop`, `tokens`; see `segl_client_health` in segl.h."""

    def dpop_proof(
        self,
        method: str,
        url: str,
        access_token: str | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
        """A DPoP proof (RFC 9449) for one request that carries `access_token`, for the header `DPoP`.

        Raises `UsageError` with the code UNSUPPORTED when the client has no DPoP key.
        """

    def dpop_nonce(self, url: str, nonce: str) -> None:
        """Keeps the nonce that the server at `url` gave in the header `DPoP-Nonce`, for the next proofs."""

    def require_allowed(self, url: str) -> None:
        """Raises `ApiError` (API_NOT_ALLOWED) or `UrlError` unless the client's tokens may be sent to `url`."""

    def close(self) -> None:
        """Lets go of the client and its tokens; calls that run finish. Harmless twice."""

    @property
    def closed(self) -> bool:
        """True once it was closed; its methods then raise `ClosedError`."""

    def __enter__(self) -> TokenClient: ...
    def __exit__(
        self,
        _class: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None: ...

@final
class Validator:
    """Checks access tokens that a program receives: signature, issuer, time, and what the program asks for.

    It keeps the issuer's keys, and fetches them again before they are too old and when a token is signed with
    another. One for each issuer, for all threads, for the life of the program, and for forked children. `config`
    is what docs/config.schema.json has under ValidatorSettings, a mapping or JSON text. `transport` fetches keys in
    the place of segl's own. Nothing is sent before the first token.

    Raises `ConfigError` naming the setting at fault.
    """

    def __new__(cls, config: Mapping[str, Any] | str, *, transport: HttpTransport | None = None) -> Validator: ...
    @staticmethod
    def open(path: str | os.PathLike[str], name: str, *, transport: HttpTransport | None = None) -> Validator:
        """Makes the validator that a configuration file (segl.toml) names.

        Raises `UsageError` with the code IO when the file cannot be read, otherwise as the constructor.
        """

    def check(
        self,
        token: str,
        requirements: Mapping[str, Any] | str | None = None,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Checks a token, as it was received, without "Bearer". The answer is what it says; it may be about a person.

        `requirements` is what the token must be for, a mapping or JSON text whose members go before the settings:
        `scopes`, `audience`, `consumer`, `supplier` (None: it must not be delegated), `consent` and the others that
        docs/services.md names, such as `{"consent": {"from": "05848998356", "resources": ["bank-saldo"]}}`. The answer
        cannot be wiped.
        While the issuer's keys are known nothing is sent, and nobody waits for their replacement.

        Raises `ValidationError` when the token is not what is asked for, with the reason, and with the code
        JWKS_UNAVAILABLE when the issuer's keys were never to be had; `InvalidArgumentError` for requirements that are
        none.
        """

    def close(self) -> None:
        """Lets go of the validator and its keys; calls that run finish. Harmless twice."""

    @property
    def closed(self) -> bool:
        """True once it was closed; its methods then raise `ClosedError`."""

    def __enter__(self) -> Validator: ...
    def __exit__(
        self,
        _class: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None: ...

def version() -> str:
    """The version of segl, for example "1.2.3"."""

def shutdown() -> None:
    """Closes the sessions with PKCS#11 tokens and finalizes the modules that segl initialised. Optional.

    Raises `CallTimeoutError` when calls into a module do not end within 5 seconds. Keys that are used afterwards
    are opened anew.
    """

def error_codes() -> list[tuple[int, str, str]]: ...
def asks_for_dpop_nonce(status: int, headers: Sequence[tuple[str, str]]) -> bool: ...
def log_through(least: Callable[[], int] | None, take: Callable[[int, str, str], None] | None) -> None: ...
def finalize() -> None: ...
def before_fork() -> None: ...
def after_fork_in_parent() -> None: ...
def after_fork_in_child() -> None: ...
