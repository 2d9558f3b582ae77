-- The one definition of every feature but the lists of a user's earlier movies, which histories.sql adds. DuckDB
-- dialect; keep to what other engines can be given by transpiling: no ordered aggregates, no integer division,
-- literals cast to DOUBLE where a fraction is meant.
--
-- In:  interactions(row, user_id, movie_id, timestamp, rating, counts)
--      movies(movie_id, genres, release_year), users(user_id, gender, age, occupation); ids and genres are codes
--      `counts` says whether a rating is seen by later rows. A row with counts = false only asks: that is
--      how validation rows are read in frozen mode, and how the state of a user or a movie is taken for
--      serving (the other id is then NULL).
-- Out: one row of features per row of interactions; beside them what histories are made of: the rating where it
--      counts, its deviation, and how many earlier ratings are likes.
--
-- Point-in-time: a rating at second t sees ratings strictly before t. Many ratings share a second, so the
-- frame is RANGE ... 1 PRECEDING: ROWS would let a rating see others of its own second.
-- Sums stay exact: ratings are multiples of one half and years are counted from 1900.
--
-- The order of the steps keeps memory low: every step sorts all rows, so what few columns suffice for comes
-- first, and what a movie or a user always is, is joined when nothing needs sorting any more.

WITH events AS (
  SELECT
    row,
    user_id,
    movie_id,
    timestamp,
    CASE WHEN counts THEN CAST(rating AS DOUBLE) END AS rating,
    CASE WHEN counts AND rating >= CAST({liked_threshold} AS FLOAT) THEN 1 ELSE 0 END AS liked
  FROM interactions
),

of_movies AS (
  SELECT
    *,
    COUNT(rating) OVER by_movie AS movie_count,
    SUM(rating) OVER by_movie AS movie_sum,
    SUM(rating * rating) OVER by_movie AS movie_squares
  FROM events
  WINDOW by_movie AS (PARTITION BY movie_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),

-- How far a user's ratings lie from what others had given those movies by then, and how far a movie's lie from
-- what those users had given by then. Early means are shrunk towards the middle of the rating scale, as if 5 ratings
-- stood before them; a mean over the data would let later ratings into earlier features. These sums of fractions are
-- the only ones that are not exact.
user_deviations AS (
  SELECT
    *,
    COUNT(rating) OVER by_user AS user_count,
    SUM(deviation) OVER by_user AS user_deviation_sum
  FROM (
    SELECT *, rating - (COALESCE(movie_sum, 0) + 5 * {rating_middle}) / (movie_count + 5) AS deviation
    FROM of_movies
  ) AS m
  WINDOW by_user AS (PARTITION BY user_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),

deviations AS (
  SELECT
    *,
    SUM(rating - {rating_middle} - COALESCE(user_deviation_sum, 0) / (user_count + 5)) OVER (
      PARTITION BY movie_id ORDER BY timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS movie_deviation_sum
  FROM user_deviations
),

-- A movie's genres as summands: each genre has {genre_bits} bits of one of a few numbers, so that one sum counts
-- several genres.
summands AS (
  SELECT
    movie_id,
    CAST(release_year - 1900 AS DOUBLE) AS year,
    {genre_summands}
  FROM movies
),

of_users AS (
  SELECT
    d.*,
    SUM(d.rating) OVER by_user AS user_sum,
    SUM(d.rating * d.rating) OVER by_user AS user_squares,
    COUNT(s.year + d.rating) OVER by_user AS year_count,
    SUM(CASE WHEN d.rating IS NOT NULL THEN s.year END) OVER by_user AS year_sum,
    SUM(CASE WHEN d.rating IS NOT NULL THEN s.year * s.year END) OVER by_user AS year_squares,
    MIN(CASE WHEN d.rating IS NOT NULL THEN d.timestamp END) OVER by_user AS first_rated_at,
    CAST(SUM(d.liked) OVER by_user AS BIGINT) AS liked_count,
    {genre_sums}
  FROM deviations AS d
  LEFT JOIN summands AS s ON d.movie_id = s.movie_id
  WINDOW by_user AS (PARTITION BY d.user_id ORDER BY d.timestamp RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)

SELECT
  r.row,
  r.user_id,
  r.movie_id,
  {now} AS timestamp,
  u.gender,
  u.age,
  u.occupation,
  m.genres,
  m.release_year,
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
    LIST_REVERSE_SORT(LIST_FILTER({genre_counts}, lambda packed: packed >= 1000))[1:{top_genres}],
    lambda packed: 999 - packed % 1000
  ) AS top_genres,
  ({now} - r.first_rated_at) / CAST(86400 AS DOUBLE) AS days_since_first,
  r.movie_count,
  r.movie_sum / NULLIF(r.movie_count, 0) AS movie_mean,
  SQRT(GREATEST(r.movie_count * r.movie_squares - r.movie_sum * r.movie_sum, CAST(0 AS DOUBLE)))
    / NULLIF(r.movie_count, 0) AS movie_stddev,
  r.movie_deviation_sum / NULLIF(r.movie_count, 0) AS movie_deviation,
  SIN(2 * PI() * ({now} % 86400) / CAST(86400 AS DOUBLE)) AS hour_sin,
  COS(2 * PI() * ({now} % 86400) / CAST(86400 AS DOUBLE)) AS hour_cos,
  -- The epoch began on a Thursday, day 4 of a week that starts on Sunday.
  SIN(2 * PI() * (({now} + 4 * 86400) % 604800) / CAST(604800 AS DOUBLE)) AS weekday_sin,
  COS(2 * PI() * (({now} + 4 * 86400) % 604800) / CAST(604800 AS DOUBLE)) AS weekday_cos,
  r.rating,
  r.deviation,
  r.liked_count
FROM of_users AS r
LEFT JOIN users AS u ON r.user_id = u.user_id
LEFT JOIN movies AS m ON r.movie_id = m.movie_id
