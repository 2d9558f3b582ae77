-- The whole feature table: what features.sql says, put in for the table `statistics`, and the lists of a user's last ratings.
-- A prepared data set does not store these lists, which would take most of the time and space: data/timelines.py
-- gathers them from the same ordered ratings, and tests hold the two equal.

WITH statistics AS (
  {statistics}
),

-- A user's ratings once, in order. The first n of them are what a row with n earlier ratings may see.
timelines AS (
  SELECT
    user_id,
    LIST_SORT(
      LIST(
        STRUCT_PACK(timestamp := timestamp, row := row, movie_id := movie_id, rating := rating, deviation := deviation)
      )
    ) AS rated
  FROM statistics
  WHERE rating IS NOT NULL
  GROUP BY user_id
),

liked_timelines AS (
  SELECT
    user_id,
    LIST_SORT(LIST(STRUCT_PACK(timestamp := timestamp, row := row, movie_id := movie_id))) AS liked
  FROM statistics
  WHERE rating >= CAST({liked_threshold} AS FLOAT)
  GROUP BY user_id
),

recent AS (
  SELECT
    s.*,
    ARRAY_SLICE(t.rated, GREATEST(s.user_count - {history_length}, 0) + 1, s.user_count) AS history,
    ARRAY_SLICE(l.liked, GREATEST(s.liked_count - {liked_length}, 0) + 1, s.liked_count) AS liked
  FROM statistics AS s
  LEFT JOIN timelines AS t ON s.user_id = t.user_id
  LEFT JOIN liked_timelines AS l ON s.user_id = l.user_id
)

SELECT
  {columns},
  COALESCE(LIST_TRANSFORM(r.liked, lambda event: event.movie_id), []) AS liked_movies,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: event.movie_id), []) AS history_movies,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: event.rating), []) AS history_ratings,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: event.deviation), []) AS history_deviations,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: r.timestamp - event.timestamp), []) AS history_ages
FROM recent AS r
