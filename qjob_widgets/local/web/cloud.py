"""What the hosted service has beside its REST API: who may ask (identity) and for which instance (search).

The unmodified `QiskitRuntimeService` asks all three when it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local.web.answers import RefusalError, as_json
from qjob_widgets.local.web.tokens import LIFETIME, Tokens

Handler = Callable[[Request, bytes], Response]
PLAN = "local-plan"
UNKNOWN_INSTANCE = 1279
"""The service's number of a CRN that it does not know."""


class Cloud:
    """The three end points, for one instance.

    Args:
        tokens: Which keys are exchanged, and for what.
        crn: The instance.
    """

    def __init__(self, tokens: Tokens, crn: str) -> None:
        self._tokens, self._crn = tokens, crn

    def of_instance(self, handler: Handler) -> Handler:
        """An end point that answers for the instance that the request names; unnamed, it is the only one.

        Raises:
            RefusalError: If another one is named.
        """

        def answer(request: Request, body: bytes) -> Response:
            named = request.headers.get("service-crn", self._crn)
            if named != self._crn:
                message = f"There is no instance {named!r} here."
                raise RefusalError(404, UNKNOWN_INSTANCE, message, f"Send 'Service-CRN: {self._crn}'.")
            return handler(request, body)

        return answer

    def identity(self, request: Request, body: bytes) -> Response:
        """POST /identity/token: a signed token for the service's own."""
        form = parse_qs(body.decode("utf-8", "replace"))
        if not self._tokens.is_secret(form.get("apikey", [""])[0]):
            message = "Provided API key could not be found."
            return as_json({"errorCode": "BXNIM0415E", "errorMessage": message}, 400)
        token, expiration = self._tokens.issue()
        return as_json(
            {
                "access_token": token,
                "refresh_token": "not_supported",
                "token_type": "Bearer",
                "expires_in": LIFETIME,
                "expiration": expiration,
                "scope": "ibm openid",
            }
        )

    def search(self, request: Request, body: bytes) -> Response:
        """POST /v3/resources/search: the one instance."""
        instance = {
            "crn": self._crn,
            "name": "local",
            "service_plan_unique_id": PLAN,
            "doc": {"extensions": {"local": True}},
            "tags": [],
        }
        return as_json({"items": [instance]})

    def plan(self, request: Request, body: bytes) -> Response:
        """GET /catalog/{plan}: it costs nothing."""
        names = {"en": {"display_name": "Local"}}
        return as_json({"overview_ui": names, "metadata": {"pricing": {"type": "free"}}})
