"""What PyJWT takes to check the token that benches/validation.rs checks.

Arguments: the issuer's public key (PEM) and a token. Prints nanoseconds a check, the median
of 31 rounds.
"""

import statistics
import sys
import time

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ISSUER = "https://test.maskinporten.no/"
REPEATS = 500


def check(token, key):
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, options={"verify_aud": False})
    assert "bank:konto" in claims["scope"].split()
    assert claims["consumer"]["ID"] == "0192:910753614"


def main():
    with open(sys.argv[1], "rb") as file:
        key = load_pem_public_key(file.read())
    token = sys.argv[2]
    rounds = []
    for _ in range(31):
        start = time.perf_counter_ns()
        for _ in range(REPEATS):
            check(token, key)
        rounds.append((time.perf_counter_ns() - start) / REPEATS)
    print(f"python | PyJWT {jwt.__version__}, check of an access token, RS256 | {statistics.median(rounds):.0f}")


main()
