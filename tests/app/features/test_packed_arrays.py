"""Arrays and texts as bytes and back."""

import numpy as np
import pytest

from recommender.app.features.packed_arrays import PackedTexts, pack, unpack

TEXTS = ["", "Été, L' (1975)", "a\nb\0c", "", "🎬", "z"]


def test_arrays_come_back_as_they_were() -> None:
    arrays = {
        "bytes": np.arange(3, dtype=np.uint8),
        "floats": np.array([[1.5, np.nan], [-np.inf, 0.0]]),
        "none": np.empty((0, 4), np.int32),
        "ints": np.arange(12, dtype=np.int32).reshape(3, 4)[:, ::2],
        "flags": np.array([True, False, True]),
    }
    about, read = unpack(pack({"title": "two\nlines", "n": 3}, arrays))
    assert about == {"title": "two\nlines", "n": 3}
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape


@pytest.mark.parametrize("length", range(9))
def test_arrays_are_aligned_views_whatever_stands_before_them(length: int) -> None:
    content = pack({"pad": "x" * length}, {"odd": np.zeros(length, np.uint8), "wide": np.arange(3.0)})
    wide = unpack(content)[1]["wide"]
    assert wide.flags.aligned
    assert not wide.flags.owndata
    assert not wide.flags.writeable


def test_json_of_one_line_is_read_without_arrays() -> None:
    assert unpack(b'{"layout":1}') == ({"layout": 1}, {})


def test_texts_come_back_one_by_one() -> None:
    texts = PackedTexts.of(TEXTS)
    assert [texts[place] for place in range(len(texts))] == TEXTS
    assert len(PackedTexts.of([])) == 0
