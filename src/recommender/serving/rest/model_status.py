"""The answer to a question about a model's versions: `GetModelStatusResponse` as protobuf's JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.serving.servables.version_status import VersionStatus


def write_model_status(versions: Sequence[VersionStatus]) -> bytes:
    """Laid out as `ToJsonString` of http_rest_api_util.cc asks protobuf to: one space a level."""
    text = json.dumps({"model_version_status": list(map(_version, versions))}, indent=1, ensure_ascii=False)
    # protobuf's json_util escapes these two inside strings; outside of strings they cannot be.
    return (text.replace("<", "\\u003c").replace(">", "\\u003e") + "\n").encode(errors="replace")


def _version(status: VersionStatus) -> dict[str, object]:
    return {
        "version": str(status.version),
        "state": status.state.value,
        "status": {"error_code": status.code.name, "error_message": status.message},
    }
