"""The settings of one client, with types. The words are those of segl.toml.

What a member means and what segl makes of it stands in docs/config.schema.json; a value that is wrong is a
`ConfigError` when a client is made with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, cast

from segl.errors import ConfigError

AudienceForm = Literal["string", "array"]
"""A claim that servers want as a string or as an array of one."""
ClientAuthentication = Literal["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"]
"""How a client proves who it is at the token endpoint, in the words of its"""
ContentEncryption = Literal["A256GCM", "A128CBC-HS256", "A256CBC-HS512", "A128GCM"]
"""How the content of a JWE is encrypted (RFC 7518 section 5)."""
Environment = Literal["test", "prod"]
"""An environment of a service."""
Grant = Literal["jwt_bearer", "client_credentials"]
"""How an assertion is used (RFC 7523)."""
JtiForm = Literal["uuid", "base64url"]
"""The form of `jti`."""
KeyEncryption = Literal["RSA-OAEP-256", "RSA-OAEP"]
"""How the key of a JWE's content is encrypted to an RSA key (RFC 7518 section 4.3)."""
ProfileName = Literal["maskinporten", "skyporten", "idporten", "dnb", "helseid", "generic"]
"""The services that segl knows."""
TlsVersion = Literal["1.2", "1.3"]
"""A version of TLS."""
X5cForm = Literal["leaf", "chain", "none"]
"""How much of the certificate chain goes into `x5c`."""


@dataclass(frozen=True, kw_only=True)
class ClientKey:
    """One of several keys of a client: the same key pair on another token, or one that is registered
    beside the others. Each setting is as that of the client with the same name."""

    key: str = field(repr=False)
    """The URI of the private key: `pkcs11:…`, `awskms:…` or `file:…`."""
    alg: str | None = None
    """The signature algorithm; the key's usual one when left out."""
    certificate: str | None = field(default=None, repr=False)
    """`file:` URI of the certificate for `x5c`."""
    kid: str | None = None
    """The `kid` under which the public key is registered."""
    registered_until: str | None = None
    """When the registration under `kid` ends: a date such as "2027-11-20", or RFC 3339."""
    x5c: X5cForm | None = None
    """What goes into `x5c`: the leaf only (default) or the whole chain."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How a client speaks TLS, to the token endpoint and to the APIs behind it."""

    ca_file: str | None = None
    """The certificates (PEM) that servers' are checked against, instead of the operating system's."""
    certificate: str | None = field(default=None, repr=False)
    """`file:` URI of the client certificate (PEM with its issuers, or DER). Left out, the certificate
    beside the key (token object, PKCS#12, PEM) is used."""
    key: str | None = field(default=None, repr=False)
    """The URI of the client certificate's private key: `pkcs11:…`, `file:…` or `awskms:…`. Servers that
    ask for no certificate are given none."""
    min_version: TlsVersion | None = None
    """The oldest version that is spoken. Default `1.2`."""
    resumption: bool | None = None
    """Whether a later connection may resume the session of an earlier one, without a signature of the key.
    Default true. False makes every new connection sign."""


@dataclass(frozen=True, kw_only=True)
class Dpop:
    """Tokens that are bound to a key of the client (DPoP, RFC 9449): who steals one can do nothing with
    it."""

    alg: str | None = None
    """The algorithm of the proofs. Left out, that of the assertions when the key is the client's own, else
    the key's usual one."""
    key: str | None = field(default=None, repr=False)
    """The URI of the private key that tokens are bound to, with its PIN source: `pkcs11:…` or `file:…`.
    Left out, the client's own key is used, which several `keys` do not allow."""


@dataclass(frozen=True, kw_only=True)
class DecryptionKey:
    """One of several keys that others encrypt to. An answer names it by its `kid`, which is the one here or
    the public key's RFC 7638 thumbprint, or by `x5t#S256`, the thumbprint of the certificate."""

    key: str = field(repr=False)
    """The URI of the private key, as in `decryption.key`."""
    certificate: str | None = field(default=None, repr=False)
    """`file:` URI of the certificate that senders encrypt to (PEM or DER)."""
    kid: str | None = None
    """What senders call the key in `kid`."""


@dataclass(frozen=True, kw_only=True)
class Decryption:
    """The key with which answers are decrypted that come encrypted (JWE, RFC 7516), or several while one
    replaces another, and the algorithms that they may use."""

    key: str | None = field(default=None, repr=False)
    """The URI of the private key, an RSA key that may decrypt, with its PIN source: `pkcs11:…`, `awskms:…`
    or `file:…`. It is opened when it is used for the first time. Left out when `keys` is set."""
    keys: Sequence[DecryptionKey] = ()
    """Several keys, while some senders still encrypt to an old one: the key that an answer names decrypts
    it, and when it names none of them, the first that can. Excludes `key`."""
    content_encryption: Sequence[ContentEncryption] | None = None
    """How the content may be encrypted (`enc`). Default `A256GCM` and `A128CBC-HS256`."""
    key_encryption: Sequence[KeyEncryption] | None = None
    """How the key of the content may be encrypted (`alg`). Default `RSA-OAEP-256`."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where a service is and what it wants to be sent, where that differs from what segl knows."""

    api_key: str | None = field(default=None, repr=False)
    """Where the key is that some services want beside a token: `file:/ABSOLUTE/PATH` or `env:NAME`. It is
    `{api_key}` in `headers`."""
    base_url: str | None = None
    """The base URL, instead of that of the client's environment."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Headers by name, instead of or beside the service's usual ones. In a value, `{access_token}` and the
    placeholders that `docs/services.md` names for the service stand for what belongs there; an empty
    value leaves the header out."""


@dataclass(frozen=True, kw_only=True)
class SharedCache:
    """A token cache that several instances share. `docs/shared-cache.md` says what is in it, and what
    happens when it is away."""

    ca_file: str | None = None
    """The certificates (PEM) that a `rediss://` server's is checked against, instead of the operating
    system's."""
    key: str | None = field(default=None, repr=False)
    """Where the key is read from that seals the tokens: `file:/ABSOLUTE/PATH` or `env:NAME`. It is 32
    random bytes in base64 or base64url, the same for every instance."""
    keys: Sequence[str] = field(default=(), repr=False)
    """Several keys, while one replaces another: the first seals, each of them opens. Excludes `key`."""
    lease_ms: int | None = None
    """For how long one instance may keep the others waiting while it fetches a token, in milliseconds, 100
    to 60,000. Longer than a fetch usually lasts. Default 10,000."""
    password: str | None = field(default=None, repr=False)
    """Where the password for Redis is read from, once: `file:/ABSOLUTE/PATH` or `env:NAME`. Excludes a
    password in `url`."""
    prefix: str | None = None
    """What the names of segl's entries begin with. Default `segl`."""
    timeout_ms: int | None = None
    """Time for one question to the store in milliseconds, connecting included, 1 to 5,000. Default 250."""
    url: str | None = field(default=None, repr=False)
    """Where Redis or Valkey is: `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, `rediss://…` for TLS,
    or `redis+unix:///PATH[?db=DATABASE]`. Left out when the program gives a store of its own."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one client. The same words in TOML, in JSON through the C ABI, and in every binding;
    unknown ones are refused."""

    profile: ProfileName
    """Whose rules apply."""
    alg: str | None = None
    """The signature algorithm; the key's usual one when left out."""
    apis: Sequence[str] = ()
    """The base URLs of the APIs that `segl call`, `segl_client_send` and `segl::apis::ApiRequest` may send
    this client's tokens to: those URLs and all below them. Left out, any https URL."""
    audience: str | None = None
    """The `aud` claim, instead of the service's usual one."""
    audience_form: AudienceForm | None = None
    """Whether `aud` is a string or an array of one."""
    backdate_seconds: int | None = None
    """Seconds by which `iat` lies before the time of signing, 0 to 9, against clocks that are a little
    ahead. Default 2 for Digdir's services, else 0."""
    certificate: str | None = field(default=None, repr=False)
    """`file:` URI of the certificate (PEM with the chain, or DER) for `x5c`. Left out, a certificate
    beside the key (token object, PKCS#12, PEM) is used."""
    client_id: str | None = None
    """The client's identifier at the service. DNB gives it after registration; until then it may be left
    out for `segl register dnb`. An `eseal` needs none."""
    connect_timeout_ms: int | None = None
    """Time for the name look-up, and again for connection and TLS, in milliseconds. Default 5,000."""
    consumer_org: str | None = None
    """Organisation number of the consumer on whose behalf tokens are requested (Maskinporten delegation),
    unless a request names its own, or `null` for none."""
    decryption: Decryption | None = None
    """The keys to which services encrypt their answers, as the banks of DSOP Control do."""
    discovery: bool = False
    """Takes the token endpoint from the issuer's metadata (RFC 8414; DNB's and HelseID's is OpenID Connect
    Discovery, as is that of a generic server which answers 404 for the former), which is read at
    the first request and every 24 hours. A client with a client certificate uses the one in
    `mtls_endpoint_aliases` (RFC 8705), if there is one. Excludes `token_endpoint`."""
    dpop: Dpop | None = None
    """Tokens that are bound to a key of the client (DPoP, RFC 9449): profile `generic` when this is set,
    `helseid` always."""
    environment: Environment | None = None
    """Which environment of the service: sets issuer, audience and endpoint."""
    eseal: bool = False
    """The key is one of a European eSeal (Maskinporten's pilot): `x5c` has the whole chain, `kid` is
    excluded, and `client_id` may be left out."""
    grant: Grant | None = None
    """How the assertion is used (profile `generic` only)."""
    issuer: str | None = None
    """The authorisation server's issuer identifier, instead of the environment's."""
    jti: JtiForm | None = None
    """The form of `jti`."""
    key: str | None = field(default=None, repr=False)
    """The URI of the private key: `pkcs11:…`, `awskms:…` or `file:…`. Left out when `keys` is set, or when
    the program gives a signer of its own."""
    keys: Sequence[ClientKey] = ()
    """Several keys, used in order: a later one signs while those before it cannot, or the service refuses
    them. Excludes `key`, `kid`, `certificate`, `x5c`, `alg` and `registered_until`, which stand in
    each entry."""
    kid: str | None = None
    """The `kid` under which the public key is registered. DNB's default is the RFC 7638 thumbprint."""
    lifetime_seconds: int | None = None
    """Life of an assertion, `exp - iat`, in seconds."""
    max_response_bytes: int | None = None
    """The most bytes that the body of an answer may have, of the token endpoint and of APIs. Default
    1,048,576."""
    metadata: str | None = None
    """Where the metadata is, when it is not where the issuer's should be. As `discovery` otherwise."""
    nbf: bool = False
    """Adds `nbf`, equal to `iat`. Off by default."""
    omit_kid: bool = False
    """Leaves `kid` out of the assertion's header (profile `dnb` only)."""
    orgno: str | None = None
    """Organisation number of the client itself. A certificate must be that organisation's, and
    `consumer_org` another. Left out, the certificate's counts."""
    registered_until: str | None = None
    """When the registration under `kid` ends: a date such as "2027-11-20", which stands for its first
    second in UTC, or RFC 3339. Maskinporten's ends a year after the key was registered or
    registered again. Nothing is refused after it; see `warn_days`."""
    registration_audience: str | None = None
    """`aud` of the registration JWT (profile `dnb` only)."""
    registration_lifetime_seconds: int | None = None
    """Life of the registration JWT in seconds, at most 30 days (profile `dnb` only)."""
    resource: Sequence[str] = ()
    """`resource` (RFC 8707) of every token, unless a request names its own."""
    resource_form: AudienceForm | None = None
    """Whether `resource` is an array (default) or, when there is one, a string."""
    scopes: Sequence[str] = ()
    """Scopes of every token, unless a request names its own."""
    self_service: str | None = None
    """Base URL of Digdir's administration API, instead of the environment's, for `segl register
    maskinporten` (profile `maskinporten` only)."""
    send_client_id: bool = False
    """Sends `client_id` as a form parameter too (client assertions only)."""
    services: Mapping[str, Service] | None = None
    """The services behind this client's tokens, by name, where they differ from what segl knows of them."""
    shared_cache: SharedCache | None = None
    """A cache that the instances of a service share, so that not each of them fetches its own token."""
    timeout_ms: int | None = None
    """Time for one try to get a token, signing included, in milliseconds. Default 10,000. A call goes on
    trying until its own time is over."""
    tls: Tls | None = None
    """How the client speaks TLS: its certificate, and what it expects of servers."""
    token_endpoint: str | None = None
    """The token endpoint, instead of the environment's."""
    token_endpoint_auth_method: ClientAuthentication | None = None
    """How the client proves who it is (profile `generic` only). Default `private_key_jwt`. With a method
    of TLS it is the client certificate of `tls` alone: there is no assertion, and no setting of
    one."""
    typ: str | None = None
    """The `typ` header. An empty text leaves it out."""
    warn_days: int | None = None
    """How many days before a certificate or a registration of this client ends warnings begin: in the log,
    once a day while assertions are made, and in the health of its keys. Default 30; 0 for none."""
    x5c: X5cForm | None = None
    """What goes into `x5c`: the leaf only (default) or the whole chain."""
    x5t_s256: bool = False
    """Adds `x5t#S256`, the certificate's thumbprint, to the header."""

    @classmethod
    def from_json(cls, text: str) -> Config:
        """From a JSON object, as under `clients.NAME` in segl.toml.

        Raises `ConfigError` for text that is none and for members that segl does not know.
        """
        try:
            value = json.loads(text)
        except ValueError as error:
            # The text is not shown, as it may hold a PIN.
            raise ConfigError("the settings are not JSON") from error
        return _read(cls, value, "")

    def to_json(self) -> str:
        """The same as a JSON object. Members that have their usual value are left out."""
        return json.dumps(_words(self))


_NESTED: dict[str, type[Any]] = {
    "decryption": Decryption,
    "tls": Tls,
    "dpop": Dpop,
    "shared_cache": SharedCache,
}

# What the entries of `keys` are.
_KEYS: dict[type[Any], type[Any]] = {Config: ClientKey, Decryption: DecryptionKey}

_T = TypeVar("_T")


def _read(cls: type[_T], value: Any, path: str) -> _T:
    if not isinstance(value, Mapping):
        raise ConfigError(f'setting "{path or "."}" is no JSON object', config_path=path or None)
    known = {member.name for member in fields(cast(Any, cls))}
    members: dict[str, Any] = {}
    for name, member in value.items():
        at = f"{path}.{name}" if path else str(name)
        if name not in known:
            raise ConfigError(f'setting "{at}" is not known', config_path=at)
        if cls is Config and name in _NESTED and member is not None:
            member = _read(_NESTED[name], member, at)
        elif cls is Config and name == "services" and isinstance(member, Mapping):
            member = {own: _read(Service, service, f"{at}.{own}") for own, service in member.items()}
        elif name == "keys" and cls in _KEYS:
            member = tuple(_read(_KEYS[cls], key, f"{at}[{n}]") for n, key in enumerate(member))
        elif isinstance(member, list):
            member = tuple(member)
        members[name] = member
    try:
        return cls(**members)
    except TypeError:
        missing = next(name for name in ("profile", "key") if name in known and name not in members)
        at = f"{path}.{missing}" if path else missing
        raise ConfigError(f'setting "{at}" is missing', config_path=at) from None


def _words(value: Any) -> Any:
    if isinstance(value, (Config, ClientKey, Decryption, DecryptionKey, Tls, Dpop, Service, SharedCache)):
        members = ((member.name, getattr(value, member.name), member.default) for member in fields(value))
        return {name: _words(own) for name, own, usual in members if own != usual}
    if isinstance(value, Mapping):
        return {name: _words(own) for name, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [_words(each) for each in value]
    return value
