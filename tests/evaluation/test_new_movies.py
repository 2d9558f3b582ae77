import numpy as np

from recommender.evaluation.new_movies import with_exchanged_movies


def test_every_movie_becomes_another_one_of_them_with_its_genres_and_year():
    movie = np.array([7, 7, 8, 9, 8, 5], np.int32)
    arrays = {
        "movie_id": movie,
        "genres": np.stack([movie, movie * 10], axis=1),
        "release_year": movie + 1900.0,
        "movie_count": np.arange(6.0),
    }
    shown = with_exchanged_movies(arrays, seed=0)
    other = shown["movie_id"]
    assert not (other == movie).any()
    assert set(zip(movie.tolist(), other.tolist(), strict=True)) == set(
        dict(zip(movie.tolist(), other.tolist(), strict=True)).items()
    )
    assert sorted(set(other.tolist())) == [5, 7, 8, 9]
    assert shown["genres"].tolist() == np.stack([other, other * 10], axis=1).tolist()
    assert shown["release_year"].tolist() == (other + 1900.0).tolist()
    assert shown["movie_count"].tolist() == arrays["movie_count"].tolist()


def test_seeds_exchange_differently_and_the_same_seed_alike():
    arrays = {"movie_id": np.arange(50, dtype=np.int32)}
    first, again, second = (with_exchanged_movies(arrays, seed)["movie_id"].tolist() for seed in (0, 0, 1))
    assert first == again != second
