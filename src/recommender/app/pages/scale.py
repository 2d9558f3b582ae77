"""How ratings and predictions read: stars of the data's scale, or the probability of a like."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

from recommender.app.models import ModelUnavailableError

if TYPE_CHECKING:
    from recommender.app.application import Application


class Scale:
    """Asks the application only for what a page shows."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @property
    def highest(self) -> float:
        """The best rating that there is."""
        return self._application.rating_scale()[1]

    @cached_property
    def stars(self) -> list[int]:
        """The whole numbers of stars that a visitor can give."""
        low, high = self._application.rating_scale()
        return list(range(max(1, math.ceil(low)), math.floor(high) + 1))

    @cached_property
    def predicts_stars(self) -> bool:
        """Whether predictions are ratings; probabilities otherwise."""
        try:
            return self._application.model.describe().objective == "rating"
        except ModelUnavailableError:
            return True  # then nothing is predicted

    def read(self, prediction: float) -> str:
        """A prediction as people read it: 4.3 stars, or 83 %."""
        return f"{prediction:.1f}" if self.predicts_stars else f"{100 * prediction:.0f} %"
