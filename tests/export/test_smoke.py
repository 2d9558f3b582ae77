from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import recommender.smoke
from recommender.data.prepared import Prepared
from recommender.errors import RecommenderError
from recommender.export.smoke import UNKNOWN_USER, smoke_rows
from recommender.smoke import Smoke, check_version, read_smoke

REQUEST = {"instances": [{"user_id": "1"}, {"user_id": "2"}]}
TELLING_NOTHING = (
    '{"request": 5, "predictions": 7}',
    '{"request": {"instances": []}, "predictions": []}',
    '{"request": {"instances": [{}]}, "predictions": []}',
    '{"request": {"instances": [{}]}, "predictions": [{}]}',
    '{"request": {"instances": [{}]}, "predictions": [{"rating": "3.5"}]}',
    '{"request": {"instances": [{}]}, "predictions": [{"rating": NaN}]}',
    '{"request": {"inputs": {}}, "predictions": [{"rating": 3.5}]}',
)
SMOKE = Smoke(REQUEST, [{"rating": 3.0}, {"rating": 4.0}])


def test_the_smoke_request_asks_for_pairs_of_the_data_and_for_a_stranger(prepared: Prepared) -> None:
    *known, stranger = smoke_rows(prepared)
    users = dict(zip(prepared.users["user_id"], range(len(prepared.users)), strict=True))
    interactions = prepared.interactions
    rated = set(zip(interactions.user.tolist(), interactions.timestamp.tolist(), strict=True))
    assert len(known) >= 3
    assert {(users[row["user_id"]], row["timestamp"]) for row in known} <= rated
    assert {row["movie_title"] for row in known} <= set(prepared.movies["title"])
    assert stranger == {**known[-1], "user_id": UNKNOWN_USER}
    assert UNKNOWN_USER not in users


def test_the_answers_are_those_of_the_exported_model(version: Path, ask: Any) -> None:
    smoke = read_smoke(version)
    rows = smoke.request["instances"]
    assert list(smoke.request) == ["instances"]
    inputs = {name: [row[name] for row in rows] for name in rows[0]}
    expected = ask("serving_default", **inputs)["rating"].tolist()
    assert [list(prediction) for prediction in smoke.predictions] == [["rating"]] * len(rows)
    assert [prediction["rating"] for prediction in smoke.predictions] == pytest.approx(expected, abs=1e-5)
    assert len(set(expected)) > 1


def test_the_largest_difference_counts_and_more_outputs_do_not() -> None:
    answer = [{"rating": 3.0, "user_embedding": [1.0]}, {"rating": 4.25}]
    assert SMOKE.difference(answer) == 0.25
    assert SMOKE.check(answer, 0.25) == 0.25
    with pytest.raises(
        RecommenderError, match=r"differ from those at export by 0\.25, at most 0\.2 is allowed"
    ):
        SMOKE.check(answer, 0.2)


def test_a_prediction_that_is_no_number_is_a_difference() -> None:
    with pytest.raises(RecommenderError, match="differ from those at export by nan"):
        SMOKE.check([{"rating": math.nan}, {"rating": 4.0}], 10.0)


@pytest.mark.parametrize(
    "answer", [[{"rating": 3.0}], [{"rating": 3.0}, {"like": 4.0}], [3.0, 4.0], None, [{"rating": "x"}] * 2]
)
def test_an_answer_of_another_form_is_told(answer: Any) -> None:
    with pytest.raises(RecommenderError, match="the smoke request's answer has another form: "):
        SMOKE.difference(answer)


def test_a_request_for_the_first_row() -> None:
    assert SMOKE.first_row() == {"instances": [{"user_id": "1"}]}


def test_a_version_without_a_smoke_request_says_how_to_go_without(tmp_path: Path) -> None:
    with pytest.raises(
        RecommenderError, match=r"smoke\.json: cannot be read: .*deployment\.smoke=false goes"
    ):
        read_smoke(tmp_path)
    for text in ("", "[]", "{}", *TELLING_NOTHING):
        (tmp_path / "smoke.json").write_text(text, encoding="utf-8")
        with pytest.raises(RecommenderError, match="expected a JSON object with request and predictions"):
            read_smoke(tmp_path)


@pytest.mark.slow
def test_a_version_is_loaded_and_asked_in_a_process_of_its_own(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recommender.py").write_text("raise SystemExit('not what is meant')", encoding="utf-8")
    assert check_version(version, 1e-4, 120.0) <= 1e-4
    other = shutil.copytree(version, tmp_path / "2")
    content = json.loads((other / "smoke.json").read_text(encoding="utf-8"))
    content["predictions"][0]["rating"] += 0.5
    (other / "smoke.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(
        RecommenderError, match=rf"{other}: the smoke request's predictions differ .* by 0\.5"
    ):
        check_version(other, 1e-4, 120.0)
    (other / "saved_model.pb").unlink()
    with pytest.raises(RecommenderError, match=rf"{other}: cannot be loaded and asked: .*SavedModel"):
        check_version(other, 1e-4, 120.0)


def test_a_version_that_takes_too_long_or_crashes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"request": {"instances": [{}]}, "predictions": [{"rating": 3.5}]}
    (tmp_path / "smoke.json").write_text(json.dumps(content), encoding="utf-8")
    run = subprocess.run
    code = "import os, time; time.sleep(60)"
    monkeypatch.setattr(subprocess, "run", lambda _, **how: run([sys.executable, "-c", code], **how))
    with pytest.raises(RecommenderError, match=r"not loaded within 0\.2 seconds"):
        check_version(tmp_path, 1e-4, 0.2)
    code = "import os, sys; print('WARNING: slow', file=sys.stderr, flush=True); os.abort()"
    with pytest.raises(
        RecommenderError, match="cannot be loaded and asked: its process was ended by SIGABRT"
    ):
        check_version(tmp_path, 1e-4, 10.0)


def test_an_error_of_several_lines_is_told_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("Read less bytes than requested\n\t [[{{node RestoreV2}}]]")

    monkeypatch.setattr(recommender.smoke, "ask_saved_model", fails)
    monkeypatch.setattr(recommender.smoke, "read_smoke", lambda _: SMOKE)
    with pytest.raises(SystemExit, match=r"^ValueError: Read less bytes than requested \[\[.*\]\]$"):
        recommender.smoke.main(tmp_path)
