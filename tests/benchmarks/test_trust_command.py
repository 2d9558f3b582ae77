import json

import pytest

from recommender import trust


def test_numbers_of_several_seeds_become_their_mean():
    from trust import mean_tree

    first = {"name": "a", "rmse": 1.0, "interval": [0.5, None], "differs": True, "few": None, "ratings": 3}
    second = {"name": "a", "rmse": 2.0, "interval": [1.5, 2.0], "differs": False, "few": None, "ratings": 3}
    assert mean_tree([first, second]) == {
        "name": "a", "rmse": 1.5, "interval": [1.0, None], "differs": False, "few": None, "ratings": 3,
    }  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [("3", [1, 2, 3]), ("4,5", [4, 5]), ("2,", [2])])
def test_seeds_are_a_number_or_a_list(text: str, expected: list[int]):
    from trust import seeds

    assert seeds(text) == expected


def test_every_table_is_printed_with_a_cell_for_each_head(settings, prepared, trained):
    from trust_tables import show

    found = json.loads(json.dumps(trust.measure(settings, prepared, trained)))
    text = show(found, [found, found])
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) > 12
    for table in tables:
        assert len({line.count("|") for line in table}) == 1, table[0]
    assert "±" in text
