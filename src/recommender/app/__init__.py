"""The online recommender: what an application talks to where SavedModels end."""
