"""A process to kill: rates until then, and says after each rating that it was taken."""

import itertools
import sys

from recommender.app.features import FeatureStore, open_backend

address, movie_id, start = sys.argv[1:]
store = FeatureStore(open_backend(address))
for place in itertools.count():
    store.add_rating("killed", movie_id, 4.0, int(start) + place // 3)
    print(place + 1, flush=True)
