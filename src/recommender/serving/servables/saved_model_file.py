"""Reading the description of a SavedModel, with TensorFlow Serving's words where it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from recommender.serving.status import Code, ServingError

BINARY, TEXT = "saved_model.pb", "saved_model.pbtxt"
SERVING_TAGS = {"serve"}
VARIABLES = Path("variables") / "variables"  # the prefix of the checkpoint


def read_meta_graph(folder: Path) -> Any:
    """The MetaGraphDef with the tags {"serve"} of the SavedModel in `folder`.

    Raises `ServingError` as cc/saved_model/reader.cc of TensorFlow words it: NOT_FOUND where there is no
    SavedModel or none with these tags, DATA_LOSS where it cannot be parsed.
    """
    model = _read(folder)
    for meta_graph in model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == SERVING_TAGS:
            return meta_graph
    raise ServingError(
        Code.NOT_FOUND,
        "Could not find meta graph def matching supplied tags: { serve }. To inspect available tag-sets in "
        "the SavedModel, please use the SavedModel CLI: `saved_model_cli`",
    )


def _read(folder: Path) -> Any:
    model = saved_model_pb2.SavedModel()
    binary, text = folder / BINARY, folder / TEXT
    try:
        if binary.is_file():
            model.ParseFromString(binary.read_bytes())
            return model
        if text.is_file():
            return text_format.Parse(text.read_text(encoding="utf-8"), model)
    except DecodeError:
        raise ServingError(Code.DATA_LOSS, f"Can't parse {binary} as binary proto") from None
    except (text_format.ParseError, UnicodeDecodeError):
        raise ServingError(Code.DATA_LOSS, f"Can't parse {text} as text proto") from None
    except OSError as error:
        raise ServingError(
            Code.PERMISSION_DENIED if isinstance(error, PermissionError) else Code.UNKNOWN,
            f"{error.filename}; {error.strerror}",
        ) from None
    raise ServingError(
        Code.NOT_FOUND,
        f"Could not find SavedModel .pb or .pbtxt at supplied export directory path: {folder}. Check that "
        "the directory exists and that you have the right permissions for accessing it.",
    )
