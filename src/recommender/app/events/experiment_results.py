"""What became of the lists of each variant."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.app.answers import ExperimentResult, VariantResult
from recommender.app.events.traffic import Counts, Traffic
from recommender.app.experiments.click_through import wilson_interval
from recommender.app.settings import ExperimentSettings


def experiment_results(
    experiments: Mapping[str, ExperimentSettings], traffic: Traffic
) -> list[ExperimentResult]:
    """Every experiment of the settings with its variants; variants of the past are left out."""
    return [_result(name, settings, traffic) for name, settings in experiments.items()]


def _result(name: str, settings: ExperimentSettings, traffic: Traffic) -> ExperimentResult:
    counts = {variant: traffic.counts(name, variant) for variant in settings.variants}
    requests = sum(count.requests for count in counts.values())
    total = sum(settings.variants.values())
    variants = [
        _variant(variant, settings.variants[variant] / total, requests, count)
        for variant, count in counts.items()
    ]
    return ExperimentResult(experiment=name, decides=settings.decides, variants=variants)


def _variant(variant: str, weight: float, requests: int, count: Counts) -> VariantResult:
    return VariantResult(
        variant=variant,
        weight=weight,
        share=count.requests / requests if requests else 0.0,
        requests=count.requests,
        impressions=count.impressions,
        clicks=count.clicks,
        click_through=count.clicks / count.impressions if count.impressions else None,
        interval=wilson_interval(count.clicks, count.impressions),
    )
