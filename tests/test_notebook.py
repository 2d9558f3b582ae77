"""The notebook runs from top to bottom where there is no data and no network, and is committed as it ran."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "deep_learning_recommender_tf.ipynb"
SETTINGS_FILES = ("workflow-train-model.yaml", "workflow-deploy-model.yaml")

# Appended to the parameters cell: small models on little data.
SMALL = """
EPOCHS = 1
TRIALS = 2
OVERRIDES = [
    "data.synthetic={users: 150, movies: 100, ratings: 5000}",
    "features.history_length=10",
    "retrieval.embedding_size=8",
    "ranking.embedding_size=4",
]
"""
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|usr|opt|mnt|var|private|Users)/|[A-Z]:\\\\Users")


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    """The notebook as it is committed."""
    content = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(content)
    return content


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parameters(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def written(notebook: NotebookNode) -> str:
    """All that outputs show as text."""
    kinds = ("text/plain", "text/html", "text/markdown")
    texts = [output.get("data", {}).get(kind, "") for output in outputs(notebook) for kind in kinds]
    return "\n".join([*texts, *(output.get("text", "") for output in outputs(notebook))])


def shows_something(cell: NotebookNode) -> bool:
    """Whether a code cell ends with an expression, as `table.head()` or `print(...)`."""
    if cell.source.startswith("%%capture"):
        return False
    lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
    return isinstance(ast.parse("\n".join(lines)).body[-1], ast.Expr)


def execute(notebook: NotebookNode, folder: Path, environment: dict[str, str]) -> NotebookNode:
    """Run a small copy in a folder that holds nothing but the settings files."""
    copy = nbformat.from_dict(notebook)
    (cell,) = parameters(copy)
    cell.source += SMALL
    for name in SETTINGS_FILES:
        shutil.copy(ROOT / name, folder)
    client = NotebookClient(
        copy, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    return client.execute(env=environment)


def without_network(home: Path) -> dict[str, str]:
    """An environment in which no data set can be found or downloaded."""
    environment = {name: value for name, value in os.environ.items() if name != "MOVIELENS_HOME"}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return environment | proxies | {"HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.mark.slow
def test_the_notebook_runs_without_data_and_network_and_says_so_loudly(
    notebook: NotebookNode, tmp_path: Path
):
    home = tmp_path / "home"
    home.mkdir()
    ran = execute(notebook, tmp_path, without_network(home))
    text = written(ran)
    assert "WARNING: ml-100k cannot be had" in text
    assert re.search(r"On synthetic, \d of the 4 statements hold", text)
    warnings = [output.text for output in outputs(ran) if output.get("name") == "stderr"]
    lines = "".join(warnings).splitlines()
    assert [line for line in lines if "ml-100k" not in line] == []  # nothing but the failed download
    assert (tmp_path / "data/models/recommender/1/saved_model.pb").is_file()
    assert "notebook is stopped" in text


@pytest.mark.slow
@pytest.mark.movielens
def test_real_data_can_be_read_and_prepared_in_a_notebook(
    notebook: NotebookNode, tmp_path: Path, movielens_home: Path
):
    beginning = nbformat.from_dict(notebook)
    sources = [cell.source for cell in beginning.cells]
    (prepares,) = (place for place, source in enumerate(sources) if "prepared = prepare(settings)" in source)
    beginning.cells = beginning.cells[: prepares + 1]
    ran = execute(beginning, tmp_path, {**os.environ, "MOVIELENS_HOME": str(movielens_home)})
    assert "ml-100k: 100,000 ratings by 943 users" in written(ran)


def test_the_notebook_has_one_cell_of_parameters_in_upper_case(notebook: NotebookNode):
    (cell,) = parameters(notebook)
    values: dict[str, object] = {}
    exec(cell.source, values)
    del values["__builtins__"]
    assert all(name.isupper() for name in values)
    assert values["DATASET"] == "ml-100k"
    assert values["OFFLINE_DATASET"] == "synthetic"


def test_the_notebook_is_committed_as_it_ran_from_top_to_bottom(notebook: NotebookNode):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert "ml-100k: 100,000 ratings by 943 users" in written(notebook)
    assert "cannot be had" not in written(notebook)


def test_every_cell_that_ends_in_an_expression_has_kept_its_output(notebook: NotebookNode):
    showing = [cell for cell in code_cells(notebook) if shows_something(cell)]
    assert len(showing) >= 30
    assert [cell.source for cell in showing if not cell.outputs] == []


def test_the_notebook_shows_nothing_of_the_machine_it_ran_on(notebook: NotebookNode):
    content = json.loads(nbformat.writes(notebook))
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
    assert MACHINE_PATH.findall(json.dumps(content)) == []
    assert [output.text for output in outputs(notebook) if output.get("name") == "stderr"] == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert NOTEBOOK.stat().st_size < 1_500_000


def test_the_notebook_installs_nothing(notebook: NotebookNode):
    assert not re.search(r"\b(?:pip|conda|apt-get)\b[^\n]*\binstall\b", nbformat.writes(notebook))


def test_sections_are_numbered_in_order(notebook: NotebookNode):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.findall(r"^## (.*?)\.? ", text, re.MULTILINE) == [str(number) for number in range(1, 11)]
