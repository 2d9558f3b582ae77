"""What is done for one request: by what the request asks for, else by experiments, else by the settings."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.app.experiments.assignment import assign
from recommender.app.settings import AppSettings, check_diversity

OVERRIDE, DEFAULT = "override", "default"


@dataclass(frozen=True)
class Decision:
    """The variant's name and the diversity of a list.

    `assigned_by` is the experiment that chose the variant, `override` or `default`. `assignments` are the
    experiments that had a say in this list, with the user's variant of each: one that the request overrode
    is not among them, and its traffic does not count there.
    """

    variant: str
    diversity: float
    assigned_by: str
    assignments: dict[str, str]


def decide(
    settings: AppSettings, user_id: str, variant: str | None = None, diversity: float | None = None
) -> Decision:
    """For a user; `variant` and `diversity` are what the request asks for, None = nothing."""
    given = {"model": variant, "diversity": diversity}
    assignments, by = {}, {}
    for name, experiment in settings.experiments.items():
        if given[experiment.decides] is None:
            assignments[name] = assign(user_id, name, experiment.variants)
            by[experiment.decides] = name
    if variant is None:
        assigned_by = by.get("model", DEFAULT)
        variant = assignments.get(assigned_by, settings.default_variant)
    else:
        assigned_by = OVERRIDE
    if diversity is None:
        of_experiment = by.get("diversity")
        diversity = check_diversity(assignments[of_experiment]) if of_experiment else settings.diversity
    return Decision(variant, diversity, assigned_by, assignments)
