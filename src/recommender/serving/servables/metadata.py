"""The answer to GET /v1/models/NAME/metadata."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format


def metadata_json(name: str, version: int, meta_graph: Any) -> bytes:
    """All signatures of a MetaGraphDef, as ToJsonString of model_servers/http_rest_api_util.cc writes them.

    That is protobuf's JSON of a SignatureDefMap with the fields' own names and those that are not set,
    indented by one space, within text that is put around it.
    """
    specification = json.dumps({"name": name, "signature_name": "", "version": str(version)}, indent=1)
    signatures = {
        key: json_format.MessageToDict(
            definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for key, definition in sorted(meta_graph.signature_def.items())
    }
    written = json.dumps({"signature_def": signatures}, indent=1)
    return f'{{\n"model_spec":{specification}\n,\n"metadata": {{"signature_def": {written}\n}}\n}}\n'.encode()
