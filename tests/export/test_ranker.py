from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.export.serving_module import ServingModule
from recommender.training import Trained
from recommender.training.ranking import build_ranking


@pytest.fixture
def serving(request: pytest.FixtureRequest, settings: Settings, prepared: Prepared, trained: Trained):
    """The exported module with a ranking model of the objective."""
    ranking = settings.ranking.model_copy(update={"objective": request.param})
    settings = settings.model_copy(update={"ranking": ranking})
    model = dataclasses.replace(trained, ranking=build_ranking(settings, prepared))
    return ServingModule(settings, prepared, model)


@pytest.mark.parametrize("serving", ["implicit"], indirect=True)
def test_a_model_of_interactions_answers_with_probabilities_under_the_name_of_its_objective(serving) -> None:
    answer = serving.predict_by_id(tf.constant(["1", "2"]), tf.constant(["1", "2"]))
    assert set(answer) == {"implicit", "user_embedding", "movie_embedding"}
    recommended = serving.recommend(tf.constant(["1"]), tf.constant([[""]]), tf.constant(5))
    assert ((answer["implicit"].numpy() > 0) & (answer["implicit"].numpy() < 1)).all()
    assert (np.diff(recommended["scores"][0]) <= 0).all()
