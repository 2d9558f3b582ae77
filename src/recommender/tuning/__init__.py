"""The search for better settings of the ranking model on the validation split, with Optuna.

A study is a file that several processes share, or is in a database that several machines share. It outlives
them: a killed search goes on where it was.
"""

from recommender.tuning.results import best_settings, study_table
from recommender.tuning.search import tune
from recommender.tuning.study import keep_study

__all__ = ["best_settings", "keep_study", "study_table", "tune"]
