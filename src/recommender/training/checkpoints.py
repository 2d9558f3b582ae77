"""What a fit leaves in its folder, to go on from: how far it has come, and weights as they were then."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import tensorflow as tf

from recommender.training.averaging import AveragedWeights
from recommender.whole_files import write_whole


@dataclass
class Progress:
    """How far a fit has come; `loss` and `validation` hold one number per finished epoch.

    Of an epoch that has several parts and is not finished, `parts` holds the loss of each finished part and
    `steps` how many steps each has, finished or not.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    best_epoch: int = -1
    finished: bool = False


def has_checkpoint(folder: Path) -> bool:
    """Whether `fit` would go on from what `folder` holds, or only load it."""
    return (folder / "progress.json").exists()


def read_progress(folder: Path) -> Progress:
    """What the fit in `folder` has saved last."""
    return Progress(**json.loads((folder / "progress.json").read_text(encoding="utf-8")))


class Checkpoints:
    """The checkpoints of a fit: weights, averages and optimizer as they are and after the best epoch.

    `progress.json` names the one that is complete; it is written last and replaced at once. Goes on from
    `folder` and writes to `writes_to`, which is another one for processes that only follow; what they have
    written themselves they read there, as they may be on another disk than the one that leads.
    """

    def __init__(
        self,
        folder: Path,
        writes_to: Path,
        model: tf.keras.Model,
        optimizer: tf.keras.optimizers.Optimizer,
        averaged: AveragedWeights,
    ) -> None:
        self.folder = folder
        self.writes_to = writes_to
        self.averaged = averaged
        self.checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, averaged=averaged)
        writes_to.mkdir(parents=True, exist_ok=True)

    def restore(self) -> Progress:
        """What an earlier call has left, or a fresh start."""
        if not has_checkpoint(self.folder):
            return Progress()
        progress = read_progress(self.folder)
        self._read(_checkpoint_of(progress))
        return progress

    def save(self, progress: Progress) -> None:
        """Keep how far the fit has come; forget what is neither that nor the best epoch."""
        name = _checkpoint_of(progress)
        self.checkpoint.write(str(self.writes_to / name))
        write_whole(self.writes_to / "progress.json", json.dumps(asdict(progress)))
        for path in self.writes_to.glob("epoch-*"):
            if path.is_dir():  # of a process that was killed while it wrote
                shutil.rmtree(path)
            elif path.name.split(".")[0] not in (name, f"epoch-{progress.best_epoch}"):
                path.unlink()

    def restore_best(self, progress: Progress) -> None:
        """Leave the model with the averages of the best epoch."""
        self._read(f"epoch-{progress.best_epoch}")
        for weight, average in zip(self.averaged.weights, self.averaged.averages, strict=True):
            weight.assign(average)

    def _read(self, name: str) -> None:
        own = (self.writes_to / f"{name}.index").exists()
        folder = self.writes_to if own else self.folder
        self.checkpoint.read(str(folder / name)).assert_existing_objects_matched()


def _checkpoint_of(progress: Progress) -> str:
    """The name of what was saved last: after an epoch or, within one, after some parts."""
    epoch, parts = len(progress.validation), len(progress.parts)
    return f"epoch-{epoch}-part-{parts}" if parts else f"epoch-{epoch - 1}"
