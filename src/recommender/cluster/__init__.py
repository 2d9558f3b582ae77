"""Processes that train together: who they are, whether they still answer, what each of them does.

Nothing here imports TensorFlow before a member of the cluster starts its work.
"""
