"""An end-to-end deep-learning recommender: from raw MovieLens to a model that people query.

Importing this package sets up legacy Keras, which TensorFlow Recommenders needs, and imports nothing heavy.
"""

import os
import sys
import warnings

__version__ = "0.1.0"

if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise ImportError(
        "TensorFlow was imported before `recommender`, without legacy Keras, which TensorFlow Recommenders "
        "needs: import `recommender` first, or set TF_USE_LEGACY_KERAS=1 in the environment."
    )
os.environ["TF_USE_LEGACY_KERAS"] = "1"
# TensorFlow's start-up notes (CPU instructions, missing CUDA) hide the lines that matter.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Optuna's bars warn in every notebook that has no ipywidgets; ours are plain text.
warnings.filterwarnings("ignore", message="IProgress not found")
