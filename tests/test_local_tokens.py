"""Which Authorization headers let in."""

from __future__ import annotations

import base64
import json

from qjob_widgets.local.web.tokens import LIFETIME, Tokens
from tests.support import Clock

CLOCK = Clock(1_000_000.0)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_the_token_itself_lets_in_with_both_schemes():
    tokens = Tokens("secret", CLOCK)
    for header in ("apikey secret", "Bearer secret", "bearer secret", "APIKEY  secret"):
        assert tokens.admits(header)
    for header in (
        "",
        "secret",
        "apikey",
        "apikey ",
        "Basic secret",
        "apikey Secret",
        "apikey é",
        "Bearer ..",
    ):
        assert not tokens.admits(header)


def test_a_signed_token_lets_in_until_it_expires():
    clock = Clock(1_000_000.0)
    tokens = Tokens("secret", clock)
    token, expires = tokens.issue()
    assert expires == 1_000_000 + LIFETIME
    assert tokens.admits(f"Bearer {token}")
    assert not tokens.admits(f"apikey {token}")
    assert not Tokens("other", clock).admits(f"Bearer {token}")
    clock.now += LIFETIME
    assert not tokens.admits(f"Bearer {token}")


def test_a_signed_token_says_when_it_was_made_and_ends():
    header, claims, _ = Tokens("secret", CLOCK).issue()[0].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "HS256"
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert told["exp"] - told["iat"] == LIFETIME


def test_a_token_that_was_changed_or_is_not_signed_stays_out():
    tokens = Tokens("secret", CLOCK)
    head, claims, signature = tokens.issue()[0].split(".")
    forever = part({"iat": 0, "exp": 10**12})
    for forged in (
        f"{head}.{forever}.{signature}",
        f"{part({'alg': 'none'})}.{forever}.",
        f"{head}.{claims}.",
    ):
        assert not tokens.admits(f"Bearer {forged}")
