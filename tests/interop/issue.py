"""Issues access tokens with PyJWT and with jwcrypto, and DPoP proofs with both.

Reads one JSON object from standard input:

    {"claims", "method", "url"}

`claims` are those of every token, `method` and `url` the request that proofs are for. Prints one
JSON object:

    {"keys", "tokens": [{"name", "jwt", "proof"}]}

`keys` is the JWK set of the issuer. Each token has its proof, to whose key it is bound.
"""

import base64
import hashlib
import json
import sys
import time
import uuid

import jwt as pyjwt
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jwt as jwcrypto_jwt

KEYS = {
    "rsa": ({"kty": "RSA", "size": 2048}, ["RS256", "RS384", "RS512", "PS256"]),
    "p256": ({"kty": "EC", "crv": "P-256"}, ["ES256"]),
    "p384": ({"kty": "EC", "crv": "P-384"}, ["ES384"]),
}


def main():
    asked = json.load(sys.stdin)
    keys = {kid: jwcrypto_jwk.JWK.generate(kid=kid, use="sig", **kind) for kid, (kind, _) in KEYS.items()}
    holders = {kid: jwcrypto_jwk.JWK.generate(**kind) for kid, (kind, _) in KEYS.items()}
    tokens = []
    for kid, (_, algorithms) in KEYS.items():
        for alg in algorithms:
            for sign in (by_pyjwt, by_jwcrypto):
                claims = {**asked["claims"], "cnf": {"jkt": holders[kid].thumbprint()}}
                token = sign(keys[kid], {"alg": alg, "typ": "at+jwt", "kid": kid}, claims)
                header = {"alg": alg, "typ": "dpop+jwt", "jwk": holders[kid].export_public(as_dict=True)}
                proof = sign(holders[kid], header, proof_of(asked, token))
                tokens.append({"name": f"{sign.__name__} {alg}", "jwt": token, "proof": proof})
    public = [key.export_public(as_dict=True) for key in keys.values()]
    print(json.dumps({"keys": public, "tokens": tokens}))


def by_pyjwt(key, header, claims):
    others = {name: value for name, value in header.items() if name != "alg"}
    private = key.export_to_pem(private_key=True, password=None)
    return pyjwt.encode(claims, private, algorithm=header["alg"], headers=others)


def by_jwcrypto(key, header, claims):
    token = jwcrypto_jwt.JWT(header=header, claims=claims, algs=[header["alg"]])
    token.make_signed_token(key)
    return token.serialize()


def proof_of(asked, token):
    digest = hashlib.sha256(token.encode()).digest()
    return {
        "htm": asked["method"],
        "htu": asked["url"],
        "iat": int(time.time()),
        "jti": str(uuid.uuid4()),
        "ath": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }


if __name__ == "__main__":
    main()
