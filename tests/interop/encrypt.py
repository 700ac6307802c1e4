"""Encrypts and decrypts compact JWEs with jwcrypto.

Reads one JSON object a line from standard input and answers each with one:

    {"do": "encrypt", "jwk", "alg", "enc", "plain"}  ->  {"jwe"}
    {"do": "decrypt", "jwk", "jwe"}                  ->  {"plain"}

`jwk` is public to encrypt and private to decrypt; `plain` is text.
"""

import json
import sys

from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk


def main():
    for line in sys.stdin:
        case = json.loads(line)
        key = jwcrypto_jwk.JWK(**case["jwk"])
        if case["do"] == "encrypt":
            header = json.dumps({"alg": case["alg"], "enc": case["enc"]})
            token = jwcrypto_jwe.JWE(case["plain"].encode(), header)
            token.add_recipient(key)
            answer = {"jwe": token.serialize(compact=True)}
        else:
            token = jwcrypto_jwe.JWE()
            token.deserialize(case["jwe"], key)
            answer = {"plain": token.payload.decode()}
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
