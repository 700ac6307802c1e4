"""Verifies compact JWTs with PyJWT and with jwcrypto.

Reads one JSON object a line from standard input:

    {"name", "jwt", "jwk", "alg", "header", "claims", "certificate"}

`header` and `claims` are the whole expected objects. `certificate` is the PEM
that must be the leaf of `x5c`, or null when the header must not have `x5c`.
Prints one line for each case that fails, then `N passed, N failed`. Exits with
1 when a case fails or when there is none.
"""

import base64
import json
import sys
from importlib.metadata import version

import jwt as pyjwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws


def main():
    print(f"PyJWT {version('PyJWT')}, jwcrypto {version('jwcrypto')}")
    passed = failed = 0
    for line in sys.stdin:
        case = json.loads(line)
        try:
            verify(case)
            passed += 1
        except Exception as error:  # whatever a verifier throws is a failure of this case
            failed += 1
            print(f"FAILED {case['name']}: {type(error).__name__}: {str(error)[:300]}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


def verify(case):
    header = json.loads(base64url(case["jwt"].split(".")[0]))
    expect("the header", header, case["header"])
    expect("alg", header.get("alg"), case["alg"])

    key = json.dumps(case["jwk"])
    by_pyjwt(case, pyjwt.PyJWK.from_json(key, algorithm=case["alg"]).key)
    by_jwcrypto(case, jwcrypto_jwk.JWK.from_json(key))

    leaf = leaf_of(header, case["certificate"])
    if leaf:
        by_pyjwt(case, leaf.public_key())
        spki = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        by_jwcrypto(case, jwcrypto_jwk.JWK.from_pem(spki))


def by_pyjwt(case, key):
    claims = pyjwt.decode(
        case["jwt"], key, algorithms=[case["alg"]], options={"verify_aud": False}
    )
    expect("the claims as PyJWT reads them", claims, case["claims"])


def by_jwcrypto(case, key):
    token = jwcrypto_jws.JWS()
    token.allowed_algs = [case["alg"]]
    token.deserialize(case["jwt"], key)
    expect("the claims as jwcrypto reads them", json.loads(token.payload), case["claims"])


def leaf_of(header, expected_pem):
    """The first certificate of x5c, whose successors must each have issued the one before."""
    if expected_pem is None:
        expect("x5c", header.get("x5c"), None)
        return None
    chain = [
        x509.load_der_x509_certificate(base64.b64decode(der, validate=True))
        for der in header["x5c"]
    ]
    expected = x509.load_pem_x509_certificate(expected_pem.encode())
    if chain[0] != expected:
        raise ValueError("the first certificate of x5c is not the expected one")
    for certificate, issuer in zip(chain, chain[1:]):
        certificate.verify_directly_issued_by(issuer)
    return chain[0]


def base64url(text):
    if "=" in text:
        raise ValueError("base64url with padding")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def expect(what, actual, expected):
    if actual != expected:
        raise ValueError(f"{what}: expected {expected!r}, found {actual!r}")


if __name__ == "__main__":
    sys.exit(main())
