"""Models and their versions: loading SavedModels, running signatures, following folders."""
