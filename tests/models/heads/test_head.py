from __future__ import annotations

import pytest

from recommender.errors import ConfigError
from recommender.models.heads.head import build_head


def test_an_unknown_head_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"ranking.head: must be one of .*mlp.*, received 'mlq'"):
        build_head("mlq", {})


def test_an_unknown_option_is_named_with_those_the_head_takes() -> None:
    with pytest.raises(ConfigError, match=r"ranking.head_options: mlp takes hidden, .*, received 'hiden'"):
        build_head("mlp", {"hiden": [1]})
