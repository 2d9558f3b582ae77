"""The model card: what the model is for, what it was made from, how good it is and where it fails.

The sections follow Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.data.schema import Schema
from recommender.models.final_order import FinalOrder

REPORTED_SPLIT = "test"

CARD = """\
# Model card: {name}

Recommends movies that a user has not rated and predicts ratings. Two models in one TensorFlow SavedModel:
a retrieval model finds {candidates} candidates out of {num_movies:,} movies, a deep ranking model with the
head `{head}` and the objective `{objective}` says what the user makes of them, and both scores together order
them. Trained from scratch with seed {seed}.

## Intended use

For learning, demonstrating and trying out a recommender from raw ratings to a server. It suggests movies to
people who have rated some, and to those who have not what retrieval makes of an empty history: mostly what
is popular.

Not for decisions about people, not for catalogues other than the one it was trained on, and not as evidence
of what people like: it repeats what the data's raters chose to watch and rate, and leans to what is popular.

## Data

{data}

| split ({split}) | ratings | users | movies | rows of users unseen in training | rows of movies unseen |
|---|---:|---:|---:|---:|---:|
{parts}

Features: `{mode}`. {mode_text}

## Results on the {reported} split

Definitions: docs/metrics.md. Validation figures, standard errors and figures by length of history are in
`metrics.json`.

{tables}

`two_stage` are the final lists, `two_tower_retrieval` the same movies as retrieval orders them. {order}

## Limits

- New users: somebody without ratings gets much the same as everybody without. Predictions get better with
  each of the first ratings; the figures by length of history show by how much.
- New movies: known by genres and year alone until they are rated; the catalogue is that of the data.
- Time: users, movies and their statistics are as of {moment_text} (timestamp {moment}), a second after
  the last rating. A request with a later timestamp moves ages and clock features on, and knows no later
  ratings; one with an earlier timestamp still sees all ratings.
- Lists leave out what the user has rated, but no near-duplicates: {duplicates} titles belong to several
  movies.

## How to ask it

```python
import tensorflow as tf

model = tf.saved_model.load("PATH/OF/THIS/FOLDER")
answer = model.signatures["recommend"](
    user_id=tf.constant(["{user_id}"]), exclude=tf.constant([[""]]), k=tf.constant(10)
)
print(answer["titles"].numpy(), answer["scores"].numpy())
```

or over REST, where a model server serves it as `{name}`:

```sh
curl http://localhost:8501/v1/models/{name}:predict -d \\
  '{{"signature_name": "recommend", "inputs": {{"user_id": ["{user_id}"], "exclude": [[""]], "k": 10}}}}'
```

| signature | asks with | answers |
|---|---|---|
| `serving_default` | user_id, movie_title, timestamp | `{objective}`, user_embedding, movie_embedding |
| `predict_by_id` | user_id, movie_id | the same, as of the last rating |
| `predict_by_id_at` | user_id, movie_id, timestamp | the same |
| `retrieve` | user_id, k | movie_ids, titles, scores of retrieval |
| `retrieve_by_features` | one user's stored features, k | the same |
| `rank` | one user's stored features, timestamp, movie_ids | scores of the final order, `{objective}` |
| `rank_by_features` | the same and every movie's stored history | the same |
| `retrieve_to_rank` | one user's stored features, k | movie_ids, scores, and `retrieved` for the next |
| `rank_retrieved` | as `rank_by_features`, and `retrieved` | the same, sooner |
| `recommend` | user_id, exclude (movie ids, "" for none), k | movie_ids, titles, scores of the final order |
| `similar_movies` | movie (id, or else title), k | movie_ids, titles, cosines |

Titles match without case, accents and punctuation; of movies with the same title the one with most ratings
is meant. Users and movies that are not in the data are no error. Where fewer than k movies are left, places
at the end are "" with the lowest float.
"""

MODES = {
    "point_in_time": "A rating is predicted from all ratings before its second, whatever their split.",
    "frozen": "Statistics and histories stop at the end of the training split.",
}


def model_card(
    settings: Settings, prepared: Prepared, order: FinalOrder, metrics: Mapping[str, Any], moment: int
) -> str:
    """The card as Markdown; `metrics` has `models`: name -> split -> metric -> value.

    `moment` is the second, UTC, as of which the model knows users and movies.
    """
    schema = prepared.schema
    return CARD.format(
        name=settings.workflow.name,
        candidates=settings.retrieval.candidates,
        num_movies=schema.num_movies,
        head=settings.ranking.head,
        objective=settings.ranking.objective,
        seed=settings.seed,
        data=_data(schema),
        split=schema.split,
        parts="\n".join(_part(schema, name) for name in schema.parts),
        mode=schema.feature_mode,
        mode_text=MODES[schema.feature_mode],
        reported=REPORTED_SPLIT,
        tables=_tables(metrics) or "Not measured.",
        order=_order(order, settings.ranking.objective),
        moment=moment,
        moment_text=datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        duplicates=prepared.movies["title"].duplicated().sum(),
        user_id=prepared.users["user_id"][0],
    )


def _data(schema: Schema) -> str:
    if schema.is_synthetic:
        return (
            f"`{schema.dataset}`: **generated, not real.** No person rated anything; figures measured on it "
            "say nothing about people or about other data. No licence applies."
        )
    return (
        f"`{schema.dataset}`, fingerprint `{schema.fingerprint}`. Sources and licences are in "
        "data/README.md, but for `custom` data, whose owner sets the terms. A model carries what it learnt "
        "from its data: read the licence before you publish it."
    )


def _order(order: FinalOrder, objective: str) -> str:
    if order == FinalOrder():
        return "The order is that of retrieval: on validation, nothing fitted was better."
    what = "the predicted rating" if objective == "rating" else f"the log-odds of `{objective}`"
    return (
        f"The order is by {order.retrieval:.3f} times the score of retrieval {order.preference:+.3f} times "
        f"{what}, fitted on validation; for users without ratings it is that of retrieval."
    )


def _part(schema: Schema, name: str) -> str:
    part = schema.parts[name]
    return (
        f"| {name} | {part.rows:,} | {part.users:,} | {part.movies:,} "
        f"| {part.unseen_user_share:.1%} | {part.unseen_movie_share:.1%} |"
    )


def _tables(metrics: Mapping[str, Any]) -> str:
    """A table of models that predict ratings and one of those that rank the catalogue; a row per metric."""
    measured = {
        name: _numbers(splits.get(REPORTED_SPLIT, {})) for name, splits in metrics.get("models", {}).items()
    }
    rankings = {name: found for name, found in measured.items() if any("@" in metric for metric in found)}
    ratings = {name: found for name, found in measured.items() if found and name not in rankings}
    return "\n\n".join(_table(group) for group in (ratings, rankings) if group)


def _numbers(found: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in found.items() if value is None or isinstance(value, (int, float))}


def _table(models: Mapping[str, Mapping[str, float | None]]) -> str:
    metrics = list(dict.fromkeys(metric for found in models.values() for metric in found))
    rows = [["metric", *models], ["---", *["---:"] * len(models)]]
    rows += [[metric, *(_cell(found.get(metric)) for found in models.values())] for metric in metrics]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
