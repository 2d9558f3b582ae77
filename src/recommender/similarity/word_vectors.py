"""Skip-gram with negative sampling over sequences of movies, by gensim; one seed gives the same bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from gensim.models import Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from numpy.typing import NDArray

# As in the paper.
NEGATIVES = 5  # words drawn beside each pair
NEGATIVE_EXPONENT = 0.75  # of how often a word occurs, when it is drawn
SUBSAMPLE = 1e-3  # the share of all words above which a frequent one is left out now and then


def word_vectors(
    sequences: Iterable[NDArray[np.int32]],
    num_movies: int,
    *,
    size: int,
    window: int,
    epochs: int,
    min_count: int,
    seed: int,
    on_epoch: Callable[[], object] = lambda: None,
) -> NDArray[np.float32]:
    """Vectors `(num_movies, size)` such that movies in similar surroundings have a high cosine.

    `sequences` is gone through `epochs + 1` times. A movie that occurs fewer than `min_count` times has a
    vector of zeros. One thread, since several give another result each time. Mikolov et al., "Distributed
    Representations of Words and Phrases and their Compositionality", 2013.
    """
    vectors = np.zeros((num_movies, size), np.float32)
    sentences = _Sentences(sequences, num_movies)
    model = Word2Vec(
        vector_size=size,
        window=window,
        epochs=epochs,
        negative=NEGATIVES,
        ns_exponent=NEGATIVE_EXPONENT,
        sample=SUBSAMPLE,
        min_count=min_count,
        seed=seed,
        sg=1,
        workers=1,
        hashfxn=_hash,
    )
    model.build_vocab(sentences)
    if len(model.wv):
        model.train(
            sentences, total_examples=model.corpus_count, epochs=epochs, callbacks=[_EpochEnd(on_epoch)]
        )
        vectors[[int(word) for word in model.wv.index_to_key]] = model.wv.vectors
    return vectors


class _Sentences:
    """Sequences of codes as lists of words, made while they are read."""

    def __init__(self, sequences: Iterable[NDArray[np.int32]], num_movies: int) -> None:
        self._sequences = sequences
        self._words = [str(code) for code in range(num_movies)]

    def __iter__(self) -> Iterator[list[str]]:
        for sequence in self._sequences:
            yield [self._words[code] for code in sequence.tolist()]


class _EpochEnd(CallbackAny2Vec):
    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def on_epoch_end(self, model: Word2Vec) -> None:
        self._call()


def _hash(word: str) -> int:
    """Python's own hash differs from process to process."""
    return zlib.crc32(word.encode())
