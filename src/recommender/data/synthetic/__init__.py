"""The embedded data set `synthetic`; see `recommender.data.synthetic.generator`."""

from recommender.data.synthetic.generator import (
    NAME,
    RATING_SCALE,
    Opinions,
    SyntheticData,
    fingerprint,
    generate,
    write,
)

__all__ = ["NAME", "RATING_SCALE", "Opinions", "SyntheticData", "fingerprint", "generate", "write"]
