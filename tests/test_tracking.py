import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from recommender import tracking
from recommender.tracking.style import GREY, OURS
from recommender.tuning.study import AS_THEY_ARE, BASE, WORKER, open_study

GROUPS = ("0", "1-4", "5-19", "20-99", "100+")
RMSE = {"global_mean": 1.1173, "item_mean": 1.0298, "running_bias": 0.9668, "deep_ranking": 0.9153}
NDCG = {"popularity": 0.25, "popularity_3_day_half_life": 0.39, "ease": 0.3, "two_tower_retrieval": 0.35}
LOG = optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)
SIZES = optuna.distributions.IntDistribution(8, 32, step=8)
LAYERS = optuna.distributions.CategoricalDistribution(["[64, 32]", "[64]"])
SEARCHED = {
    "training.learning_rate": LOG,
    "ranking.embedding_size": SIZES,
    "ranking.head_options.hidden": LAYERS,
}


def rating_report(rmse: float | None, first: float | None = 1.07) -> dict[str, Any]:
    by_history = {name: {"ratings": 1000 + place, "rmse": rmse} for place, name in enumerate(GROUPS)}
    by_history["0"]["rmse"] = first
    return {"ratings": 18_886, "rmse": rmse, "auc": 0.7, "log_loss": 0.6, "by_history": by_history}


def ranking_report(ndcg: float) -> dict[str, Any]:
    metrics = {
        f"{name}@{k}": value
        for k in (100, 10)
        for name, value in (("recall", ndcg / 4), ("ndcg", ndcg), ("hit_rate", 2 * ndcg))
    }
    return {
        "users": 281,
        **metrics,
        "ndcg@10/99neg": 0.2,
        "standard_errors": {"ndcg@10": 0.02},
        "by_history": {},
    }


def write_metrics(folder: Path, models: dict[str, Any]) -> None:
    content = {
        "dataset": "ml-100k",
        "models": {name: {"validation": {}, "test": report} for name, report in models.items()},
    }
    (folder / "metrics.json").write_text(json.dumps(content), encoding="utf-8")


def write_progress(folder: Path, name: str, validation: list[float], best_epoch: int) -> None:
    (folder / name).mkdir(parents=True)
    progress = {"loss": [2.0 * value for value in validation], "validation": validation}
    text = json.dumps({**progress, "best_epoch": best_epoch, "finished": False})
    (folder / name / "progress.json").write_text(text, encoding="utf-8")


def write_study(folder: Path, trials: int) -> optuna.Study:
    """Trials in which the learning rate decides; first the settings as they are, the third is pruned."""
    study = open_study(folder / "study.log", {"ranking.objective": "rating"})
    rng = np.random.default_rng(0)
    for number in range(trials):
        rate = 10 ** float(rng.uniform(-4, -1))
        value = 0.9 + 0.1 * abs(math.log10(rate) + 2.5) + float(rng.uniform(0, 0.001))
        drawn: list[Any] = [rate, int(8 * rng.integers(1, 5)), str(rng.choice(LAYERS.choices))]
        is_pruned = number == 2
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.PRUNED if is_pruned else optuna.trial.TrialState.COMPLETE,
                value=1.2 if is_pruned else value,
                params=dict(zip(SEARCHED, drawn, strict=True)),
                distributions=SEARCHED,
                user_attrs={WORKER: 0} | ({AS_THEY_ARE: True} if number == 0 else {}),
                intermediate_values={0: 1.2},
            )
        )
    return study


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that is done."""
    rating = {name: rating_report(value) for name, value in RMSE.items()}
    write_metrics(tmp_path, rating | {name: ranking_report(value) for name, value in NDCG.items()})
    write_progress(tmp_path, "retrieval", [0.2, 0.28, 0.31, 0.30], 2)
    write_progress(tmp_path, "ranking", [0.95, 0.93, 0.94], 1)
    (tmp_path / "config.yaml").write_text("ranking: {objective: rating}", encoding="utf-8")
    write_study(tmp_path, 24)
    return tmp_path


def plots(run: Path) -> dict[str, Figure]:
    return dict(tracking._named_figures(run))


def plot(run: Path, name: str) -> Figure:
    figure = tracking.PLOTS[name](run)
    assert figure is not None
    return figure


def title(figure: Figure) -> str:
    return figure.get_suptitle()


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def row_names(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_a_run_that_is_done_has_every_plot(run: Path) -> None:
    assert list(plots(run)) == list(tracking.PLOTS)
    assert len(tracking.figures(run)) == 7


def test_a_run_that_has_just_begun_has_none(tmp_path: Path) -> None:
    assert tracking.figures(tmp_path) == []
    assert tracking.save_figures(tmp_path) == []
    open_study(tmp_path / "study.log", {})
    assert tracking.figures(tmp_path) == []


def test_a_run_without_tuning_has_no_plots_of_it(run: Path) -> None:
    (run / "study.log").unlink()
    assert list(plots(run)) == ["rating-error", "ranking-metrics", "rmse-by-history", "learning-curves"]


def test_plots_are_saved_whole_or_not_at_all(run: Path) -> None:
    for _ in range(2):
        paths = tracking.save_figures(run)
        assert sorted(paths) == sorted((run / "plots").iterdir())
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_no_text_is_cut_off_at_the_edge(run: Path) -> None:
    for name, figure in plots(run).items():
        FigureCanvasAgg(figure).draw()
        for text in shown_texts(figure):
            (left, bottom), (right, top) = text.get_window_extent().get_points()
            assert min(left, bottom) >= 0, (name, text)
            assert right <= figure.bbox.x1, (name, text)
            assert top <= figure.bbox.y1, (name, text)


def shown_texts(figure: Figure) -> list[Text]:
    """All texts but those of ticks beyond the limits, which matplotlib keeps without drawing them."""
    hidden = set()
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        low, high = axis.get_view_interval()
        ticks = axis.get_major_ticks() + axis.get_minor_ticks()
        hidden |= {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high}
    texts = figure.findobj(lambda artist: isinstance(artist, Text) and artist not in hidden)
    shown = [text for text in texts if isinstance(text, Text) and text.get_visible() and text.get_text()]
    assert len(shown) > 5
    return shown


def test_rating_models_are_ordered_by_rmse_and_ours_stands_out(run: Path) -> None:
    figure = plot(run, "rating-error")
    (axes,) = figure.axes
    assert row_names(axes) == ["global mean", "item mean", "running bias", "deep ranking"]
    assert texts(axes) == ["1.1173", "1.0298", "0.9668", "0.9153"]
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == sorted(RMSE.values(), reverse=True)
    assert [to_hex(line.get_color()).upper() for line in points] == [GREY, GREY, GREY, OURS]
    assert (
        title(figure)
        == "RMSE on test, lower is better:\ndeep ranking 0.915, best baseline running bias 0.967"
    )


def test_a_model_of_likes_is_compared_by_log_loss(run: Path) -> None:
    models = {name: rating_report(value) for name, value in RMSE.items()}
    del models["deep_ranking"]["rmse"], models["deep_ranking"]["by_history"]
    models["deep_ranking"]["log_loss"] = 0.55
    write_metrics(run, models)
    assert title(plot(run, "rating-error")).startswith(
        "log loss on test, lower is better:\ndeep ranking 0.550"
    )
    assert "rmse-by-history" not in plots(run)


def test_ranking_models_are_compared_at_the_shortest_length_with_standard_errors(run: Path) -> None:
    figure = plot(run, "ranking-metrics")
    assert [axes.get_title() for axes in figure.axes] == ["NDCG@10", "recall@10", "hit rate@10"]
    assert row_names(figure.axes[0]) == [
        "popularity",
        "ease",
        "two tower retrieval",
        "popularity 3 day half life",
    ]
    ndcg, recall, _ = figure.axes
    assert [bar.get_width() for bar in ndcg.patches] == sorted(NDCG.values())
    assert [bar.get_width() for bar in recall.patches] == [value / 4 for value in sorted(NDCG.values())]
    assert [to_hex(bar.get_facecolor()).upper() for bar in ndcg.patches] == [GREY, GREY, OURS, GREY]
    (whiskers,) = ndcg.collections
    assert whiskers.get_segments()[0][:, 0].tolist() == pytest.approx([0.23, 0.27])
    assert "best baseline popularity 3 day half life 0.390" in title(figure)


def test_metrics_that_are_not_defined_are_left_out(run: Path) -> None:
    models = {name: rating_report(value) for name, value in RMSE.items()} | {"item_mean": rating_report(None)}
    write_metrics(run, models)
    assert row_names(plot(run, "rating-error").axes[0]) == ["global mean", "running bias", "deep ranking"]
    assert "ranking-metrics" not in plots(run)


def test_the_error_by_history_has_a_gap_where_there_are_no_ratings(run: Path) -> None:
    write_metrics(run, {name: rating_report(value, first=None) for name, value in RMSE.items()})
    (axes,) = plot(run, "rmse-by-history").axes
    lines = {str(line.get_label()): line.get_ydata() for line in axes.lines}
    assert np.isnan(lines["deep ranking"][0])
    assert lines["deep ranking"][1:].tolist() == [0.9153] * 4
    assert lines["item mean"][1:].tolist() == [1.0298] * 4
    assert texts(axes) == ["0.915"] * 4
    assert [label.get_text() for label in axes.get_xticklabels()][:2] == [
        "0\n1,000 ratings",
        "1-4\n1,001 ratings",
    ]


def test_learning_curves_mark_the_epoch_that_was_kept(run: Path) -> None:
    _, ranking, loss, retrieval = plot(run, "learning-curves").axes
    assert ranking.get_title() == "ranking: validation RMSE, lower is better"
    curve, kept = ranking.lines
    assert (curve.get_xdata().tolist(), curve.get_ydata().tolist()) == ([1, 2, 3], [0.95, 0.93, 0.94])
    assert (kept.get_xdata().tolist(), kept.get_ydata().tolist()) == ([2], [0.93])
    assert loss.lines[0].get_ydata().tolist() == [0.4, 0.56, 0.62, 0.6]
    assert (retrieval.get_title(), texts(retrieval)) == (
        "retrieval: validation NDCG@10, higher is better",
        ["0.3100"],
    )


def test_one_fit_alone_has_its_curves(tmp_path: Path) -> None:
    write_progress(tmp_path, "retrieval", [0.2], 0)
    (figure,) = tracking.figures(tmp_path)
    assert [axes.get_title() for axes in figure.axes] == [
        "retrieval: training loss",
        "retrieval: validation NDCG@10, higher is better",
    ]


def test_the_history_of_a_search_falls_to_its_best(run: Path, tmp_path: Path) -> None:
    study = write_study(run, 0)
    figure = plot(run, "tuning-history")
    lines = {str(line.get_label()): line for line in figure.axes[0].lines}
    assert len(lines["complete"].get_xdata()) == 23
    assert lines["pruned, last epoch"].get_xdata().tolist() == [2]
    assert lines["settings as they are"].get_xdata().tolist() == [0]
    best = lines["best so far"].get_ydata()
    assert best[0] == study.trials[0].value
    assert best[-1] == study.best_value
    assert np.all(np.diff(best) <= 0)
    assert (
        f"settings as they are {study.trials[0].value:.4f}, best of 24 trials: {study.best_value:.4f}"
        in title(figure)
    )


def test_the_setting_that_decides_is_the_most_important(run: Path) -> None:
    (axes,) = plot(run, "tuning-importance").axes
    assert row_names(axes)[-1] == "learning_rate"
    widths = [bar.get_width() for bar in axes.patches]
    assert widths[-1] > 0.8
    assert sum(widths) == pytest.approx(1)
    assert "in 23 trials" in title(plot(run, "tuning-importance"))
    assert "few trials for 3 settings: a hint" in title(plot(run, "tuning-importance"))
    write_study(run, 10)
    assert "few trials" not in title(plot(run, "tuning-importance"))


def test_importance_needs_some_trials(tmp_path: Path) -> None:
    write_study(tmp_path, 4)  # one of them pruned
    assert list(plots(tmp_path)) == ["tuning-history", "tuning-slices"]


def test_the_settings_as_they_are_may_be_outside_all_ranges(tmp_path: Path) -> None:
    study = open_study(tmp_path / "study.log", {"ranking.objective": "like"})
    attributes = {WORKER: 0, AS_THEY_ARE: True}
    study.add_trial(optuna.trial.create_trial(value=0.6, user_attrs=attributes))
    assert list(plots(tmp_path)) == ["tuning-history"]
    assert title(plot(tmp_path, "tuning-history")).endswith("validation log loss, lower is better")


def test_every_searched_setting_has_a_slice_with_the_completed_trials(run: Path) -> None:
    figure = plot(run, "tuning-slices")
    rate, size, layers = figure.axes
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "learning_rate",
        "embedding_size",
        "head_options.hidden",
    ]
    ranges = [(rate, LOG.low, LOG.high), (size, SIZES.low, SIZES.high), (layers, 0, 1)]
    assert (rate.get_xscale(), size.get_xscale()) == ("log", "linear")
    assert [label.get_text() for label in layers.get_xticklabels()] == ["[64, 32]", "[64]"]
    assert [label.get_text() for label in rate.get_xticklabels()] == ["0.0001", "0.0032", "0.1"]
    assert rate.get_xticks(minor=True).size == 0
    assert all(axes.get_xlim()[0] < low and high < axes.get_xlim()[1] for axes, low, high in ranges)
    assert all(len(axes.collections[0].get_offsets()) == 23 for axes in figure.axes)
    study = write_study(run, 0)
    assert rate.collections[1].get_offsets().tolist() == [
        [study.trials[0].params["training.learning_rate"], study.trials[0].value]
    ]
    assert study.user_attrs[BASE] == {"ranking.objective": "rating"}
