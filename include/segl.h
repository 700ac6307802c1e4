/* segl: signs JWT assertions with keys that never leave their HSM, and gets
 * access tokens with them. Generated from src/ffi; do not edit.
 *
 * The contract
 *
 *  1. A function that can fail returns segl_error *: NULL is success, otherwise
 *     the caller owns the error and frees it. There is no last-error state.
 *  2. On failure every out-pointer is zeroed (segl_token and segl_http_response
 *     keep struct_size).
 *  3. Inputs are borrowed for the call, and copied where they are kept. Nothing
 *     is consumed.
 *  4. Text is UTF-8 with a length in bytes. SEGL_S("text") gives both. Text and
 *     bytes that come out are segl_bytes: NUL-terminated, wiped when freed.
 *  5. Handles (segl_signer, segl_client, segl_validator, segl_transport, segl_cancel)
 *     are checked keys, not addresses: what was freed, is of another type or never
 *     was one is SEGL_INVALID_HANDLE. Freeing twice, or while another thread is inside, is
 *     harmless. Errors and segl_bytes are plain memory: free each once.
 *  6. Any function may be called from any thread at any time. Calls block up to
 *     their deadline.
 *  7. Structs begin with struct_size; zero-fill them, then set it to sizeof.
 *  8. Callbacks run on the thread that needs them, return normally (no
 *     exception, no longjmp), and may call segl. Their ctx is destroyed exactly
 *     once. They fail through segl_fail_set, whose text goes into errors and log
 *     records: it must hold no secret.
 *  9. After fork() handles work in the child; device sessions and connections
 *     are made anew on first use. A PKCS#11 module in which another thread is at
 *     the moment of the fork may crash or hang in the child, and segl's own threads
 *     are in it too (keep-alive, recovery): open keys after the fork, or fork before
 *     the first key is used.
 * 10. Integers are int32_t, uint32_t, int64_t, uint64_t and size_t. Within a major
 *     version of the ABI there are only additions.
 */


#ifndef SEGL_H
#define SEGL_H

#include <stddef.h>
#include <stdint.h>

/* A string literal as pointer and length. */
#define SEGL_S(literal) (literal), (sizeof(literal) - 1)

#if defined(__GNUC__) || defined(__clang__)
#define SEGL_MUST_USE __attribute__((warn_unused_result))
#else
#define SEGL_MUST_USE
#endif

/* Error numbers; docs/errors.md says more. A number is never reused. */
enum {
  /* Success: a NULL segl_error. */
  SEGL_OK = 0,
  /* A fault in segl: a panic was caught at the C ABI. Please report it. */
  SEGL_PANIC = 1,
  /* An argument that must not be NULL was NULL. */
  SEGL_NULL_ARGUMENT = 2,
  /* A handle was freed already, is of another type, or never was one. */
  SEGL_INVALID_HANDLE = 3,
  /* An argument has a value that cannot be used. */
  SEGL_INVALID_ARGUMENT = 4,
  /* Text is not valid UTF-8. */
  SEGL_INVALID_UTF8 = 5,
  /* The configuration is wrong; config_path names the setting. */
  SEGL_CONFIG = 6,
  /* This build or this key cannot do what was asked. */
  SEGL_UNSUPPORTED = 7,
  /* The call was cancelled. */
  SEGL_CANCELLED = 8,
  /* The call's time ran out. */
  SEGL_TIMEOUT = 9,
  /* A callback of the host failed. */
  SEGL_CALLBACK_FAILED = 10,
  /* A file could not be read or written. */
  SEGL_IO = 11,
  /* A key URI does not follow its grammar, or its parts contradict each other. */
  SEGL_KEY_URI = 100,
  /* No such key. */
  SEGL_KEY_NOT_FOUND = 101,
  /* More than one key answers the URI; the message lists them. */
  SEGL_KEY_AMBIGUOUS = 102,
  /* The key has the wrong type, curve or size for this use. */
  SEGL_KEY_TYPE = 103,
  /* The algorithm is unknown, or the key cannot make it. */
  SEGL_ALGORITHM = 104,
  /* A key or certificate file cannot be read as PEM, DER or PKCS#12. */
  SEGL_KEY_FORMAT = 105,
  /* The passphrase is missing or wrong. */
  SEGL_PASSPHRASE = 106,
  /* A PIN or passphrase source cannot be read, or is not allowed. */
  SEGL_PIN_SOURCE = 107,
  /* A certificate cannot be used: unreadable, missing, or not valid now. */
  SEGL_CERTIFICATE = 108,
  /* The certificate belongs to another key. */
  SEGL_CERTIFICATE_MISMATCH = 109,
  /* A device returned a signature that does not verify; it was not released. */
  SEGL_SIGNATURE_FAULT = 110,
  /* A key with this name exists already; nothing was written. */
  SEGL_KEY_EXISTS = 111,
  /* The private key can leave its device, or the device does not say that it cannot, and the key's URI does not allow that. */
  SEGL_KEY_EXTRACTABLE = 112,
  /* The key is not the one whose thumbprint the URI names. */
  SEGL_PUBLIC_KEY_MISMATCH = 113,
  /* The PKCS#11 module cannot be loaded. */
  SEGL_MODULE_LOAD = 200,
  /* The PKCS#11 module cannot be initialised. */
  SEGL_MODULE_INIT = 201,
  /* No token answers the URI; the message lists those present. */
  SEGL_TOKEN_NOT_FOUND = 202,
  /* More than one token answers the URI; the message lists them. */
  SEGL_TOKEN_AMBIGUOUS = 203,
  /* The token needs a PIN and none was given. */
  SEGL_PIN_REQUIRED = 204,
  /* The token refused the PIN. It was tried once and is not tried again. */
  SEGL_PIN_INCORRECT = 205,
  /* The token has locked its PIN, or one more wrong try would. */
  SEGL_PIN_LOCKED = 206,
  /* The PIN has expired, must be changed first, or was never set. */
  SEGL_PIN_EXPIRED = 207,
  /* The session with the token was lost. */
  SEGL_SESSION_LOST = 208,
  /* All sessions with the token were busy until the call's time ran out. */
  SEGL_POOL_TIMEOUT = 209,
  /* The token or its module reported a fault of its own. */
  SEGL_DEVICE = 210,
  /* The token refuses the mechanism or what the key may do. */
  SEGL_MECHANISM = 211,
  /* The token does not answer and is left alone for a moment; retry_after_ms says how long. */
  SEGL_TOKEN_UNAVAILABLE = 212,
  /* Nothing that may be done inside this process helps any more; a new process can use the token again. */
  SEGL_RESTART_REQUIRED = 213,
  /* The key was opened before this process was forked, and its URI forbids its use in the child. */
  SEGL_FORKED = 214,
  /* The token says that the last PIN it saw was wrong, so no PIN was tried that has not worked in this process before. */
  SEGL_PIN_GUARD = 215,
  /* KMS knows no such key or alias in this region and account. */
  SEGL_KMS_NOT_FOUND = 300,
  /* The KMS key is disabled. */
  SEGL_KMS_DISABLED = 301,
  /* The KMS key is in a state in which it cannot be used, for example pending deletion. */
  SEGL_KMS_STATE = 302,
  /* The credentials do not allow this with the KMS key. */
  SEGL_KMS_ACCESS_DENIED = 303,
  /* KMS asks to slow down: a quota of requests is used up. */
  SEGL_KMS_THROTTLED = 304,
  /* KMS, or the service that gives credentials for it, has a fault of its own, or failed a moment ago and is left alone; retry_after_ms tells how long. */
  SEGL_KMS_UNAVAILABLE = 305,
  /* No AWS credentials were found, or AWS refused those that were. */
  SEGL_KMS_CREDENTIALS = 306,
  /* The KMS key is not for signatures, or not for this algorithm. */
  SEGL_KMS_KEY_USAGE = 307,
  /* The answer is not what KMS documents: not JSON, or a member is missing or wrong. */
  SEGL_KMS_BAD_RESPONSE = 308,
  /* The alias leads to another KMS key than when it was opened. */
  SEGL_KMS_KEY_CHANGED = 309,
  /* AWS refused the time of the request, also after this machine's clock was corrected by the one of AWS. */
  SEGL_KMS_CLOCK = 310,
  /* No AWS region is set, or its name cannot be one. */
  SEGL_KMS_REGION = 311,
  /* KMS refused the request for another reason; the message has its words. */
  SEGL_KMS_REFUSED = 312,
  /* The server cannot be reached: name look-up, connection or transfer. */
  SEGL_NETWORK = 400,
  /* TLS failed: the server's certificate, its name, or the protocol. */
  SEGL_TLS = 401,
  /* The answer is larger than allowed. */
  SEGL_RESPONSE_TOO_LARGE = 402,
  /* The URL is not https, or not a URL. */
  SEGL_URL = 403,
  /* The server wants a client certificate, and there is none to give. */
  SEGL_CLIENT_CERTIFICATE_REQUIRED = 410,
  /* The server does not take the client certificate. */
  SEGL_CLIENT_CERTIFICATE_REFUSED = 411,
  /* Client and server have no version of TLS in common. */
  SEGL_TLS_VERSION = 412,
  /* invalid_request: the token endpoint could not read the request. */
  SEGL_TOKEN_INVALID_REQUEST = 500,
  /* invalid_client: client authentication failed. */
  SEGL_TOKEN_INVALID_CLIENT = 501,
  /* invalid_grant: the assertion was refused. */
  SEGL_TOKEN_INVALID_GRANT = 502,
  /* unauthorized_client: the client may not use this grant. */
  SEGL_TOKEN_UNAUTHORIZED_CLIENT = 503,
  /* unsupported_grant_type: the endpoint does not know the grant. */
  SEGL_TOKEN_UNSUPPORTED_GRANT_TYPE = 504,
  /* invalid_scope: a scope is unknown or not on the client. */
  SEGL_TOKEN_INVALID_SCOPE = 505,
  /* invalid_target: the resource is not acceptable (RFC 8707). */
  SEGL_TOKEN_INVALID_TARGET = 506,
  /* The client or consumer has not been given access, or has not delegated it. */
  SEGL_TOKEN_ACCESS_DENIED = 507,
  /* invalid_authorization_details (RFC 9396). */
  SEGL_TOKEN_INVALID_AUTHORIZATION_DETAILS = 508,
  /* The token endpoint has a fault of its own (HTTP 5xx). */
  SEGL_TOKEN_SERVER = 509,
  /* The token endpoint asks to slow down (HTTP 429). */
  SEGL_TOKEN_RATE_LIMITED = 510,
  /* The answer is not a token response: HTML, not JSON, or a member is missing. */
  SEGL_TOKEN_BAD_RESPONSE = 511,
  /* Another OAuth error; oauth_error has its name. */
  SEGL_TOKEN_OTHER = 512,
  /* The assertion could not be read. */
  SEGL_TOKEN_ASSERTION_MALFORMED = 520,
  /* The assertion was used before. Another attempt has a jti of its own. */
  SEGL_TOKEN_ASSERTION_REUSED = 521,
  /* The service does not know the client, or not in this environment. */
  SEGL_TOKEN_CLIENT_UNKNOWN = 522,
  /* aud is not what the service calls itself. */
  SEGL_TOKEN_AUDIENCE_REFUSED = 523,
  /* The service does not accept the certificate, or not in this environment. */
  SEGL_TOKEN_CERTIFICATE_REFUSED = 524,
  /* The key was registered too long ago and must be registered again. */
  SEGL_TOKEN_KEY_EXPIRED = 525,
  /* The certificate is another organisation's than the client. */
  SEGL_TOKEN_ORGANISATION_MISMATCH = 526,
  /* The header's x5c was refused. */
  SEGL_TOKEN_X5C_REFUSED = 527,
  /* The signature does not verify with the key or certificate that the header names. */
  SEGL_TOKEN_SIGNATURE_REFUSED = 528,
  /* The assertion came after its exp. */
  SEGL_TOKEN_ASSERTION_EXPIRED = 529,
  /* The assertion's iat is ahead of the service's clock. */
  SEGL_TOKEN_ASSERTION_FROM_FUTURE = 530,
  /* exp - iat is longer than the service allows. */
  SEGL_TOKEN_LIFETIME_REFUSED = 531,
  /* A scope is not on the client. */
  SEGL_TOKEN_SCOPE_NOT_ON_CLIENT = 532,
  /* A scope cannot be had from this service or with this kind of client. */
  SEGL_TOKEN_SCOPE_NOT_ALLOWED = 533,
  /* The scope's owner has not given the consumer access. */
  SEGL_TOKEN_SCOPE_NOT_GRANTED = 534,
  /* The consumer has not delegated the scope to the client's organisation. */
  SEGL_TOKEN_NOT_DELEGATED = 535,
  /* consumer_org is the client's own organisation. */
  SEGL_TOKEN_CONSUMER_IS_SELF = 536,
  /* The service does not know a type in authorization_details. */
  SEGL_TOKEN_DETAILS_TYPE_UNKNOWN = 537,
  /* authorization_details has a member that its type does not know. */
  SEGL_TOKEN_DETAILS_MEMBER_UNKNOWN = 538,
  /* authorization_details names something that is not registered. */
  SEGL_TOKEN_DETAILS_REFUSED = 539,
  /* No key is registered under this kid, or not yet. */
  SEGL_TOKEN_KID_UNKNOWN = 540,
  /* The client has registered keys, and the assertion names none by kid. */
  SEGL_TOKEN_KID_REQUIRED = 541,
  /* A claim is missing, or is not one that the service documents. */
  SEGL_TOKEN_CLAIM_REFUSED = 542,
  /* The server's metadata (RFC 8414) cannot be used: not found, not JSON, a member is missing, or it is another issuer's. */
  SEGL_METADATA_INVALID = 543,
  /* The token endpoint wants a DPoP proof with a nonce (RFC 9449 section 8), and gave none, or did not take the one that it gave. */
  SEGL_TOKEN_DPOP_NONCE = 544,
  /* The token endpoint refused the DPoP proof (invalid_dpop_proof). */
  SEGL_TOKEN_DPOP_PROOF_REFUSED = 545,
  /* The access token is of another type than was asked for: of type Bearer for a request with a DPoP proof, or of type DPoP for one without. */
  SEGL_TOKEN_TYPE_MISMATCH = 546,
  /* The access token is bound to another key than that of the DPoP proof. */
  SEGL_TOKEN_BOUND_TO_ANOTHER_KEY = 547,
  /* The API refused the request (HTTP 4xx). */
  SEGL_API_REFUSED = 600,
  /* The API refused the access token, also a new one (HTTP 401). */
  SEGL_API_UNAUTHORIZED = 601,
  /* The access token does not allow this at the API (HTTP 403). */
  SEGL_API_FORBIDDEN = 602,
  /* The API knows nothing of what was asked about (HTTP 404). */
  SEGL_API_NOT_FOUND = 603,
  /* The API asks to slow down (HTTP 429). */
  SEGL_API_RATE_LIMITED = 604,
  /* The API has a fault of its own (HTTP 5xx). */
  SEGL_API_SERVER = 605,
  /* The API's answer is not what was agreed: not JSON, or a member is missing. */
  SEGL_API_BAD_RESPONSE = 606,
  /* The API refused the DPoP proof (invalid_dpop_proof). */
  SEGL_API_DPOP_PROOF_REFUSED = 607,
  /* The API wants a DPoP proof with a nonce (RFC 9449 section 9), and gave none, or did not take the one that it gave. */
  SEGL_API_DPOP_NONCE = 608,
  /* A key is not registered at the service, or its registration is about to end. */
  SEGL_KEY_REGISTRATION = 610,
  /* The client's setting apis does not let its tokens be sent to this URL. */
  SEGL_API_NOT_ALLOWED = 612,
  /* The API could not read the request: a value, a date or a period in it. */
  SEGL_API_INVALID_REQUEST = 620,
  /* The API says that an identifier in the request is none: of a person, an organisation or an account. */
  SEGL_API_INVALID_IDENTIFIER = 621,
  /* The client may not do this for the organisation that was named. */
  SEGL_API_OTHER_ORGANISATION = 622,
  /* The API does not take the consent. */
  SEGL_API_CONSENT_REFUSED = 623,
  /* What is known about an interrupted batch does not belong to this file or this request. */
  SEGL_BATCH_STATE = 624,
  /* A line of a batch is wrong; nothing of it was sent. */
  SEGL_BATCH_LINE = 625,
  /* The encrypted answer (JWE) cannot be read or decrypted. */
  SEGL_JWE_INVALID = 630,
  /* The encrypted answer (JWE) uses an algorithm that is not allowed. */
  SEGL_JWE_ALGORITHM = 631,
  /* The token is no signed JWT, or a claim is missing or of another form. */
  SEGL_ACCESS_TOKEN_MALFORMED = 700,
  /* The token's algorithm is not allowed. */
  SEGL_ACCESS_TOKEN_ALGORITHM = 701,
  /* The issuer has no key with the token's kid. */
  SEGL_ACCESS_TOKEN_KEY_UNKNOWN = 702,
  /* The token's signature does not verify. */
  SEGL_ACCESS_TOKEN_SIGNATURE = 703,
  /* The token is another issuer's. */
  SEGL_ACCESS_TOKEN_ISSUER = 704,
  /* The token has expired. */
  SEGL_ACCESS_TOKEN_EXPIRED = 705,
  /* The token is not valid yet, by this machine's clock. */
  SEGL_ACCESS_TOKEN_NOT_YET_VALID = 706,
  /* The token is for another API (aud). */
  SEGL_ACCESS_TOKEN_AUDIENCE = 707,
  /* The token does not have the scope. */
  SEGL_ACCESS_TOKEN_SCOPE = 708,
  /* The token is of another organisation than was asked for (consumer). */
  SEGL_ACCESS_TOKEN_CONSUMER = 709,
  /* The token's supplier, or where its delegation comes from, is not the one that was asked for. */
  SEGL_ACCESS_TOKEN_SUPPLIER = 710,
  /* The token is restricted to another person, or to none (pid). */
  SEGL_ACCESS_TOKEN_PERSON = 711,
  /* The token is not bound to the key or certificate of its sender (cnf). */
  SEGL_ACCESS_TOKEN_BINDING = 712,
  /* The DPoP proof beside the token is missing, wrong, too old, or was used before (RFC 9449 section 4.3). */
  SEGL_DPOP_PROOF_INVALID = 713,
  /* There is no consent. */
  SEGL_CONSENT_MISSING = 720,
  /* The consent cannot be read, or there is more than one. */
  SEGL_CONSENT_MALFORMED = 721,
  /* The consent has ended, or has not been given yet. */
  SEGL_CONSENT_EXPIRED = 722,
  /* The consent was given to another organisation. */
  SEGL_CONSENT_ORGANISATION = 723,
  /* The consent was given by another person or organisation. */
  SEGL_CONSENT_GIVER = 724,
  /* The consent does not cover what was asked for. */
  SEGL_CONSENT_RIGHT = 725,
  /* The issuer's keys cannot be had, and none are known. */
  SEGL_JWKS_UNAVAILABLE = 730,
  /* The issuer's keys (JWKS) cannot be read, or none of them can be used. */
  SEGL_JWKS_INVALID = 731
};


/*
 The version of this header: major << 16 | minor. Within a major there are
 only additions, each with a new minor.
 */
#define SEGL_ABI_VERSION ((1 << 16) | 2)

/*
 In `segl_call.flags`: `segl_client_token` and `segl_client_token_if_newer` also
 fill in `response_json`. Other functions refuse it.
 */
#define SEGL_CALL_RESPONSE_JSON 1

/*
 1 when the same call may succeed later without any change, else 0. Always
 present. Integer.
 */
#define SEGL_FIELD_RETRYABLE 1

/*
 How long the server asked to wait, in milliseconds. Integer.
 */
#define SEGL_FIELD_RETRY_AFTER_MS 2

/*
 The HTTP status of the answer; of a 700 error, the one that an API answers the token with.
 Integer.
 */
#define SEGL_FIELD_HTTP_STATUS 3

/*
 The PKCS#11 return value (CK_RV). Integer.
 */
#define SEGL_FIELD_CK_RV 4

/*
 The PKCS#11 function that returned it, for example "C_Login". Text.
 */
#define SEGL_FIELD_CK_FUNCTION 100

/*
 "error" of the token endpoint (RFC 6749 section 5.2); of a 700 error, the one that an API
 answers the token with (RFC 6750 section 3.1). Text.
 */
#define SEGL_FIELD_OAUTH_ERROR 101

/*
 "error_description" of the token endpoint. Text.
 */
#define SEGL_FIELD_OAUTH_ERROR_DESCRIPTION 102

/*
 "error_uri" of the token endpoint. Text.
 */
#define SEGL_FIELD_ERROR_URI 103

/*
 The provider's own code, for example Maskinporten's "MP-122". Text.
 */
#define SEGL_FIELD_PROVIDER_CODE 104

/*
 The provider's trace id, to be quoted in a support case. Text.
 */
#define SEGL_FIELD_TRACE_ID 105

/*
 The path of the setting at fault, for example "clients.bank.key". Text.
 */
#define SEGL_FIELD_CONFIG_PATH 106

/*
 A fault in segl itself.
 */
#define SEGL_LOG_ERROR 1

/*
 Something will fail, or was retried.
 */
#define SEGL_LOG_WARN 2

/*
 A session was opened, a token fetched.
 */
#define SEGL_LOG_INFO 3

/*
 Timings and decisions.
 */
#define SEGL_LOG_DEBUG 4

/*
 Set in `segl_token.flags` when the token was in the cache.
 */
#define SEGL_TOKEN_FROM_CACHE 1

/*
 Set in `segl_token.flags` when the caller holds this token already; nothing was
 copied then.
 */
#define SEGL_TOKEN_UNCHANGED 2

/*
 Set in `segl_token.flags` when the token is bound to a key: it goes into the header
 `Authorization: DPoP`, and each request needs a proof from `segl_client_dpop_proof`.
 */
#define SEGL_TOKEN_DPOP 4

/*
 A handle on something that ends calls early.
 */
typedef struct segl_cancel segl_cancel;

/*
 A handle on a client of a token endpoint.
 */
typedef struct segl_client segl_client;

/*
 What failed, on what, and what to do about it. It never carries a PIN,
 passphrase, token, assertion, private key or personal identifier.
 */
typedef struct segl_error segl_error;

/*
 Where a callback says why it fails. Valid while the callback runs; setting
 it later does nothing.
 */
typedef struct segl_fail segl_fail;

/*
 Where a host's transport puts the answer. Valid while its `send` runs; setting it
 later does nothing.
 */
typedef struct segl_reply segl_reply;

/*
 A handle on a private key that can sign.
 */
typedef struct segl_signer segl_signer;

/*
 A handle on an HTTP transport that the host implements.
 */
typedef struct segl_transport segl_transport;

/*
 A handle on what checks the access tokens of one issuer.
 */
typedef struct segl_validator segl_validator;

/*
 The bounds of one call. Zero-fill it, set `struct_size`, then what is
 needed. Where a function takes one, NULL means no bounds of its own.
 */
typedef struct {
  /*
   `sizeof(segl_call)`.
   */
  size_t struct_size;
  /*
   The time the whole call may take, in milliseconds; 0 leaves it to the
   defaults of segl. A PKCS#11 module that hangs is left behind then, unless
   the key's URI says `threads=caller`.
   */
  uint32_t timeout_ms;
  /*
   0, or `SEGL_CALL_RESPONSE_JSON` where a function says so.
   */
  uint32_t flags;
  /*
   Ends the call early when it is triggered. May be NULL.
   */
  const segl_cancel *cancel;
} segl_call;

/*
 Bytes or text that segl made: `data[0]` to `data[len - 1]`, and a NUL at
 `data[len]` that is not counted. Text is UTF-8.

 They belong to the caller, who frees them with `segl_bytes_free` and changes
 none of the members. A zero-filled `segl_bytes` is empty and needs no free.
 */
typedef struct {
  /*
   The bytes; NULL in a zero-filled struct.
   */
  uint8_t *data;
  /*
   How many, without the NUL.
   */
  size_t len;
  /*
   How many bytes segl allocated; for `segl_bytes_free` alone.
   */
  size_t cap;
} segl_bytes;

/*
 What a client is made of. Zero-fill it, then set `struct_size` and the rest.
 It is copied.
 */
typedef struct {
  /*
   `sizeof(segl_client_params)`.
   */
  size_t struct_size;
  /*
   The settings of one client, a JSON object with the words of segl.toml
   (docs/config.schema.json). UTF-8. NULL when `config_path` is set.
   */
  const char *config_json;
  /*
   The length of `config_json` in bytes.
   */
  size_t config_json_len;
  /*
   The client's key, in the place of the settings `key` and `keys`. May be NULL. It is
   shared: the caller may free the handle at once.
   */
  const segl_signer *signer;
  /*
   The key of the client certificate that servers are shown in TLS, in the place of
   the setting `tls.key`; its certificate is `tls.certificate`, or the one beside
   it. May be NULL. It is shared, as `signer`.
   */
  const segl_signer *tls_signer;
  /*
   The key that tokens are bound to (DPoP), in the place of the setting `dpop.key`. May
   be NULL. It is shared: the caller may free the handle at once.
   */
  const segl_signer *dpop_signer;
  /*
   What sends the client's requests, in the place of segl's own HTTP. May be NULL. It
   is shared: the caller may free the handle at once. The setting `tls` has no
   meaning beside it, and is refused.
   */
  const segl_transport *transport;
  /*
   The path of a configuration file (segl.toml), in the place of `config_json`:
   exactly one of the two is set. UTF-8.
   */
  const char *config_path;
  /*
   The length of `config_path` in bytes.
   */
  size_t config_path_len;
  /*
   The client in the file. NULL when `config_json` is set.
   */
  const char *client_name;
  /*
   The length of `client_name` in bytes.
   */
  size_t client_name_len;
} segl_client_params;

/*
 An access token. Zero-fill it and set `struct_size` before the first use;
 free it with `segl_token_free` before it is used again.
 */
typedef struct {
  /*
   `sizeof(segl_token)`.
   */
  size_t struct_size;
  /*
   The token, for the header `Authorization: Bearer`; with the flag
   `SEGL_TOKEN_DPOP`, for `Authorization: DPoP`.
   */
  segl_bytes access_token;
  /*
   The whole token response, JSON (RFC 6749 section 5.1), where
   `SEGL_CALL_RESPONSE_JSON` asked for it; else empty.
   */
  segl_bytes response_json;
  /*
   When the token ends, in milliseconds since 1970, UTC.
   */
  int64_t expires_at_ms;
  /*
   `SEGL_TOKEN_` flags.
   */
  uint32_t flags;
  /*
   0.
   */
  uint32_t reserved;
  /*
   Tells this token from every other that this process was given; never 0.
   `segl_client_token_if_newer` and `segl_client_reject` take it.
   */
  uint64_t generation;
} segl_token;

/*
 A request to an API. Zero-fill it, then set `struct_size` and what is needed. It
 is copied.
 */
typedef struct {
  /*
   `sizeof(segl_http_request)`.
   */
  size_t struct_size;
  /*
   "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS". Must not be NULL.
   */
  const char *method;
  /*
   The length of `method` in bytes.
   */
  size_t method_len;
  /*
   An https URL, or an http one on the loopback interface. Must not be NULL.
   */
  const char *url;
  /*
   The length of `url` in bytes.
   */
  size_t url_len;
  /*
   More headers: a JSON array of pairs, such as [["Content-Type","text/plain"]].
   May be NULL with length 0. `Authorization`, `DPoP`, `Host` and `Content-Length`
   are segl's to set; JSON is asked for unless there is an `Accept`.
   */
  const char *headers_json;
  /*
   The length of `headers_json` in bytes.
   */
  size_t headers_json_len;
  /*
   The body of a POST, PUT or PATCH. May be NULL with length 0.
   */
  const uint8_t *body;
  /*
   The length of `body` in bytes.
   */
  size_t body_len;
} segl_http_request;

/*
 An API's answer. Zero-fill it and set `struct_size` before the first use; free it
 with `segl_http_response_free` before it is used again.
 */
typedef struct {
  /*
   `sizeof(segl_http_response)`.
   */
  size_t struct_size;
  /*
   The headers in their order: a JSON array of pairs of lower-case name and value.
   Bytes that are not UTF-8 have become U+FFFD.
   */
  segl_bytes headers_json;
  /*
   The whole body, as it came; at most as long as the client's setting
   `max_response_bytes` allows.
   */
  segl_bytes body;
  /*
   The HTTP status, for example 200.
   */
  int32_t status;
  /*
   0.
   */
  uint32_t reserved;
} segl_http_response;

/*
 Receives log records. Zero-fill it, then set `struct_size` and the rest. It
 is copied.

 Records hold no PIN, passphrase, token, assertion, private key or personal
 identifier.
 */
typedef struct {
  /*
   `sizeof(segl_log_sink)`.
   */
  size_t struct_size;
  /*
   Handed to the functions. May be NULL.
   */
  void *ctx;
  /*
   Takes one record of a `SEGL_LOG_` level. `target` is the layer that it
   comes from, for example "pkcs11". Called on the thread of the call that
   the record is about, or on one of segl's own, on several at a time. It
   returns normally: no exception and no longjmp leaves it. It may call
   segl; records made by such calls are dropped. Must not be NULL.
   */
  void (*log)(void *ctx,
              int32_t level,
              const char *target,
              size_t target_len,
              const char *message,
              size_t message_len);
  /*
   Releases `ctx`. Called exactly once, when the sink was replaced and the
   last thread has left it; never when the sink could not be set. May be
   NULL.
   */
  void (*destroy)(void *ctx);
} segl_log_sink;

/*
 An HTTP transport that the host implements: its own HTTP client, with the proxy, the
 certificates and the tracing that it has. Zero-fill it, then set `struct_size` and
 the rest. It is copied.

 It sends requests for tokens and for the server's metadata, and those of
 `segl_client_send`; not those of `awskms:` keys and of `shared_cache`, which have
 connections of their own.

 The functions are called on the threads that call segl, and for tokens on threads
 that segl starts, on several at a time. They return normally: no exception and no
 longjmp leaves them. They may call segl, but `send` must not wait for a token of a
 client that it sends for: that token may wait for this very answer, and the wait
 ends by its deadline only.
 */
typedef struct {
  /*
   `sizeof(segl_transport_vtable)`.
   */
  size_t struct_size;
  /*
   Handed to the functions. May be NULL.
   */
  void *ctx;
  /*
   Sends `request`, follows no redirect, and waits for the whole answer for at most
   `timeout_ms` milliseconds, which is never 0. It puts the answer, whatever its
   status, in `reply` with `segl_reply_set` and returns 0. Anything else is a
   failure, and `segl_fail_set` says why; with `SEGL_NETWORK` or `SEGL_TIMEOUT` the
   request is tried again where that is safe. The request may hold secrets in its
   headers and its body; the pointers are valid until it returns. Must not be NULL.

   Nothing interrupts it: a `segl_client_send` that is cancelled, or whose time is up,
   ends when it returns. Who waits for a token waits no longer than the call says.
   */
  int32_t (*send)(void *ctx,
                  const segl_http_request *request,
                  uint32_t timeout_ms,
                  const segl_reply *reply,
                  const segl_fail *fail);
  /*
   Releases `ctx`. Called exactly once, when the last user of the transport is
   done, on that user's thread; never when the transport could not be made. May be
   NULL.
   */
  void (*destroy)(void *ctx);
} segl_transport_vtable;

/*
 What a validator is made of. Zero-fill it, then set `struct_size` and the rest.
 It is copied.
 */
typedef struct {
  /*
   `sizeof(segl_validator_params)`.
   */
  size_t struct_size;
  /*
   The settings of one validator, a JSON object with the words of segl.toml
   (docs/config.schema.json). UTF-8. NULL when `config_path` is set.
   */
  const char *config_json;
  /*
   The length of `config_json` in bytes.
   */
  size_t config_json_len;
  /*
   The path of a configuration file (segl.toml), in the place of `config_json`:
   exactly one of the two is set. UTF-8.
   */
  const char *config_path;
  /*
   The length of `config_path` in bytes.
   */
  size_t config_path_len;
  /*
   The validator in the file. NULL when `config_json` is set.
   */
  const char *validator_name;
  /*
   The length of `validator_name` in bytes.
   */
  size_t validator_name_len;
  /*
   What reads the issuer's keys, in the place of segl's own HTTP. May be NULL. It is
   shared: the caller may free the handle at once. The setting `ca_file` has no meaning
   beside it, and is refused.
   */
  const segl_transport *transport;
} segl_validator_params;

/*
 A signer that the host implements: another SDK, a cloud vault, a smart card.
 Zero-fill it, then set `struct_size` and the rest. It is copied.

 The functions are called on the threads that need signatures, and for tokens on
 threads that segl starts, on several at
 a time. They return normally: no exception and no longjmp leaves them. They
 may call segl.
 */
typedef struct {
  /*
   `sizeof(segl_signer_vtable)`.
   */
  size_t struct_size;
  /*
   Handed to the functions. May be NULL.
   */
  void *ctx;
  /*
   Signs `message`, which is not hashed yet, with `alg`, a JOSE name such
   as "ES256". The signature goes to `sig` in JOSE form: RSA as it is,
   ECDSA as R||S. `*sig_len` is the room at `sig`, 1024 bytes, and is set to
   the signature's length. Returns 0 for success; anything else is a
   failure, and `segl_fail_set` says why. The pointers are valid until it
   returns. Must not be NULL.
   */
  int32_t (*sign)(void *ctx,
                  const char *alg,
                  size_t alg_len,
                  const uint8_t *message,
                  size_t message_len,
                  uint8_t *sig,
                  size_t *sig_len,
                  const segl_fail *fail);
  /*
   Releases `ctx`. Called exactly once, when the last user of the signer is
   done, on that user's thread; never when the signer could not be made.
   May be NULL.
   */
  void (*destroy)(void *ctx);
} segl_signer_vtable;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The ABI version of the loaded library, as `SEGL_ABI_VERSION`. A program
 needs the same major and at least its own minor.

 Ownership: nothing is passed.
 NULL: there is nothing that could be NULL.
 Threads: any thread, any time.
 Failure: it cannot fail.
 */
uint32_t segl_abi_version(void);

/*
 The version of the loaded library, for example "1.2.3".

 Ownership: the text is static, NUL-terminated, and not freed.
 NULL: the answer is never NULL.
 Threads: any thread, any time.
 Failure: it cannot fail.
 */
const char *segl_version(void);

/*
 Frees every handle, ends logging, closes the sessions with tokens, and
 finalizes the PKCS#11 modules that segl initialised. Optional; segl does
 nothing by itself when a program ends. What is called after it has succeeded
 starts anew. A program with keys on tokens calls it before it ends: a module that
 cleans up at exit while a thread of segl still closes its sessions may crash.

 Another user of such a module in this process (Java's SunPKCS11, for example)
 finds it finalized. A module that was initialised before segl came to it stays
 initialised: only segl's own sessions end.

 Ownership: ends the caller's ownership of all handles. Errors, bytes and
 tokens stay the caller's.
 NULL: there is nothing that could be NULL.
 Threads: any thread; calls that run on other threads finish with what they
 have, or fail.
 Failure: `SEGL_TIMEOUT` when calls into a module do not end within 5 seconds,
 or what a module says to `C_Finalize`; call it again then, for keys of that
 module cannot be opened until it has succeeded.
 */
SEGL_MUST_USE segl_error *segl_shutdown(void);

/*
 Calls an operation of an API that segl knows, with the client's access token:
 "krr.lookup" and the others in docs/services.md. The token is replaced once when the API
 refuses it, and what changes nothing is sent again after failures that pass.

 `input_json` is the JSON object that docs/operations.schema.json describes for the
 operation, for example `{"persons":["05848998356"]}` for "krr.lookup".
 `token_request_json` is as for `segl_client_assertion`.

 Ownership: the inputs are borrowed. `out_json`, a JSON object, becomes the caller's; free
 it with `segl_bytes_free`.
 NULL: `client`, `operation`, `input_json` and `out_json` must not be NULL;
 `token_request_json` may be NULL with length 0; `call` may be NULL.
 Threads: any thread, any time, also with the same client, which may be freed meanwhile. It
 blocks until the answer is there.
 Failure: `SEGL_INVALID_ARGUMENT` for an operation or input that is none,
 `SEGL_CONFIG` for the client's setting `services`, a `SEGL_API_` error when the API
 refuses, otherwise as `segl_client_send`; `out_json` is zero-filled then.
 */
SEGL_MUST_USE
segl_error *segl_client_call_api(const segl_client *client,
                                 const char *operation,
                                 size_t operation_len,
                                 const char *input_json,
                                 size_t input_json_len,
                                 const char *token_request_json,
                                 size_t token_request_json_len,
                                 const segl_call *call,
                                 segl_bytes *out_json);

/*
 Makes a cancel token. Calls that carry it end with `SEGL_CANCELLED` once it
 is triggered.

 Ownership: `out` becomes the caller's; free it with `segl_cancel_free`.
 NULL: `out` must not be NULL.
 Threads: any thread, any time.
 Failure: only for a NULL argument.
 */
SEGL_MUST_USE segl_error *segl_cancel_new(segl_cancel **out);

/*
 Ends every call that carries the token, now and later. It cannot be undone;
 triggering again does nothing.

 Ownership: `cancel` is borrowed.
 NULL: `cancel` may be NULL; nothing happens then.
 Threads: any thread, any time; that is what it is for. It is not safe in a
 signal handler.
 Failure: it cannot fail; a handle that is not live is ignored.
 */
void segl_cancel_trigger(const segl_cancel *cancel);

/*
 Frees a cancel token. Calls that carry it go on and can no longer be
 cancelled.

 Ownership: ends the caller's ownership. Freeing twice is harmless.
 NULL: `cancel` may be NULL; nothing happens then.
 Threads: any thread, any time, also while other threads use it.
 Failure: it cannot fail; a handle that is not live is ignored.
 */
void segl_cancel_free(segl_cancel *cancel);

/*
 Says why a callback fails. The caller of segl gets an error with this code
 and message; the last call counts. The message is passed on, into log records too:
 it must hold no secret.

 Ownership: `fail` and `message` are borrowed.
 NULL: `fail` may be NULL, and nothing happens then; `message` may be NULL.
 Threads: any thread, while the callback that got `fail` runs.
 Failure: it cannot fail. A `code` that is no error number of segl becomes
 `SEGL_CALLBACK_FAILED`, what is not UTF-8 in `message` is replaced, line ends and
 other control characters become blanks, and a `fail` whose callback has returned
 is ignored.
 */
void segl_fail_set(const segl_fail *fail, int32_t code, const char *message, size_t message_len);

/*
 Makes a client from settings in JSON or in a file, and opens its key. Of several (`keys`)
 one is enough: those whose home is away for now are opened later, when it is
 their turn to sign.

 Ownership: the inputs are borrowed, and copied where they are kept. `out`
 becomes the caller's; free it with `segl_client_free`.
 NULL: `params` and `out` must not be NULL; `call` may be NULL.
 Threads: any thread, any time. It blocks while the key is opened.
 Failure: `SEGL_CONFIG`, whose field `SEGL_FIELD_CONFIG_PATH` names the
 setting, or as `segl_signer_open`; `out` is NULL then.
 */
SEGL_MUST_USE
segl_error *segl_client_new(const segl_client_params *params,
                            const segl_call *call,
                            segl_client **out);

/*
 Makes the client that a configuration file (segl.toml) names, and opens its
 key.

 Ownership: the inputs are borrowed. `out` becomes the caller's; free it with
 `segl_client_free`.
 NULL: `path`, `name` and `out` must not be NULL; `call` may be NULL.
 Threads: any thread, any time. It blocks while the key is opened.
 Failure: `SEGL_IO` when the file cannot be read, otherwise as
 `segl_client_new`; `out` is NULL then.
 */
SEGL_MUST_USE
segl_error *segl_client_open(const char *path,
                             size_t path_len,
                             const char *name,
                             size_t name_len,
                             const segl_call *call,
                             segl_client **out);

/*
 Makes a signed assertion, a JWT, without network. Of several keys the first
 that is ready signs; while it cannot, the next one does, under its own `kid`.
 As long as another key is left, one may use no more than an even share of the
 time left, and 10 seconds without a timeout.

 `request_json` is a JSON object whose members go before the client's
 settings: `scopes`, `resource`, `consumer_org` (`null`: none, whatever the
 settings say), `pid`, `authorization_details`; all optional.

 Ownership: the inputs are borrowed. `out_jwt` becomes the caller's; free it
 with `segl_bytes_free`.
 NULL: `client` and `out_jwt` must not be NULL; `request_json` may be NULL
 with length 0, which asks for what the client is configured for; `call` may
 be NULL.
 Threads: any thread, any time, also with the same client. It blocks while
 the key signs.
 Failure: `SEGL_INVALID_ARGUMENT` for a request that the profile cannot make,
 otherwise what the key's home reports; `out_jwt` is zero-filled then.
 */
SEGL_MUST_USE
segl_error *segl_client_assertion(const segl_client *client,
                                  const char *request_json,
                                  size_t request_json_len,
                                  const segl_call *call,
                                  segl_bytes *out_jwt);

/*
 Makes the JWT that registers the client's public key with DNB; of several
 keys, the first one. `segl register dnb --key` makes those of the others.

 Ownership: the inputs are borrowed. `out_jwt` becomes the caller's; free it
 with `segl_bytes_free`.
 NULL: `client` and `out_jwt` must not be NULL; `call` may be NULL.
 Threads: any thread, any time, also with the same client. It blocks while
 the key signs.
 Failure: `SEGL_UNSUPPORTED` for other profiles, otherwise what the key's home
 reports; `out_jwt` is zero-filled then.
 */
SEGL_MUST_USE
segl_error *segl_client_registration(const segl_client *client,
                                     const segl_call *call,
                                     segl_bytes *out_jwt);

/*
 How the client is doing, as a JSON object.

 The array `keys` has an object for each key, in the order of the settings, with
 `name` ("key", "keys[1]", or "signer" for one that was given as a handle),
 `opened`, `certificate_not_after` and `registered_until` (seconds since 1970, or
 null), `warnings` (an array of texts about what ends soon or has ended),
 `refusal` (what the service said when it last refused the key, or null), and the
 members of `segl_signer_health`; `problem` says why a key is not open.

 `tls` is such an object for the key of the client certificate of TLS ("tls.key", or
 "tls_signer" for one that was given as a handle), or null.

 `dpop` is such an object for the key that tokens are bound to ("dpop.key",
 "dpop_signer" for one that was given as a handle, or the name of the client's own key
 where there is no other), or null.

 The object `tokens` counts: `cached`, `requests`, `failures`, `refreshes`,
 `stale`, `rejected`, `shared`; its `clock_skew_ms` is how far the service's clock is ahead,
 or null. Nothing is sent, and nothing is asked of a device.

 Ownership: `client` is borrowed. `out_json` becomes the caller's; free it
 with `segl_bytes_free`.
 NULL: no argument may be NULL.
 Threads: any thread, any time, also while others use the client. It does not
 wait for a device.
 Failure: only for a NULL argument or a handle that is not live; `out_json` is
 zero-filled then.
 */
SEGL_MUST_USE segl_error *segl_client_health(const segl_client *client, segl_bytes *out_json);

/*
 Frees a client and its cache.

 Ownership: ends the caller's ownership. Freeing twice is harmless.
 NULL: `client` may be NULL; nothing happens then.
 Threads: any thread, any time, also while other threads use it; they finish
 first.
 Failure: it cannot fail; a handle that is not live is ignored.
 */
void segl_client_free(segl_client *client);

/*
 Gets an access token that is good for a while: from the cache, or a new one.

 However many callers ask for the same token, it is fetched once, on a thread of
 segl's own. Before a token ends its successor is fetched; when that fails, the
 old one is given out while it lasts. Failures that pass are tried again within
 the call's time; a refusal is remembered for 1 to 5 seconds.

 `request_json` is as for `segl_client_assertion`. `call->flags` may have
 `SEGL_CALL_RESPONSE_JSON`.

 Ownership: the inputs are borrowed. What `out` holds becomes the caller's;
 free it with `segl_token_free`. What it held before is not freed.
 NULL: `client` and `out` must not be NULL; `request_json` may be NULL with
 length 0; `call` may be NULL.
 Threads: any thread, any time, also with the same client. Unless the token is
 in the cache it blocks until it is fetched, 30 seconds without a timeout.
 Failure: as `segl_client_assertion`; `SEGL_NETWORK` and others when the
 endpoint cannot be reached, a `SEGL_TOKEN_` error when it refuses; `out` is
 zero-filled then but for `struct_size`.
 */
SEGL_MUST_USE
segl_error *segl_client_token(const segl_client *client,
                              const char *request_json,
                              size_t request_json_len,
                              const segl_call *call,
                              segl_token *out);

/*
 As `segl_client_token`, for a caller who holds a token already: when that is
 still the one to use, nothing is copied.

 `generation` is that of the token which the caller holds, 0 for none. When it
 is unchanged, `out` has the flag `SEGL_TOKEN_UNCHANGED`, `generation` and
 `expires_at_ms`, and no bytes.

 Ownership: as `segl_client_token`. What the caller holds stays the caller's.
 NULL: as `segl_client_token`.
 Threads: as `segl_client_token`.
 Failure: as `segl_client_token`.
 */
SEGL_MUST_USE
segl_error *segl_client_token_if_newer(const segl_client *client,
                                       const char *request_json,
                                       size_t request_json_len,
                                       uint64_t generation,
                                       const segl_call *call,
                                       segl_token *out);

/*
 Drops a token that an API rejected (HTTP 401), if it is still the cached one;
 the next call then fetches another. However many callers meet the same
 rejection, the token is dropped once and no newer one is lost. Within 10 seconds
 of a rejection the next one drops nothing: an API that takes no token at all would
 not take another either.

 `request_json` is what the token was asked for with, `generation` the token's.

 Ownership: the inputs are borrowed.
 NULL: `client` must not be NULL; `request_json` may be NULL with length 0.
 Threads: any thread, any time, also with the same client.
 Failure: only for a NULL argument, a handle that is not live, or text that is
 not UTF-8. A token that was replaced already is no failure.
 */
SEGL_MUST_USE
segl_error *segl_client_reject(const segl_client *client,
                               const char *request_json,
                               size_t request_json_len,
                               uint64_t generation);

/*
 Forgets tokens in the cache, whatever they are.

 Ownership: the inputs are borrowed.
 NULL: `client` must not be NULL; `request_json` may be NULL with length 0,
 which forgets all tokens of the client.
 Threads: any thread, any time, also with the same client.
 Failure: `SEGL_INVALID_ARGUMENT` for a request that is not one; nothing is
 forgotten then.
 */
SEGL_MUST_USE
segl_error *segl_client_forget(const segl_client *client,
                               const char *request_json,
                               size_t request_json_len);

/*
 Makes a DPoP proof (RFC 9449 section 4) for one request that carries `access_token`, for
 the header `DPoP` beside `Authorization: DPoP`. The token has the flag
 `SEGL_TOKEN_DPOP`, or is one that the host got itself, such as in the code flow of a
 person; without one, the proof is for the request to the token endpoint there.

 A proof is for one request: each has its own, a repeated one too. It has the nonce that
 `segl_client_dpop_nonce` kept for the URL's server. `method` is upper case; `url` is the
 whole URL of the request, without fragment; its query does not go into the proof.

 Ownership: the inputs are borrowed. `out_proof` becomes the caller's; free it with
 `segl_bytes_free`.
 NULL: `client`, `method`, `url` and `out_proof` must not be NULL; `access_token` may be
 NULL with length 0, and `call` may be NULL.
 Threads: any thread, any time, also with the same client. It blocks while the key signs.
 Failure: `SEGL_INVALID_ARGUMENT` for an empty token or a method that segl does not know,
 `SEGL_URL`, `SEGL_UNSUPPORTED` when the client has no DPoP key, otherwise what the key's home
 reports; `out_proof` is zero-filled then.
 */
SEGL_MUST_USE
segl_error *segl_client_dpop_proof(const segl_client *client,
                                   const char *method,
                                   size_t method_len,
                                   const char *url,
                                   size_t url_len,
                                   const char *access_token,
                                   size_t access_token_len,
                                   const segl_call *call,
                                   segl_bytes *out_proof);

/*
 Keeps the nonce that a server gave the host in the header `DPoP-Nonce`, of any answer. It
 goes into the next proofs of `segl_client_dpop_proof` for the same scheme, host and port. An answer of 401 with
 `WWW-Authenticate: DPoP error="use_dpop_nonce"` asks for the request once more, with
 the same token and a new proof.

 Ownership: the inputs are borrowed; the nonce is copied.
 NULL: no argument may be NULL.
 Threads: any thread, any time, also with the same client. It does not block.
 Failure: `SEGL_INVALID_ARGUMENT` for a text that is no nonce, `SEGL_URL`,
 `SEGL_UNSUPPORTED` when the client has no DPoP key; nothing is kept then.
 */
SEGL_MUST_USE
segl_error *segl_client_dpop_nonce(const segl_client *client,
                                   const char *url,
                                   size_t url_len,
                                   const char *nonce,
                                   size_t nonce_len);

/*
 The number of an error: one of the `SEGL_` numbers above.

 Ownership: `error` is borrowed.
 NULL: `error` may be NULL, which is success; the answer is `SEGL_OK` then.
 Threads: any thread, any time.
 Failure: it cannot fail.
 */
int32_t segl_error_code(const segl_error *error);

/*
 The name of an error number without its prefix, for example
 "PIN_INCORRECT"; "OK" for `SEGL_OK`, "UNKNOWN" for a number that this library
 does not know.

 Ownership: the text is static, NUL-terminated, and not freed.
 NULL: the answer is never NULL.
 Threads: any thread, any time.
 Failure: it cannot fail.
 */
const char *segl_error_name(int32_t code);

/*
 The message of an error: what failed, on what, and what to do. UTF-8.

 Ownership: the text belongs to `error` and ends with it; it is
 NUL-terminated, and its length without the NUL goes to `len`.
 NULL: `error` may be NULL, which gives an empty text; `len` may be NULL. The
 answer is never NULL.
 Threads: any thread, any time.
 Failure: it cannot fail.
 */
const char *segl_error_message(const segl_error *error, size_t *len);

/*
 An integer field of an error, by one of the `SEGL_FIELD_` numbers.

 Ownership: `error` is borrowed; the value is copied to `out`.
 NULL: `error` may be NULL, which has no fields; `out` may be NULL to ask
 only whether the field is there.
 Threads: any thread, any time.
 Failure: the answer is 1 when the field is present, 0 when it is absent,
 unknown or a text; `out` is 0 then.
 */
int32_t segl_error_int(const segl_error *error, int32_t field, int64_t *out);

/*
 A text field of an error, by one of the `SEGL_FIELD_` numbers.

 Ownership: the text belongs to `error` and ends with it; it is
 NUL-terminated, and its length without the NUL goes to `len`.
 NULL: `error` may be NULL, which has no fields; `len` may be NULL.
 Threads: any thread, any time.
 Failure: the answer is NULL, and `len` 0, when the field is absent, unknown
 or an integer.
 */
const char *segl_error_str(const segl_error *error, int32_t field, size_t *len);

/*
 Frees an error.

 Ownership: ends the caller's ownership. It is freed once; texts read from it
 end with it.
 NULL: `error` may be NULL; nothing happens then.
 Threads: any thread, any time; no other thread may be reading the error.
 Failure: it cannot fail.
 */
void segl_error_free(segl_error *error);

/*
 Sends a request to an API with the client's access token, from the cache or a new
 one, and with its client certificate if it has one. An answer of 401 is not the
 last word: the request is sent once more with a new token. Every status is an
 answer and no failure. Redirects are not followed.

 The token goes to the URL that is given: the client's setting `apis` limits which
 that may be. `token_request_json` is as for `segl_client_assertion`.

 Ownership: the inputs are borrowed. What `out` holds becomes the caller's; free it
 with `segl_http_response_free`. What it held before is not freed.
 NULL: `client`, `request` and `out` must not be NULL; `token_request_json` may be
 NULL with length 0; `call` may be NULL.
 Threads: any thread, any time, also with the same client, which may be freed
 meanwhile. It blocks until the whole answer is there. Without a timeout that is as
 `segl_client_token`, and the client's setting `timeout_ms` for each time that the
 request is sent.
 Failure: `SEGL_INVALID_ARGUMENT` or `SEGL_URL` for a request that cannot be sent,
 `SEGL_API_NOT_ALLOWED` when `apis` does not have the URL; as `segl_client_token`;
 `SEGL_NETWORK` and others when the API cannot be reached, `SEGL_RESPONSE_TOO_LARGE`.
 `out` is zero-filled then but for `struct_size`.
 */
SEGL_MUST_USE
segl_error *segl_client_send(const segl_client *client,
                             const segl_http_request *request,
                             const char *token_request_json,
                             size_t token_request_json_len,
                             const segl_call *call,
                             segl_http_response *out);

/*
 Checks that the client's setting `apis` lets its tokens be sent to a URL; without the
 setting, every one is allowed. For a host that sends its own requests with the
 client's tokens; `segl_client_send` does it by itself.

 Ownership: the inputs are borrowed.
 NULL: no argument may be NULL.
 Threads: any thread, any time, also with the same client. It does not block.
 Failure: `SEGL_API_NOT_ALLOWED` when the token must not go there, `SEGL_URL` for what
 is not an https URL, or an http one on the loopback interface.
 */
SEGL_MUST_USE
segl_error *segl_client_require_allowed(const segl_client *client,
                                        const char *url,
                                        size_t url_len);

/*
 Wipes and frees what an answer holds, and zero-fills it but for `struct_size`.

 Ownership: ends the caller's ownership of what `response` holds; the struct itself
 stays the caller's. Freeing the same struct twice is harmless.
 NULL: `response` may be NULL or zero-filled; nothing happens then.
 Threads: any thread, any time; one struct by one thread at a time.
 Failure: it cannot fail; a struct with a `struct_size` that is too small is
 ignored.
 */
void segl_http_response_free(segl_http_response *response);

/*
 Signs `payload` as a JWS in compact serialisation (RFC 7515 section 7.1).
 `header_json` is the protected header, a JSON object with `alg`; members that
 segl does not know pass through, `crit` and `b64` are refused.

 Ownership: the inputs are borrowed. `out_compact` becomes the caller's; free
 it with `segl_bytes_free`.
 NULL: `signer`, `header_json` and `out_compact` must not be NULL; `payload`
 may be NULL when `payload_len` is 0; `call` may be NULL.
 Threads: any thread, any time, also with the same signer. It blocks while
 the device works.
 Failure: `SEGL_INVALID_ARGUMENT` or `SEGL_ALGORITHM` for a header that cannot
 be used, otherwise what the key's home reports; `out_compact` is zero-filled
 then.
 */
SEGL_MUST_USE
segl_error *segl_jws_sign(const segl_signer *signer,
                          const char *header_json,
                          size_t header_json_len,
                          const uint8_t *payload,
                          size_t payload_len,
                          const segl_call *call,
                          segl_bytes *out_compact);

/*
 Sends log records up to `max_level`, one of the `SEGL_LOG_` levels, to
 `sink`, in the place of the sink before. The new sink gets one record at
 `SEGL_LOG_INFO` that names the library's version.

 Ownership: `sink` is copied; on success `ctx` is segl's until `destroy` is
 called.
 NULL: `sink` may be NULL, which ends logging; `max_level` does not matter
 then.
 Threads: any thread, any time. The sink before may still be called by
 threads that are inside it.
 Failure: `SEGL_INVALID_ARGUMENT` for an unknown level, and for a NULL `log`
 `SEGL_NULL_ARGUMENT`; logging goes on as before then, and `destroy` is not
 called.
 */
SEGL_MUST_USE segl_error *segl_log_set(const segl_log_sink *sink, int32_t max_level);

/*
 Opens the key that a URI names: `pkcs11:` (RFC 7512), `awskms:` or `file:`.

 Ownership: `uri` is borrowed; `pin` is copied, and the copy is wiped after
 use. `out` becomes the caller's; free it with `segl_signer_free`.
 NULL: `uri` and `out` must not be NULL. `pin` may be NULL, and the URI's
 `pin-source` counts then; a `pin` of length 0 is the same as NULL. For `awskms:` it
 is credentials, as JSON in the form of `credential_process`. `call` may be NULL.
 Threads: any thread, any time. It blocks while the device works.
 Failure: `SEGL_KEY_URI`, `SEGL_KEY_NOT_FOUND`, `SEGL_PIN_INCORRECT` and
 others; `out` is NULL then. A PIN that the device refused is not tried again.
 */
SEGL_MUST_USE
segl_error *segl_signer_open(const char *uri,
                             size_t uri_len,
                             const uint8_t *pin,
                             size_t pin_len,
                             const segl_call *call,
                             segl_signer **out);

/*
 Opens a private key from memory: PEM, DER or PKCS#12.

 Ownership: `key` is borrowed; `passphrase` is copied, and the copy is wiped
 after use. `out` becomes the caller's; free it with `segl_signer_free`.
 NULL: `key` and `out` must not be NULL; `passphrase` may be NULL. A
 `passphrase` that is not NULL and has length 0 is an empty passphrase.
 Threads: any thread, any time.
 Failure: `SEGL_KEY_FORMAT`, `SEGL_PASSPHRASE` or `SEGL_KEY_TYPE`; `out` is
 NULL then.
 */
SEGL_MUST_USE
segl_error *segl_signer_from_bytes(const uint8_t *key,
                                   size_t key_len,
                                   const uint8_t *passphrase,
                                   size_t passphrase_len,
                                   segl_signer **out);

/*
 Describes a key as a JSON object: `kind`, `uri` (without secrets), `token`,
 `extractable`, `kty`, `crv`, `bits`, `thumbprint`, `algorithms` and
 `certificates`. What is not known is null. The device is not asked.

 Ownership: `signer` is borrowed. `out_json` becomes the caller's; free it
 with `segl_bytes_free`.
 NULL: no argument may be NULL.
 Threads: any thread, any time.
 Failure: only for a NULL argument or a handle that is not live; `out_json` is
 zero-filled then.
 */
SEGL_MUST_USE segl_error *segl_signer_describe(const segl_signer *signer, segl_bytes *out_json);

/*
 The public key as a JWK (RFC 7517) with `kid`, the thumbprint of RFC 7638,
 `use` "sig" and the key's usual `alg`: what is registered with Maskinporten
 or DNB.

 Ownership: `signer` is borrowed. `out_json` becomes the caller's; free it
 with `segl_bytes_free`.
 NULL: no argument may be NULL.
 Threads: any thread, any time.
 Failure: only for a NULL argument or a handle that is not live; `out_json` is
 zero-filled then.
 */
SEGL_MUST_USE segl_error *segl_signer_public_jwk(const segl_signer *signer, segl_bytes *out_json);

/*
 Signs `message`, which is not hashed yet, with `alg`, a JOSE name such as
 "ES256". The signature is in JOSE form: RSA as it is, ECDSA as R||S.

 Ownership: the inputs are borrowed. `out_signature` becomes the caller's;
 free it with `segl_bytes_free`.
 NULL: `signer`, `alg` and `out_signature` must not be NULL; `message` may be
 NULL when `message_len` is 0; `call` may be NULL.
 Threads: any thread, any time, also with the same signer. It blocks while
 the device works.
 Failure: `SEGL_ALGORITHM` when the key cannot make `alg`, otherwise what the
 key's home reports; `out_signature` is zero-filled then.
 */
SEGL_MUST_USE
segl_error *segl_signer_sign(const segl_signer *signer,
                             const char *alg,
                             size_t alg_len,
                             const uint8_t *message,
                             size_t message_len,
                             const segl_call *call,
                             segl_bytes *out_signature);

/*
 Checks that the key can be used now, by a signature where that is the only
 proof.

 Ownership: the inputs are borrowed.
 NULL: `signer` must not be NULL; `call` may be NULL.
 Threads: any thread, any time. It blocks while the device works.
 Failure: what the key's home reports.
 */
SEGL_MUST_USE segl_error *segl_signer_probe(const segl_signer *signer, const segl_call *call);

/*
 How the key is doing, as a JSON object: `state` ("ready", "recovering",
 "unavailable", "pin_refused", "key_refused" or "restart_required"), `problem`,
 `signatures`, `last_signature` (seconds since 1970) and, for keys on a token,
 `token` with its sessions, counters and last failure. Members that do not
 apply are null. Nothing is asked of a device: it is what segl has seen of the
 key so far.

 Ownership: `signer` is borrowed. `out_json` becomes the caller's; free it
 with `segl_bytes_free`.
 NULL: no argument may be NULL.
 Threads: any thread, any time, also while others sign with it. It does not
 wait for a device.
 Failure: only for a NULL argument or a handle that is not live; `out_json` is
 zero-filled then.
 */
SEGL_MUST_USE segl_error *segl_signer_health(const segl_signer *signer, segl_bytes *out_json);

/*
 Frees a signer. Clients that were made with it keep the key.

 Ownership: ends the caller's ownership. Freeing twice is harmless.
 NULL: `signer` may be NULL; nothing happens then.
 Threads: any thread, any time, also while other threads sign with it; they
 finish first.
 Failure: it cannot fail; a handle that is not live is ignored.
 */
void segl_signer_free(segl_signer *signer);

/*
 Wipes and frees what a token holds, and zero-fills it but for `struct_size`.

 Ownership: ends the caller's ownership of what `token` holds; the struct
 itself stays the caller's. Freeing the same struct twice is harmless.
 NULL: `token` may be NULL or zero-filled; nothing happens then.
 Threads: any thread, any time; one struct by one thread at a time.
 Failure: it cannot fail; a struct with a `struct_size` that is too small is
 ignored.
 */
void segl_token_free(segl_token *token);

/*
 Makes a transport of functions of the host, for `segl_client_params.transport`.

 Ownership: `vtable` is copied; on success `ctx` is segl's until `destroy` is called.
 `out` becomes the caller's; free it with `segl_transport_free`.
 NULL: no argument may be NULL.
 Threads: any thread, any time.
 Failure: only for a NULL argument or a struct that cannot be read; `out` is NULL
 then, and `destroy` is not called.
 */
SEGL_MUST_USE
segl_error *segl_transport_from_vtable(const segl_transport_vtable *vtable,
                                       segl_transport **out);

/*
 Answers a request that segl gave to the host's transport; the last call counts.
 `headers_json` is a JSON array of pairs, such as [["Content-Type","text/plain"]], in
 their order and with names in any case.

 Ownership: the inputs are borrowed, and copied.
 NULL: `reply` may be NULL, and nothing happens then; `headers_json` may be NULL with
 length 0, which is no headers, and `body` with length 0.
 Threads: any thread, while the `send` that got `reply` runs.
 Failure: it cannot fail. With a `status` outside 100 to 999, or headers that cannot
 be read, the request fails with `SEGL_CALLBACK_FAILED`, and a `reply` whose `send`
 has returned is ignored.
 */
void segl_reply_set(const segl_reply *reply,
                    int32_t status,
                    const char *headers_json,
                    size_t headers_json_len,
                    const uint8_t *body,
                    size_t body_len);

/*
 Frees a transport. Clients that were made with it keep it.

 Ownership: ends the caller's ownership. Freeing twice is harmless.
 NULL: `transport` may be NULL; nothing happens then.
 Threads: any thread, any time, also while clients send with it.
 Failure: it cannot fail; a handle that is not live is ignored.
 */
void segl_transport_free(segl_transport *transport);

/*
 Wipes and frees bytes that segl made, and zero-fills the struct.

 Ownership: ends the caller's ownership of what `bytes` holds; the struct
 itself stays the caller's. Freeing the same struct twice is harmless.
 NULL: `bytes` may be NULL or zero-filled; nothing happens then.
 Threads: any thread, any time; one struct by one thread at a time.
 Failure: it cannot fail.
 */
void segl_bytes_free(segl_bytes *bytes);

/*
 Makes a validator from settings in JSON or in a file. Nothing is sent before its first
 check. One is enough for a program: it keeps the issuer's keys.

 Ownership: the inputs are borrowed, and copied where they are kept. `out`
 becomes the caller's; free it with `segl_validator_free`.
 NULL: `params` and `out` must not be NULL.
 Threads: any thread, any time.
 Failure: `SEGL_CONFIG` or `SEGL_URL`, whose field `SEGL_FIELD_CONFIG_PATH` names the
 setting, `SEGL_IO` when a file cannot be read, `SEGL_CERTIFICATE` for `ca_file`; `out`
 is NULL then.
 */
SEGL_MUST_USE
segl_error *segl_validator_new(const segl_validator_params *params,
                               segl_validator **out);

/*
 Answers whether the sender of an access token may do what is required, now: signature,
 issuer, times, scopes, consumer and supplier, audience, person, what the token is bound
 to, and consent are checked, in this order.

 `token` is what stands behind "Bearer " in the header `Authorization`.
 `requirements_json` is a JSON object whose members go before the validator's settings:
 `scopes` (all of them), `any_scope` (one is enough), `audience`, `consumer` (an
 organisation number), `supplier` (an organisation number; `null`: the token must not be
 delegated), `delegation_source`, `pid`, `consent` (`{"from": ..., "resources": [...]}`, of
 Altinn), `legacy_consent` (of Altinn 2), `dpop` (`{"proof": ..., "method": ..., "url": ...}`) and
 `client_certificate` (PEM); all optional, and
 none but `supplier` may be `null`. docs/services.md says what each asks for. For
 example, that it is not delegated and that this person has consented:
 `{"supplier":null,"consent":{"from":"05848998356","resources":["bank-saldo"]}}`.

 `out_json` is what the token says, a JSON object: `issuer`, `issued_at`, `expires_at`
 (seconds since 1970), `id`, `client_id`, `client_amr`, `scopes`, `audiences`, `consumer` and
 `supplier` (objects with `authority`, `id` and `orgno`), `delegation_source`, `pid`, what
 was required of `consent` and `legacy_consent`, and all claims as `claims`. What is absent
 is null or an empty array. It names the person, if the token does.

 Ownership: the inputs are borrowed. `out_json` becomes the caller's; free it with
 `segl_bytes_free`.
 NULL: `validator`, `token` and `out_json` must not be NULL; `requirements_json` may be
 NULL with length 0, which requires what the settings say; `call` may be NULL.
 Threads: any thread, any time, also with the same validator. It computes only, unless the
 issuer's keys have to be read: at the first check, and when a token names one that is not
 known or has a signature that is not its key's, at most once in 30 seconds.
 Failure: a number from 700 on for a token that is refused. Its fields
 `SEGL_FIELD_HTTP_STATUS` and `SEGL_FIELD_OAUTH_ERROR` are what the API answers then (RFC
 6750 section 3.1): 401 and "invalid_token", 403 and "insufficient_scope", or for a DPoP
 proof 401 and "invalid_dpop_proof" or "use_dpop_nonce".
 `SEGL_JWKS_UNAVAILABLE`, `SEGL_JWKS_INVALID` or `SEGL_METADATA_INVALID` when the issuer's
 keys cannot be had and none are known, `SEGL_TIMEOUT` and `SEGL_CANCELLED` while they are
 read, all with status 503 and no OAuth error;
 `SEGL_INVALID_ARGUMENT` for requirements that are none; `out_json` is zero-filled then.
 */
SEGL_MUST_USE
segl_error *segl_validator_check(const segl_validator *validator,
                                 const char *token,
                                 size_t token_len,
                                 const char *requirements_json,
                                 size_t requirements_json_len,
                                 const segl_call *call,
                                 segl_bytes *out_json);

/*
 Frees a validator and its keys.

 Ownership: ends the caller's ownership. Freeing twice is harmless.
 NULL: `validator` may be NULL; nothing happens then.
 Threads: any thread, any time, also while other threads use it; they finish
 first.
 Failure: it cannot fail; a handle that is not live is ignored.
 */
void segl_validator_free(segl_validator *validator);

/*
 Makes a signer of functions of the host. Every signature is checked with the
 public key before it is released.

 Ownership: `vtable` is copied, `public_jwk` is borrowed; on success `ctx` is
 segl's until `destroy` is called. `out` becomes the caller's; free it with
 `segl_signer_free`.
 NULL: no argument may be NULL.
 Threads: any thread, any time.
 Failure: `SEGL_KEY_FORMAT` or `SEGL_KEY_TYPE` when `public_jwk` (RFC 7517) is
 not a public RSA, P-256 or P-384 key; `out` is NULL then, and `destroy` is not
 called.
 */
SEGL_MUST_USE
segl_error *segl_signer_from_vtable(const segl_signer_vtable *vtable,
                                    const char *public_jwk,
                                    size_t public_jwk_len,
                                    segl_signer **out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SEGL_H */
