"""Gets an access token for a client of `segl.toml`.

`python get_token.py segl.toml bank`
"""

import sys

import segl


def main(file: str = "segl.toml", name: str = "bank") -> None:
    with segl.TokenClient.open(file, name) as client:
        token = client.token()
        print(f"a token of {len(token.access_token)} bytes, valid until {token.expires_at}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
