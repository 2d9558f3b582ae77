"""Tables of similar movies as blobs of a version, each read once."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.app.features.backend import Backend
from recommender.app.features.errors import UnknownModelError
from recommender.app.features.packed_arrays import pack, unpack
from recommender.similarity.neighbours import Neighbours


def put_neighbours(backend: Backend, version: int, tables: Mapping[str, Neighbours]) -> None:
    """Put tables, by the name of their model, into a version under way."""
    for model, table in tables.items():
        backend.put_blob(version, _blob(model), pack({}, {"codes": table.codes, "scores": table.scores}))


class NeighbourTables:
    """The tables of the version that was asked for last, for several threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._read: dict[tuple[int, str], Neighbours] = {}

    def table(self, version: int, model: str) -> Neighbours:
        """A model's table; raises `UnknownModelError` where the version has none or is gone."""
        table = self._read.get((version, model))
        if table is None:
            content = self._backend.blob(version, _blob(model))
            if content is None:
                raise UnknownModelError(f"model: no similar movies by {model!r} were pushed to the store")
            table = Neighbours(**unpack(content)[1])
            kept = {key: other for key, other in self._read.items() if key[0] == version}
            self._read = {**kept, (version, model): table}
        return table


def _blob(model: str) -> str:
    return f"similar-{model}"
