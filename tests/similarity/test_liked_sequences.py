"""What each user liked, in the order of time."""

import numpy as np

from recommender.similarity.liked_sequences import LikedSequences

ROWS = [
    *[(1, 4, 5.0, 30), (0, 2, 4.0, 20), (1, 3, 4.0, 10), (0, 1, 3.5, 15), (0, 0, 5.0, 20)],
    *[(3, 2, 4.5, 1), (0, 3, 4.0, 5), (1, 3, 5.0, 40), (1, 3, 5.0, 41), (2, 0, 1.0, 1)],
]


def test_only_liked_movies_count_by_time_and_within_a_second_by_the_file(make_ratings) -> None:
    liked = LikedSequences.of(make_ratings(ROWS, 5, 6), liked_threshold=4.0)
    assert [movies.tolist() for movies in liked] == [[3, 2, 0], [3, 4, 3, 3], [2]]


def test_consecutive_likes_are_pairs_of_one_user_and_of_two_movies(make_ratings) -> None:
    liked = LikedSequences.of(make_ratings(ROWS, 5, 6), liked_threshold=4.0)
    assert liked.consecutive().tolist() == [[3, 2], [2, 0], [3, 4], [4, 3]]


def test_nobody_who_likes_anything_is_no_sequence(make_ratings) -> None:
    for rows in ([], [(0, 0, 1.0, 1)]):
        liked = LikedSequences.of(make_ratings(rows, 2, 2), liked_threshold=4.0)
        assert list(liked) == []
        assert liked.consecutive().shape == (0, 2)


def test_sequences_can_be_read_again(two_tastes) -> None:
    liked = LikedSequences.of(two_tastes, 4.0)
    first, second = ([movies.tolist() for movies in liked] for _ in range(2))
    assert first == second
    assert len(first) == 201
    np.testing.assert_array_equal(np.concatenate(first), liked.movies)
