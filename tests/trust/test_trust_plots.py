import copy

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from recommender.tracking.style import ACCENT, OURS
from recommender.trust_plots import PLOTS, save_figures


def plot(found, name: str) -> Figure:
    figure = PLOTS[name](found)
    assert figure is not None
    FigureCanvasAgg(figure).draw()
    return figure


def shown_texts(figure: Figure) -> list[Text]:
    """All texts but those of ticks beyond the limits, which matplotlib keeps without drawing them."""
    hidden = set()
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        low, high = sorted(axis.get_view_interval())
        ticks = axis.get_major_ticks() + axis.get_minor_ticks()
        hidden |= {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high}
        hidden |= {tick.label2 for tick in ticks if not low <= tick.get_loc() <= high}
    texts = figure.findobj(lambda artist: isinstance(artist, Text) and artist not in hidden)
    return [text for text in texts if isinstance(text, Text) and text.get_visible() and text.get_text()]


@pytest.mark.parametrize("name", PLOTS)
def test_no_text_is_cut_off_at_the_edge(found, name: str):
    figure = plot(found, name)
    texts = shown_texts(figure)
    assert len(texts) > 5
    for text in texts:
        (left, bottom), (right, top) = text.get_window_extent().get_points()
        assert min(left, bottom) >= -1, text
        assert right <= figure.bbox.x1 + 1, text
        assert top <= figure.bbox.y1 + 1, text


def test_every_plot_is_written_whole(found, tmp_path):
    paths = save_figures(found, tmp_path / "plots")
    assert sorted(paths) == sorted((tmp_path / "plots").iterdir())
    assert [path.name for path in paths] == [f"trust-{name}.png" for name in PLOTS]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_the_reliability_diagram_shows_predicted_against_actual_shares(found):
    diagram, counts = plot(found, "calibration").axes
    bins = found["ratings"]["models"]["deep_ranking"]["reliability"]
    line = next(line for line in diagram.lines if to_hex(line.get_color()).upper() == OURS)
    expected = [np.nan if value is None else value for value in bins["actual"]]
    np.testing.assert_array_equal(line.get_ydata(), expected)
    assert [bar.get_height() for bar in counts.patches] == bins["rows"]


def test_curves_start_and_end_where_they_must(found):
    roc, precision = plot(found, "like-curves").axes
    ours = [
        next(line for line in axes.lines if to_hex(line.get_color()).upper() == OURS)
        for axes in (roc, precision)
    ]
    assert ours[0].get_ydata()[-1] == 1
    likes = found["ratings"]["models"]["deep_ranking"]["curves"]["likes"]
    assert ours[1].get_ydata()[-1] == pytest.approx(likes, abs=0.1)


def test_groups_have_a_row_each_with_their_number_of_users(found):
    gender = plot(found, "fairness").axes[0]
    groups = found["ratings"]["groups"]["gender"]["deep_ranking"]
    labels = [label.get_text() for label in gender.get_yticklabels()]
    assert labels == [f"{name} ({group['users']})" for name, group in groups.items()]


def test_a_gap_beyond_chance_is_shown_in_another_colour(found):
    changed = copy.deepcopy(found)
    changed["ratings"]["groups"]["gender"]["deep_ranking"]["F"]["differs"] = True
    gaps = plot(changed, "fairness").axes[1]
    colours = [to_hex(line.get_color()).upper() for line in gaps.lines]
    assert colours.count(ACCENT) == 1


def test_what_the_data_set_does_not_tell_is_not_plotted(found):
    changed = copy.deepcopy(found)
    for grouping in ("gender", "age", "occupation"):
        del changed["ratings"]["groups"][grouping]
    changed["new_users"] = {"ratings": 0, "users": 0}
    assert PLOTS["fairness"](changed) is None
    assert PLOTS["new-users"](changed) is None


def test_new_users_are_shown_by_the_number_of_known_ratings(found):
    errors, lists = plot(found, "new-users").axes
    for axes in (errors, lists):
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "3", "5", "all"]
    known = found["new_users"]["known"]
    expected = [line["deep_ranking"]["rmse"] for line in known.values()]
    assert errors.lines[0].get_ydata().tolist() == pytest.approx(expected)
