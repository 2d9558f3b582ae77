"""Run as a program: fits the ranking model in small blocks. Arguments: settings, preparation, folder."""

from __future__ import annotations

import sys
from pathlib import Path

from recommender.config import load_settings
from recommender.data.prepared import Prepared
from recommender.training import streaming
from recommender.training.ranking import train_ranking

if __name__ == "__main__":
    streaming.BLOCK_ROWS = 500
    settings, preparation, folder = map(Path, sys.argv[1:])
    train_ranking(load_settings(settings, environ={}), Prepared(preparation), folder)
