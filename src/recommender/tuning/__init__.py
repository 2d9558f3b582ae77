"""The search for better settings of the ranking model on the validation split, with Optuna.

A study is one file that several processes share and that outlives them: a killed search goes on where it was.
"""

from recommender.tuning.results import best_settings, study_table
from recommender.tuning.search import tune

__all__ = ["best_settings", "study_table", "tune"]
