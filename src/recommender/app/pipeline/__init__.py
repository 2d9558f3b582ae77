"""From a user to a list: candidates from several channels, features, ranking, filters, diversity."""
