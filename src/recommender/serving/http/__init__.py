"""The process that speaks HTTP: connections, limits, workers and their supervisor."""
