"""The training workflow: check -> prepare -> tune (if asked for) -> train and evaluate -> export and publish.

Several tasks fit the models together where `distribution.strategy=multi_worker` asks for it, as a gang of
Metaflow's (`@parallel`): prepare -> gather -> fit, fit, ... -> fitted -> train, which then only loads them.

Run it with `recommender run workflow-train-model.yaml KEY=VALUE ...`, which checks the settings first, or as
any Metaflow flow: `python workflow_train_model.py run`, `resume`, `card view train`, `show`. Another settings
file: `python workflow_train_model.py --config settings FILE run`. On a cluster (`workflow.target`) each step
is a container, and `recommender.workflows.hand_over` brings to it what earlier ones have made.

In a SageMaker TensorFlow container the same file trains in script mode: `python workflow_train_model.py
--epochs 20`, see `recommender.workflows.script_mode`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

# Where only the checkout is, as in a SageMaker container, the package is found in it.
sys.path.append(str(Path(__file__).resolve().parent / "src"))

from recommender.workflows import script_mode
from recommender.workflows.environment import set_metaflow_defaults

SETTINGS_FILE = Path(__file__).resolve().with_name("workflow-train-model.yaml")
KEPT = ["run_folder", "prepared_folder", "summary", "resolved"]  # by a step that joins others

if __name__ == "__main__" and script_mode.is_script_mode(sys.argv[1:], os.environ):
    sys.exit(script_mode.main(sys.argv[1:], os.environ, SETTINGS_FILE))

set_metaflow_defaults()  # Metaflow reads the environment while it is imported

from metaflow import Config, FlowMutator, FlowSpec, card, current, parallel, step  # noqa: E402
from metaflow.cards import Image, Markdown  # noqa: E402
from metaflow.exception import MetaflowException  # noqa: E402
from metaflow.metaflow_config import DEFAULT_METADATA  # noqa: E402

from recommender.cluster.checks import check_gang  # noqa: E402
from recommender.config import Settings, check, parse_yaml, resolve  # noqa: E402
from recommender.errors import RecommenderError  # noqa: E402
from recommender.workflows import cluster  # noqa: E402
from recommender.workflows.validation import validate  # noqa: E402


class UserError(MetaflowException):
    """What the user can mend: Metaflow prints such an exception without a traceback."""

    headline = "error"


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors meant for the user end a step without a traceback."""
    try:
        yield
    except RecommenderError as error:
        raise UserError(str(error)) from None


def parse_settings(text: str) -> dict[str, Any]:
    """The text of a settings file, checked and complete."""
    with plain_errors():
        settings = resolve(parse_yaml(text, "settings"))
        validate(settings)
        check_gang(settings)
    return settings.model_dump(mode="json")


class OnTarget(FlowMutator):
    """Each step runs where the settings say, with the resources that they give to it."""

    def pre_mutate(self, mutable_flow: Any) -> None:
        """Add Metaflow's decorator for the target to each step; none for local."""
        settings = check(dict(mutable_flow.configs)["settings"].to_dict())
        with plain_errors():
            cluster.check_metadata(settings, DEFAULT_METADATA)
        for name, mutable_step in mutable_flow.steps:
            if decorator := cluster.decorator(settings.workflow, name):
                mutable_step.add_decorator(decorator[0], deco_kwargs=decorator[1])


@OnTarget
class TrainModelFlow(FlowSpec):
    """From raw ratings to a published recommender; each step is a process of its own."""

    settings = Config(
        "settings", default=str(SETTINGS_FILE), parser=parse_settings, help="Settings, a YAML file."
    )

    @step
    def start(self) -> None:
        """Open the run's folder."""
        from recommender.workflows import hand_over, runs

        with plain_errors():
            self.resolved = self.settings.to_dict()
            self.run_folder = str(runs.open_run(self._settings(), current.run_id))
            hand_over.send_run(self._settings(), Path(self.run_folder))
        print(f"run folder {self.run_folder}")
        self.next(self.prepare)

    @step
    def prepare(self) -> None:
        """Get the data, split it, compute all features."""
        from recommender.data.prepare import prepare
        from recommender.workflows import hand_over

        with plain_errors():
            hand_over.fetch_inputs(self._settings())
            prepared = prepare(self._settings())
            hand_over.send_prepared(self._settings(), prepared.folder)
            self.summary = prepared.summary()
        print(self.summary)
        self.prepared_folder = str(prepared.folder.absolute())
        self.way = self._way()
        self.next({"search": self.fan_out, "together": self.gather, "alone": self.train}, condition="way")

    @step
    def fan_out(self) -> None:
        """One task for each worker of the search."""
        self.workers = list(range(self._settings().tuning.workers))
        self.next(self.tune, foreach="workers")

    @step
    def tune(self) -> None:
        """Search for better settings on the validation split, together with the other workers."""
        from recommender.workflows import stages

        with plain_errors(), self._run() as folder:
            stages.tune(self._settings(), self._prepared(), folder, self.input)
        self.next(self.choose)

    @step
    def choose(self, inputs: Any) -> None:
        """Go on with the best settings found."""
        from recommender.workflows import stages

        self.merge_artifacts(inputs, include=KEPT)
        with plain_errors(), self._run() as folder:
            best = stages.choose(self._settings(), folder)
        self.resolved = best.model_dump(mode="json")
        self.next(self.train)

    @step
    def gather(self) -> None:
        """One task for each worker that trains, all at the same time."""
        from recommender.cluster.gang import free_port

        self.port = free_port()  # where they will meet
        self.next(self.fit, num_parallel=self._settings().distribution.workers)

    @parallel
    @step
    def fit(self) -> None:
        """Fit both models together with the other tasks of the gang."""
        from recommender.cluster.gang import Place
        from recommender.workflows import stages

        gang = current.parallel
        place = Place(current.run_id, gang.node_index, gang.num_nodes, gang.main_ip, self.port)
        with plain_errors(), self._run(keep=place.leads) as folder:
            stages.fit(self._settings(), self._prepared().folder, folder, place)
        self.next(self.fitted)

    @step
    def fitted(self, inputs: Any) -> None:
        """Go on in one process with what they have fitted, which is in the run's folder."""
        self.merge_artifacts(inputs, include=KEPT)
        self.next(self.train)

    @card(type="blank")
    @step
    def train(self) -> None:
        """Fit both models unless the gang has, measure them beside the baselines, and draw the card."""
        from recommender.tensorflow_start import start_tensorflow

        start_tensorflow()
        from recommender import tracking
        from recommender.workflows import stages

        with plain_errors(), self._run() as folder:
            settings, prepared = self._settings(), self._prepared()
            trained = stages.train(settings, prepared, folder)
            self.metrics = stages.evaluate(settings, prepared, trained, folder)
            tracking.save_figures(folder)
            figures = tracking.figures(folder)
        current.card.append(Markdown(f"# {settings.workflow.name}\n```\n{self.summary}\n```"))
        for figure in figures:
            current.card.append(Image.from_matplotlib(figure))
        self.next(self.export)

    @step
    def export(self) -> None:
        """Write the SavedModel and publish it as the next version."""
        from recommender.workflows import hand_over, stages

        with plain_errors(), self._run() as folder:
            settings, prepared = self._settings(), self._prepared()
            version = stages.export(settings, prepared, stages.train(settings, prepared, folder), folder)
            self.version, self.version_folder = hand_over.send_version(settings, version, folder)
        self.next(self.end)

    @step
    def end(self) -> None:
        """Say where the version is."""
        print(f"published version {self.version} in {self.version_folder}")

    def _settings(self) -> Settings:
        return check(self.resolved)

    def _way(self) -> str:
        """From the data to the models: by a search, by several tasks together, or by one alone."""
        if self._settings().tuning.trials:
            return "search"
        return "together" if self._settings().distribution.strategy == "multi_worker" else "alone"

    def _prepared(self) -> Any:
        from recommender.data.prepared import Prepared
        from recommender.workflows import hand_over

        return Prepared(hand_over.fetch_prepared(self._settings(), Path(self.prepared_folder)))

    def _run(self, keep: bool = True) -> AbstractContextManager[Path]:
        from recommender.workflows import hand_over

        return hand_over.run_folder(self._settings(), Path(self.run_folder), keep)


if __name__ == "__main__":
    TrainModelFlow()
