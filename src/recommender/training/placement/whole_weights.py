"""Copying between weights that lie whole in one place and the same weights cut in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import tensorflow as tf

Pairs = list[tuple[tf.Variable, list[tf.Variable]]]


def pairs(whole: tf.keras.Model, cut: tf.keras.Model) -> Pairs:
    """Weights and optimizer state of a model, each with its pieces in the same model as it lies cut."""
    found = _grouped(whole.weights, cut.weights)
    slots = zip(whole.optimizer.variables, cut.optimizer.variables, strict=True)
    return found + [(variable, list(getattr(pieces, "variables", [pieces]))) for variable, pieces in slots]


def where_cut(weights: Pairs) -> list[str]:
    """One line for each variable that lies in several pieces: its rows and whose they are."""
    lines = []
    for whole, pieces in weights:
        if len(pieces) > 1:
            places = [f"{rows.start}-{rows.stop - 1} {_task(piece)}" for rows, piece in _rows(pieces)]
            lines.append(f"{whole.name} {whole.shape}: rows {', '.join(places)}")
    return lines


def put_together(weights: Pairs) -> None:
    """Copy from the pieces."""
    for whole, pieces in weights:
        if len(pieces) == 1:
            whole.assign(pieces[0].read_value())
            continue
        for rows, piece in _rows(pieces):
            whole[rows].assign(piece.read_value())


def cut_up(weights: Pairs) -> None:
    """Copy to the pieces."""
    for whole, pieces in weights:
        if len(pieces) == 1:
            pieces[0].assign(whole.read_value())
            continue
        for rows, piece in _rows(pieces):
            piece.assign(whole[rows])


def _task(variable: tf.Variable) -> str:
    device = tf.DeviceSpec.from_string(variable.device)
    return f"{device.job} {device.task}"


def _rows(pieces: Sequence[tf.Variable]) -> Iterator[tuple[slice, tf.Variable]]:
    """Each of several pieces with the rows that it holds."""
    start = 0
    for piece in pieces:
        yield slice(start, start + piece.shape[0]), piece
        start += piece.shape[0]


def _grouped(whole: Sequence[tf.Variable], pieces: Sequence[tf.Variable]) -> Pairs:
    """Variables with the pieces that follow each other in the same order, cut along the first dimension."""
    found, rest = [], iter(pieces)
    for variable in whole:
        group = [next(rest)]
        while group[0].shape != variable.shape and sum(piece.shape[0] for piece in group) < variable.shape[0]:
            group.append(next(rest))
        found.append((variable, group))
    return found
