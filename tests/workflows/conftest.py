"""A working directory in which the training workflow runs on stand-ins for its heavy stages."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loopback_s3 import empty_bucket

ROOT = Path(__file__).parents[2]
STANDINS = Path(__file__).with_name("standins")
SETTINGS = ROOT / "workflow-train-model.yaml"
PROGRAMS = {
    "python": [sys.executable],
    "flow": [sys.executable, str(ROOT / "workflow_train_model.py"), "--no-pylint"],
    "recommender": [sys.executable, "-c", "from recommender.cli import main; main()"],
}


@dataclass
class Workplace:
    """A folder, an empty home, and the processes started there."""

    folder: Path
    settings: Path = SETTINGS
    first_on_path: tuple[Path, ...] = (STANDINS,)
    patience: float = 120  # seconds for a program to end
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, program: str, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
        """Start the flow or the command line in the folder, as a user without any set-up would."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": os.pathsep.join(map(str, [*self.first_on_path, ROOT / "src"])),
            "STANDIN_LOG": str(self.folder / "log"),
            "STANDIN_RELEASE": str(self.release),
            **environ,
        }
        process = subprocess.Popen(
            [*PROGRAMS[program], *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self.processes.append(process)
        return process

    def run(self, program: str, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run to the end: exit status and output."""
        return self.finish(self.start(program, *arguments, **environ))

    def finish(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        """Wait for a started program: exit status and output."""
        output, _ = process.communicate(timeout=self.patience)
        return process.returncode, output

    @property
    def release(self) -> Path:
        """The file for which a held stage waits."""
        return self.folder / "release"

    def log(self, stage: str, moment: str) -> list[tuple[int, str]]:
        """The process and the detail of each time that a stage began or ended."""
        path = self.folder / "log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        notes = [line.split(" ", 3) for line in lines]
        return [(int(note[2]), note[3]) for note in notes if note[:2] == [stage, moment]]

    def versions(self) -> list[Path]:
        return sorted((self.folder / "data/models/recommender").glob("[0-9]*"))

    def wait_for(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Return when a condition holds; fail when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)

    def stop_everything(self) -> None:
        self.release.touch()
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    (tmp_path / "home").mkdir()
    place = Workplace(tmp_path)
    yield place
    place.stop_everything()


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """The address of an S3 in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket at that address, which the environment names as it names credentials."""
    return empty_bucket(s3_address, monkeypatch, tmp_path)
