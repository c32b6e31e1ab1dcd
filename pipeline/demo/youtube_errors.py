"""The errors of the YouTube APIs."""

from __future__ import annotations

from typing import Any

from pipeline.demo.strict import Refusal


def error(code: int, reason: str, message: str, domain: str = "youtube.common", **more: Any) -> Refusal:
    """The envelope with one reason; *more* stands beside the list of errors."""
    one = {"message": message, "domain": domain, "reason": reason}
    return Refusal({"error": {"code": code, "message": message, "errors": [one], **more}}, code)


def _info(reason: str) -> list[dict[str, Any]]:
    """The `details` of the newer envelope."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    service = {"service": "youtube.googleapis.com"}
    return [{"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": service}]


def key_invalid() -> Refusal:
    message = "API key not valid. Please pass a valid API key."
    return error(400, "badRequest", message, "global", status="INVALID_ARGUMENT", details=_info("API_KEY_INVALID"))


def unregistered() -> Refusal:
    message = "Method doesn't allow unregistered callers. Please use API Key or other form of API consumer identity."
    return error(403, "forbidden", message, "global", status="PERMISSION_DENIED")


def token_invalid() -> Refusal:
    message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
    return error(401, "authError", message, "global", status="UNAUTHENTICATED")


def scope_missing() -> Refusal:
    message = "Insufficient Permission: Request had insufficient authentication scopes."
    return error(403, "insufficientPermissions", message, "global", status="PERMISSION_DENIED")


def quota_exceeded() -> Refusal:
    message = "The request cannot be completed because you have exceeded your quota."
    return error(403, "quotaExceeded", message, "youtube.quota")


def too_fast() -> Refusal:
    message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'."
    return error(
        429, "rateLimitExceeded", message, "global", status="RESOURCE_EXHAUSTED", details=_info("RATE_LIMIT_EXCEEDED")
    )


def playlist_not_found() -> Refusal:
    message = "The playlist identified with the request's <code>playlistId</code> parameter cannot be found."
    refusal = error(404, "playlistNotFound", message, "youtube.playlistItem")
    refusal.payload["error"]["errors"][0] |= {"locationType": "parameter", "location": "playlistId"}
    return refusal


def backend() -> Refusal:
    return error(500, "backendError", "Backend Error", "global", status="INTERNAL")


def bad_parameter(reason: str = "invalidParameter", message: str = "Invalid parameter") -> Refusal:
    return error(400, reason, message, "youtube.parameter")


def not_found() -> Refusal:
    return error(404, "notFound", "Method not found.", "global", status="NOT_FOUND")
