-- The one definition of every feature. DuckDB dialect; keep to what other engines can be given by transpiling:
-- no ordered aggregates, no integer division, literals cast to DOUBLE where a fraction is meant.
--
-- In:  interactions(row, user_id, movie_id, timestamp, rating, counts)
--      movies(movie_id, genres, release_year), users(user_id, gender, age, occupation); ids and genres are codes
--      `counts` says whether a rating is seen by later rows. A row with counts = false only asks: that is
--      how validation rows are read in frozen mode, and how the state of a user or a movie is taken for
--      serving (the other id is then NULL).
-- Out: one row of features per row of interactions.
--
-- Point-in-time: a rating at second t sees ratings strictly before t. Many ratings share a second, so the
-- frame is RANGE ... 1 PRECEDING: ROWS would let a rating see others of its own second.
-- Sums stay exact: ratings are multiples of one half and years are counted from 1900.

WITH events AS (
  SELECT
    i.row,
    i.user_id,
    i.movie_id,
    i.timestamp,
    CASE WHEN i.counts THEN CAST(i.rating AS DOUBLE) END AS rating,
    CASE WHEN i.counts THEN i.timestamp END AS rated_at,
    CASE WHEN i.counts THEN CAST(m.release_year - 1900 AS DOUBLE) END AS year,
    CASE WHEN i.counts AND i.rating >= {liked_threshold} THEN 1 ELSE 0 END AS liked,
    m.genres,
    m.release_year
  FROM interactions AS i
  LEFT JOIN movies AS m ON i.movie_id = m.movie_id
),

windows AS (
  SELECT
    row,
    user_id,
    movie_id,
    timestamp,
    rating,
    genres,
    release_year,
    COUNT(rating) OVER by_user AS user_count,
    SUM(rating) OVER by_user AS user_sum,
    SUM(rating * rating) OVER by_user AS user_squares,
    COUNT(year) OVER by_user AS year_count,
    SUM(year) OVER by_user AS year_sum,
    SUM(year * year) OVER by_user AS year_squares,
    MIN(rated_at) OVER by_user AS first_rated_at,
    CAST(SUM(liked) OVER by_user AS BIGINT) AS liked_count,
    {genre_counts} AS genre_counts,
    COUNT(rating) OVER by_movie AS movie_count,
    SUM(rating) OVER by_movie AS movie_sum,
    SUM(rating * rating) OVER by_movie AS movie_squares
  FROM events
  WINDOW
    by_user AS (PARTITION BY user_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    by_movie AS (PARTITION BY movie_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),

-- How far a user's ratings lie from what others had given those movies by then, and how far a movie's lie from
-- what those users had given by then. Early means are shrunk towards the middle of the rating scale, as if 5 ratings
-- stood before them; a mean over the data would let later ratings into earlier features. These sums of fractions are the only ones that are not exact.
user_deviations AS (
  SELECT
    *,
    SUM(deviation) OVER (
      PARTITION BY user_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS user_deviation_sum
  FROM (
    SELECT *, rating - (COALESCE(movie_sum, 0) + 5 * {rating_middle}) / (movie_count + 5) AS deviation
    FROM windows
  ) AS w
),

deviations AS (
  SELECT
    *,
    SUM(rating - {rating_middle} - COALESCE(user_deviation_sum, 0) / (user_count + 5)) OVER (
      PARTITION BY movie_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS movie_deviation_sum
  FROM user_deviations
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
  FROM deviations
  WHERE rating IS NOT NULL
  GROUP BY user_id
),

liked_timelines AS (
  SELECT
    user_id,
    LIST_SORT(LIST(STRUCT_PACK(timestamp := timestamp, row := row, movie_id := movie_id))) AS liked
  FROM events
  WHERE liked = 1
  GROUP BY user_id
),

recent AS (
  SELECT
    w.*,
    ARRAY_SLICE(t.rated, GREATEST(w.user_count - {history_length}, 0) + 1, w.user_count) AS history,
    ARRAY_SLICE(l.liked, GREATEST(w.liked_count - {liked_length}, 0) + 1, w.liked_count) AS liked
  FROM deviations AS w
  LEFT JOIN timelines AS t ON w.user_id = t.user_id
  LEFT JOIN liked_timelines AS l ON w.user_id = l.user_id
)

SELECT
  r.row,
  r.user_id,
  r.movie_id,
  r.timestamp,
  u.gender,
  u.age,
  u.occupation,
  r.genres,
  r.release_year,
  r.user_count,
  r.user_sum / NULLIF(r.user_count, 0) AS user_mean,
  SQRT(GREATEST(r.user_count * r.user_squares - r.user_sum * r.user_sum, CAST(0 AS DOUBLE)))
    / NULLIF(r.user_count, 0) AS user_stddev,
  r.user_deviation_sum / NULLIF(r.user_count, 0) AS user_deviation,
  1900 + r.year_sum / NULLIF(r.year_count, 0) AS user_year_mean,
  SQRT(GREATEST(r.year_count * r.year_squares - r.year_sum * r.year_sum, CAST(0 AS DOUBLE)))
    / NULLIF(r.year_count, 0) AS user_year_stddev,
  -- count * 1000 + 999 - genre sorts by count, then by genre: the most liked genres come first.
  LIST_TRANSFORM(
    LIST_FILTER(LIST_REVERSE_SORT(r.genre_counts), lambda packed: packed >= 1000)[1:{top_genres}],
    lambda packed: 999 - packed % 1000
  ) AS top_genres,
  COALESCE(LIST_TRANSFORM(r.liked, lambda event: event.movie_id), []) AS liked_movies,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: event.movie_id), []) AS history_movies,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: event.rating), []) AS history_ratings,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: event.deviation), []) AS history_deviations,
  COALESCE(LIST_TRANSFORM(r.history, lambda event: r.timestamp - event.timestamp), []) AS history_ages,
  (r.timestamp - r.first_rated_at) / CAST(86400 AS DOUBLE) AS days_since_first,
  r.movie_count,
  r.movie_sum / NULLIF(r.movie_count, 0) AS movie_mean,
  SQRT(GREATEST(r.movie_count * r.movie_squares - r.movie_sum * r.movie_sum, CAST(0 AS DOUBLE)))
    / NULLIF(r.movie_count, 0) AS movie_stddev,
  r.movie_deviation_sum / NULLIF(r.movie_count, 0) AS movie_deviation,
  SIN(2 * PI() * (r.timestamp % 86400) / CAST(86400 AS DOUBLE)) AS hour_sin,
  COS(2 * PI() * (r.timestamp % 86400) / CAST(86400 AS DOUBLE)) AS hour_cos,
  -- The epoch began on a Thursday, day 4 of a week that starts on Sunday.
  SIN(2 * PI() * ((r.timestamp + 4 * 86400) % 604800) / CAST(604800 AS DOUBLE)) AS weekday_sin,
  COS(2 * PI() * ((r.timestamp + 4 * 86400) % 604800) / CAST(604800 AS DOUBLE)) AS weekday_cos
FROM recent AS r
LEFT JOIN users AS u ON r.user_id = u.user_id
