"""The twilio package's own request, over gateway.carrier_calls.

Its client would follow the environment to another host, log the numbers of each call,
keep the last one, and limit each wait alone. Below it a call ends by a set time, logs
nothing and keeps nothing. For Twilio and for carriers that speak as it does.
"""

import logging

from twilio.base.client_base import ClientBase
from twilio.http import HttpClient
from twilio.http.response import Response

from gateway import carrier_calls
from gateway.carrier_calls import Answer, UnansweredError


class _QuietClient(HttpClient):  # type: ignore[misc]
    """What twilio's client calls with: no log of its own, no last request kept."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)

    def request(  # noqa: PLR0913, PLR0917 - twilio's signature
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002
    ) -> Response:
        """Call as gateway.carrier_calls does; redirects are never followed."""
        del allow_redirects
        answer = carrier_calls.call(
            method,
            url,
            auth=auth,
            seconds=timeout,
            params=params,
            form=data,
            headers=headers,
        )
        return Response(answer.status_code, answer.text, answer.headers)


def request(  # noqa: PLR0913 - what HTTP has
    name: str,
    token: str,
    method: str,
    url: str,
    *,
    data: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    seconds: float | None = None,
) -> Answer:
    """Make one call as `name`; any status is an answer.

    DeliveryError of gateway.carrier_calls.failure where there is none. The environment
    is left out: TWILIO_EDGE there would change the host's name. It may not be empty,
    since twilio would then read the process's own.
    """
    client = ClientBase(
        name,
        token,
        http_client=_QuietClient(),
        environment={"TWILIO_ACCOUNT_SID": name},
    )
    try:
        said = client.request(method, url, data=data, params=params, timeout=seconds)
    except UnansweredError as error:
        raise carrier_calls.failure(method, error) from None
    return Answer(said.status_code, said.text.encode(), said.headers)
