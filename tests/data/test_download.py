import shutil
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from tiny_releases import FILES, pin, write_archive, write_folder

from recommender.data import transfer
from recommender.data.archives import md5_of, unpack
from recommender.data.download import fetch, find
from recommender.data.movielens import CATALOGUE
from recommender.errors import ConfigError, DataError


class Server:
    """A web server here: `answers[path]` are (status, body, announced length) in turn, the last one stays."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, list[tuple[int, bytes, int | None]]] = {}
        self.asked: list[str] = []
        self.hold = threading.Event()  # connections stay open until it is set
        self.hold.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                answers = server.answers.get(self.path, [(404, b"", None)])
                status, body, length = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                with suppress(BrokenPipeError):
                    self.wfile.write(body)
                server.hold.wait(30)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "https" if context else "http"
        if context:
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.http.server_port}{path}"


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def waits(monkeypatch):
    """The pauses between attempts, which are not waited for."""
    pauses: list[float] = []
    monkeypatch.setattr(transfer.time, "sleep", pauses.append)
    return pauses


@pytest.fixture(autouse=True)
def nothing_at_home(monkeypatch):
    monkeypatch.delenv("MOVIELENS_HOME", raising=False)


@pytest.fixture
def archive(tmp_path):
    return write_archive("ml-100k", tmp_path / "original.zip")


def raw_files(home):
    return sorted(path.name for path in (home / "raw").iterdir())


def test_a_release_is_downloaded_once_checked_and_unpacked(tmp_path, monkeypatch, server, archive):
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    server.answers["/ml-100k.zip"] = [(200, archive.read_bytes(), None)]
    folder = fetch("ml-100k", tmp_path)
    assert (folder / "u.data").read_text() == FILES["ml-100k"]["ml-100k/u.data"]
    assert raw_files(tmp_path) == [f"ml-100k-{md5_of(archive)[:8]}", "ml-100k.zip"]
    assert fetch("ml-100k", tmp_path) == folder
    assert server.asked == ["/ml-100k.zip"]


def test_only_the_tables_and_the_terms_of_use_are_unpacked(tmp_path, monkeypatch, archive):
    archive = write_archive("ml-100k", archive, {"ml-100k/u1.base": "x", "__MACOSX/ml-100k/._u.data": "x"})
    pin(monkeypatch, "ml-100k", archive)
    folder = fetch("ml-100k", tmp_path, archive)
    assert sorted(path.name for path in folder.iterdir()) == ["README", "u.data", "u.item", "u.user"]


def test_passing_failures_are_tried_again_with_growing_pauses(tmp_path, monkeypatch, server, archive, waits):
    body = archive.read_bytes()
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    server.answers["/ml-100k.zip"] = [
        (503, b"", None),
        (200, body[:100], len(body)),
        (429, b"", None),
        (200, body, None),
    ]
    assert fetch("ml-100k", tmp_path).is_dir()
    assert waits == [1.0, 2.0, 4.0]


def test_attempts_end(tmp_path, monkeypatch, server, archive, waits):
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    server.answers["/ml-100k.zip"] = [(503, b"", None)]
    with pytest.raises(
        DataError, match=r"ml-100k could not be downloaded \(http://.*/ml-100k\.zip: 503 Service"
    ):
        fetch("ml-100k", tmp_path)
    assert (len(server.asked), waits) == (4, [1.0, 2.0, 4.0])
    assert raw_files(tmp_path) == []


def test_a_missing_page_is_not_tried_again_and_the_message_gives_the_manual_step(
    tmp_path, monkeypatch, server, archive, waits
):
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    with pytest.raises(
        DataError, match=r"404 Not Found\).*recommender fetch ml-100k --archive ml-100k\.zip"
    ) as raised:
        fetch("ml-100k", tmp_path)
    assert (len(server.asked), waits, "\n" in str(raised.value)) == (1, [], False)


def test_a_wrong_checksum_is_never_taken(tmp_path, monkeypatch, server, archive):
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    other = write_archive("ml-100k", tmp_path / "other.zip", {"ml-100k/README": "other"})
    server.answers["/ml-100k.zip"] = [(200, other.read_bytes(), None)]
    with pytest.raises(DataError, match=rf"md5 must be {md5_of(archive)}, received {md5_of(other)}"):
        fetch("ml-100k", tmp_path)
    assert raw_files(tmp_path) == []


def test_the_next_address_is_tried_and_named(tmp_path, monkeypatch, server, archive, caplog):
    pin(monkeypatch, "ml-100k", archive, server.url("/broken/ml-100k.zip"), server.url("/copy.zip"))
    server.answers["/broken/ml-100k.zip"] = [(200, b"not an archive", None)]
    server.answers["/mirror/ml-100k.zip"] = [(200, archive.read_bytes(), None)]
    assert fetch("ml-100k", tmp_path, mirrors=[server.url("/mirror/")]).is_dir()
    assert server.asked == ["/broken/ml-100k.zip", "/copy.zip", "/mirror/ml-100k.zip"]
    assert "could not be downloaded from" in caplog.text
    assert "/copy.zip: 404 Not Found" in caplog.text


def test_a_release_that_changes_is_taken_with_a_warning(tmp_path, monkeypatch, server, caplog):
    archive = write_archive("ml-latest-small", tmp_path / "original.zip")
    pin(monkeypatch, "ml-latest-small", archive, server.url("/ml-latest-small.zip"))
    server.answers["/ml-latest-small.zip"] = [(200, archive.read_bytes(), None)]
    assert fetch("ml-latest-small", tmp_path).is_dir()
    assert f"no checksum is known for it; this one: {md5_of(archive)}" in caplog.text


def test_a_page_that_is_no_archive_is_not_taken(tmp_path, monkeypatch, server, archive):
    pin(monkeypatch, "ml-latest-small", archive, server.url("/ml-latest-small.zip"))
    server.answers["/ml-latest-small.zip"] = [(200, b"<html>Welcome to our network</html>", None)]
    with pytest.raises(DataError, match="what came is not a zip archive"):
        fetch("ml-latest-small", tmp_path)
    assert raw_files(tmp_path) == []


def test_a_server_that_cannot_be_reached_is_named(tmp_path, monkeypatch, server, archive, waits):
    server.http.server_close()
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    with pytest.raises(DataError, match=r"/ml-100k\.zip: the connection failed \(ConnectionError\)"):
        fetch("ml-100k", tmp_path)


def test_an_expired_certificate_is_explained(tmp_path, monkeypatch, archive, waits):
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1007)"

    def expired(*_: object, **__: object) -> None:
        raise requests.exceptions.SSLError(text)

    monkeypatch.setattr(transfer.requests, "get", expired)
    pin(monkeypatch, "ml-100k", archive)
    with pytest.raises(
        DataError, match=r"could not be verified \(certificate has expired\), so nothing was taken"
    ) as e:
        fetch("ml-100k", tmp_path)
    assert "GroupLens' own has expired more than once" in str(e.value)
    assert "--archive ml-100k.zip" in str(e.value)
    assert waits == []


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_certificates_are_verified(tmp_path, monkeypatch, archive):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(context)
    server.answers["/ml-100k.zip"] = [(200, archive.read_bytes(), None)]
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    with pytest.raises(DataError, match="certificate could not be verified"):
        fetch("ml-100k", tmp_path)
    assert server.asked == []
    server.http.shutdown()
    server.http.server_close()


def test_an_interrupted_download_leaves_nothing_under_the_final_name(tmp_path, monkeypatch, server, archive):
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    server.answers["/ml-100k.zip"] = [(200, archive.read_bytes(), None)]
    seen = []

    def interrupted(path):
        seen.extend(raw_files(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "md5_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("ml-100k", tmp_path)
    assert [name.endswith(".part") for name in seen] == [True]
    assert raw_files(tmp_path) == []


def test_the_archive_gets_its_name_only_after_it_was_checked(tmp_path, monkeypatch, server, archive):
    pin(monkeypatch, "ml-100k", archive, server.url("/ml-100k.zip"))
    server.answers["/ml-100k.zip"] = [(200, archive.read_bytes(), None)]
    checked = []

    def check(path):
        checked.append(path.stat().st_ino)
        assert not (tmp_path / "raw" / "ml-100k.zip").exists()
        return md5_of(path)

    monkeypatch.setattr(transfer, "md5_of", check)
    fetch("ml-100k", tmp_path)
    assert checked == [(tmp_path / "raw" / "ml-100k.zip").stat().st_ino]  # renamed, not copied


def test_a_killed_download_leaves_nothing_under_the_final_name(tmp_path, server, archive):
    body = archive.read_bytes()
    server.answers["/ml-100k.zip"] = [(200, body[:100], len(body))]
    server.hold.clear()
    code = (
        "import sys\nfrom dataclasses import replace\nfrom pathlib import Path\n"
        "from recommender.data.transfer import download\nfrom recommender.data.movielens import CATALOGUE\n"
        "download(replace(CATALOGUE['ml-100k'], urls=(sys.argv[1],)), Path(sys.argv[2]))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, server.url("/ml-100k.zip"), str(tmp_path / "raw")])
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("raw/.*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.kill()
    child.wait()
    server.hold.set()
    assert [name[:12] for name in raw_files(tmp_path)] == [".ml-100k.zip"]
    assert find("ml-100k", tmp_path) is None


def test_places_are_searched_in_order(tmp_path, monkeypatch, archive):
    pin(monkeypatch, "ml-10m", write_archive("ml-10m", archive))
    home, movielens_home = tmp_path / "data", tmp_path / "movielens"
    assert find("ml-10m", home) is None
    (home / "raw").mkdir(parents=True)
    expected = []
    for place in (home / "raw", movielens_home):
        place.mkdir(exist_ok=True)
        expected.append(shutil.copy(archive, place / "ml-10m.zip"))
        monkeypatch.setenv("MOVIELENS_HOME", str(movielens_home))
        assert find("ml-10m", home) == expected[-1]
        expected.append(write_folder("ml-10m", place))
        assert find("ml-10m", home) == expected[-1]
        assert expected[-1].name == "ml-10M100K"
    assert fetch("ml-10m", home) == movielens_home / "ml-10M100K"


def test_an_archive_under_movielens_home_is_unpacked_elsewhere(tmp_path, monkeypatch):
    movielens_home = tmp_path / "movielens"
    movielens_home.mkdir()
    pin(monkeypatch, "ml-1m", write_archive("ml-1m", movielens_home / "ml-1m.zip"))
    monkeypatch.setenv("MOVIELENS_HOME", str(movielens_home))
    assert fetch("ml-1m", tmp_path / "data").parent == tmp_path / "data" / "raw"
    assert [path.name for path in movielens_home.iterdir()] == ["ml-1m.zip"]


def test_a_movielens_home_that_does_not_exist_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "absent"))
    assert find("ml-1m", tmp_path) is None
    assert "MOVIELENS_HOME names a folder that does not exist" in caplog.text


def test_an_archive_fetched_by_hand_is_found_by_later_runs(tmp_path, monkeypatch, archive):
    pin(monkeypatch, "ml-100k", archive)
    folder = fetch("ml-100k", tmp_path / "data", archive)
    archive.unlink()
    assert fetch("ml-100k", tmp_path / "data") == folder


def test_an_archive_fetched_by_hand_must_have_the_checksum(tmp_path, archive):
    with pytest.raises(
        DataError, match=r"original\.zip: not the archive of ml-100k, or damaged: md5 must be 0e33842e"
    ):
        fetch("ml-100k", tmp_path / "data", archive)
    assert not (tmp_path / "data").exists()
    with pytest.raises(DataError, match=r"absent\.zip: there is no such archive"):
        fetch("ml-100k", tmp_path / "data", tmp_path / "absent.zip")


@pytest.mark.parametrize(
    "name", ["../u.data", "/etc/u.data", "ml-100k/../../u.data", "C:\\u.data", "..\\u.data"]
)
def test_an_archive_that_would_write_elsewhere_is_refused(tmp_path, monkeypatch, archive, name):
    write_archive("ml-100k", archive, {name: "evil"})
    pin(monkeypatch, "ml-100k", archive)
    with pytest.raises(DataError, match=r"original\.zip: refused, since a member would be written outside"):
        fetch("ml-100k", tmp_path / "data", archive)
    assert raw_files(tmp_path / "data") == []
    assert not (tmp_path / "u.data").exists()


def test_an_archive_with_a_link_is_refused(tmp_path, monkeypatch, archive):
    with zipfile.ZipFile(archive, "a") as members:
        link = zipfile.ZipInfo("ml-100k/link")
        link.external_attr = 0o120777 << 16
        members.writestr(link, "/etc/passwd")
    pin(monkeypatch, "ml-100k", archive)
    with pytest.raises(DataError, match=r"refused, since a member is a link: 'ml-100k/link'"):
        fetch("ml-100k", tmp_path / "data", archive)


def test_a_damaged_archive_is_refused(tmp_path, archive):
    latest = CATALOGUE["ml-latest-small"]
    write_archive("ml-latest-small", archive)
    content = bytearray(archive.read_bytes())
    content[80] ^= 255  # within the compressed ratings
    archive.write_bytes(content)
    with pytest.raises(
        DataError, match=r"original\.zip: the archive is damaged: .*; delete it and fetch it again"
    ):
        unpack(latest, archive, tmp_path / "raw")
    archive.write_bytes(content[:200])
    with pytest.raises(DataError, match=r"original\.zip: the archive is damaged: File is not a zip file"):
        unpack(latest, archive, tmp_path / "raw")
    assert list((tmp_path / "raw").iterdir()) == []


def test_the_archive_of_another_release_is_refused(tmp_path, monkeypatch, archive):
    pin(monkeypatch, "ml-1m", archive)
    with pytest.raises(DataError, match=r"ml-1m needs the file ratings\.dat, and the archive has none"):
        fetch("ml-1m", tmp_path / "data", archive)


def test_only_movielens_can_be_fetched(tmp_path):
    with pytest.raises(ConfigError, match="'synthetic' is not a data set to fetch; those are ml-100k"):
        fetch("synthetic", tmp_path)
