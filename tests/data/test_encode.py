from __future__ import annotations

import numpy as np
import pyarrow as pa

from recommender.data.encode import encode_features, pad
from recommender.data.features import BY_NAME
from recommender.data.prepared import Prepared

LISTS = pa.chunked_array([pa.array([[1, 2, 3], [], None, [4]], pa.list_(pa.int32())), [[5, 6]]])


def test_lists_are_padded_in_order() -> None:
    items, present = pad(LISTS, 2)
    assert np.where(present, items, 0).tolist() == [[1, 2], [0, 0], [0, 0], [4, 0], [5, 6]]


def test_newest_first_takes_lists_from_their_end() -> None:
    items, present = pad(LISTS, 2, newest_first=True)
    assert np.where(present, items, 0).tolist() == [[3, 2], [0, 0], [0, 0], [4, 0], [6, 5]]


def test_lists_without_any_item_are_all_padding() -> None:
    _, present = pad(pa.chunked_array([pa.array([[], None], pa.list_(pa.int32()))]), 3)
    assert not present.any()


def test_every_kind_becomes_what_models_read(prepared: Prepared) -> None:
    schema = prepared.schema
    gender = schema.categories["gender"][1]
    table = pa.table(
        {
            "user_id": pa.array([0, schema.num_users - 1], pa.int32()),
            "gender": [gender, "never heard of"],
            "age": pa.array([30, None], pa.int32()),
            "genres": [[0, 2], []],
            "history_movies": [[7, 8], []],
            "history_ratings": [[3.0, 5.0], []],
            "history_deviations": [[-0.5, 1.0], []],
            "history_ages": [[100, 10], []],
        }
    )
    features = [BY_NAME[name] for name in ("user_id", "gender", "age", "genres", "history")]
    arrays = encode_features(table, features, schema)
    assert arrays["user_id"].tolist() == [1, schema.num_users]
    assert arrays["gender"].tolist() == [2, 0]
    np.testing.assert_array_equal(arrays["age"], np.array([30, np.nan], np.float32))
    assert arrays["genres"][0, :2].tolist() == [1, 3]
    assert not arrays["genres"][1].any()
    assert arrays["history_movies"][0, :3].tolist() == [9, 8, 0]
    assert arrays["history_ratings"][0, :3].tolist() == [5.0, 3.0, 0.0]
    assert arrays["history_deviations"][0, :3].tolist() == [1.0, -0.5, 0.0]
    assert arrays["history_ages"][0, :3].tolist() == [10.0, 100.0, 0.0]
    assert arrays["history_movies"].shape == (2, schema.history_length)
    assert not arrays["history_movies"][1].any()
