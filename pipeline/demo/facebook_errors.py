"""The errors of the Graph API, with its numbers and its HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.demo.strict import Refusal

HTTP = {1: 500, 2: 500, 4: 403}
"""By error code; every other error comes as 400."""


def error(
    code: int,
    message: str,
    *,
    subcode: int | None = None,
    kind: str = "OAuthException",
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    body: dict[str, Any] = {"message": message, "type": kind, "code": code, "fbtrace_id": "AMauDuLieuMinhHoa"}
    if subcode is not None:
        body["error_subcode"] = subcode
    if code in {2, 4}:
        body["is_transient"] = True
    return Refusal({"error": body}, HTTP.get(code, 400), {"facebook-api-version": "v26.0", **(headers or {})})


def too_much_data() -> Refusal:
    """The one error that comes without a type and without a trace id."""
    message = "Please reduce the amount of data you're asking for, then retry your request"
    return Refusal({"error": {"code": 1, "message": message}}, 500)


def service_down() -> Refusal:
    return error(2, "An unexpected error has occurred. Please retry your request later.")


def token_missing() -> Refusal:
    return error(104, "An access token is required to request this resource.")


def token_unknown() -> Refusal:
    return error(190, "Invalid OAuth access token - Cannot parse access token")


def token_dead() -> Refusal:
    return error(190, SESSION_ENDED, subcode=460)


def token_expired() -> Refusal:
    return error(190, "Error validating access token: Session has expired.", subcode=463)


def page_token_needed() -> Refusal:
    return error(190, "(#190) This method must be called with a Page Access Token")


def proof_missing() -> Refusal:
    message = "API calls from the server require an appsecret_proof argument"
    return error(104, message, kind="GraphMethodException")


def proof_wrong() -> Refusal:
    return error(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


def permission_missing() -> Refusal:
    wanted = "the 'pages_read_engagement' permission or the 'Page Public Content Access' feature"
    return error(10, f"(#10) This endpoint requires {wanted}.")


def page_limit(headers: Mapping[str, str]) -> Refusal:
    message = "(#80001) There have been too many calls to this Page account. Wait a bit and try again."
    return error(80001, message, headers=headers)


def no_such_object(node: str) -> Refusal:
    reason = "does not exist, cannot be loaded due to missing permissions, or does not support this operation"
    message = f"Unsupported get request. Object with ID '{node}' {reason}."
    return error(100, message, subcode=33, kind="GraphMethodException")


def no_such_field(field: str, node_type: str) -> Refusal:
    return error(100, f"(#100) Tried accessing nonexisting field ({field}) on node type ({node_type})")


def bad_parameter(message: str) -> Refusal:
    return error(100, f"(#100) {message}")


def unknown_path() -> Refusal:
    return error(2500, "Unknown path components")


SESSION_ENDED = (
    "Error validating access token: The session has been invalidated because the user changed their password "
    "or Facebook has changed the session for security reasons."
)
