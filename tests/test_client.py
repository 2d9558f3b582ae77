from __future__ import annotations

import json
import math
import shlex
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from recommender.client import (
    AnswerTimeout,
    ModelClient,
    NotFound,
    Prediction,
    Ranking,
    RequestRefused,
    ScoredMovie,
    ServerFailed,
    ServerUnavailable,
    UnexpectedAnswer,
    VersionStatus,
)
from recommender.errors import ConfigError, RecommenderError

Act = Callable[[BaseHTTPRequestHandler], None]


class Played:
    """A server that does what it is told, one act a request, and notes what it was asked."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.asked: list[tuple[str, str, Any]] = []
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                played.asked.append((self.command, self.path, json.loads(body) if body else None))
                played.acts.pop(0)(self)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def will(self, *acts: Act) -> None:
        self.acts = list(acts)


def answer(status: int, body: bytes | dict[str, Any], **headers: str) -> Act:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return act


def reset(handler: BaseHTTPRequestHandler) -> None:
    """End the connection with a TCP reset instead of an answer."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def say_nothing(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)
    handler.close_connection = True


def stop_half_way(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"predictions"')
    handler.wfile.flush()
    say_nothing(handler)


@pytest.fixture
def played() -> Iterator[Played]:
    server = Played()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def client(played: Played) -> Iterator[ModelClient]:
    with ModelClient(played.url, timeout=(1.0, 0.3)) as client:
        yield client


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


LISTS = {"outputs": {"movie_ids": [["50", ""]], "titles": [["Alien (1979)", ""]], "scores": [[4.5, -3e38]]}}


def test_recommendations_are_asked_by_columns_and_come_without_the_padding(
    played: Played, client: ModelClient
) -> None:
    played.will(answer(200, LISTS), answer(200, LISTS))
    assert client.recommend("42", 2) == [ScoredMovie("50", "Alien (1979)", 4.5)]
    client.recommend("42", 2, exclude=["7", "9"])
    inputs = {"user_id": ["42"], "exclude": [[""]], "k": 2}
    path = "/v1/models/recommender:predict"
    assert played.asked == [
        ("POST", path, {"signature_name": "recommend", "inputs": inputs}),
        ("POST", path, {"signature_name": "recommend", "inputs": {**inputs, "exclude": [["7", "9"]]}}),
    ]


def test_each_signature_is_asked_with_its_inputs(played: Played, client: ModelClient) -> None:
    ranks = {"outputs": {"scores": [1.5, -2.0], "rating": [4.0, 3.5]}}
    pair = {"outputs": {"rating": [3.5], "user_embedding": [[0.5]], "movie_embedding": [[1.0]]}}
    played.will(*[answer(200, LISTS)] * 3, *[answer(200, pair)] * 3, *[answer(200, ranks)] * 2)
    client.retrieve("42", 3)
    client.retrieve_by_features({"age": ["25"]}, 3)
    client.similar("Alien (1979)", 3)
    prediction = Prediction("rating", 3.5, [0.5], [1.0])
    assert client.rating("587", "Alien (1979)", 9) == prediction
    assert client.rating_by_id("587", "50") == client.rating_by_id("587", "50", 9) == prediction
    ranking = client.rank({"age": ["25"]}, 9, ["50", "7"])
    assert ranking == Ranking("rating", [1.5, -2.0], [4.0, 3.5])
    assert client.rank_by_features({"age": ["25"]}, 9, ["50", "7"], {"movie_mean": [3.5, 4.5]}) == ranking
    assert [(body["signature_name"], body["inputs"]) for _, _, body in played.asked] == [
        ("retrieve", {"user_id": ["42"], "k": 3}),
        ("retrieve_by_features", {"age": ["25"], "k": 3}),
        ("similar_movies", {"movie": ["Alien (1979)"], "k": 3}),
        ("serving_default", {"user_id": ["587"], "movie_title": ["Alien (1979)"], "timestamp": [9]}),
        ("predict_by_id", {"user_id": ["587"], "movie_id": ["50"]}),
        ("predict_by_id_at", {"user_id": ["587"], "movie_id": ["50"], "timestamp": [9]}),
        ("rank", {"age": ["25"], "timestamp": [9], "movie_ids": ["50", "7"]}),
        (
            "rank_by_features",
            {"age": ["25"], "timestamp": [9], "movie_ids": ["50", "7"], "movie_mean": [3.5, 4.5]},
        ),
    ]


def test_missing_numbers_are_sent_and_read_as_nan(played: Played, client: ModelClient) -> None:
    played.will(answer(200, {"outputs": {"scores": [math.nan], "like": [0.5]}}))
    ranking = client.rank_by_features({}, 9, ["50"], {"movie_mean": [math.nan]})
    assert math.isnan(ranking.scores[0])
    assert math.isnan(played.asked[0][2]["inputs"]["movie_mean"][0])


def test_a_movie_that_the_model_does_not_know_is_an_error(played: Played, client: ModelClient) -> None:
    played.will(answer(200, {"outputs": {"movie_ids": [[""]], "titles": [[""]], "scores": [[-3e38]]}}))
    with pytest.raises(RecommenderError, match="no movie with the title or id 'Nix' is in the model"):
        client.similar("Nix")


def test_status_and_metadata_are_read(played: Played) -> None:
    status = {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    failed = {"version": "2", "state": "END", "status": {"error_code": "UNKNOWN", "error_message": "broken"}}
    signatures = {"serving_default": {"inputs": {}}}
    played.will(
        answer(200, {"model_version_status": [status, failed]}),
        answer(200, {"metadata": {"signature_def": {"signature_def": signatures}}}),
    )
    with ModelClient(f"{played.url}/", "m/1", version=3) as client:
        three, two = client.status()
        assert client.metadata() == signatures
    assert (three, three.failed) == (VersionStatus(3, "AVAILABLE", "OK", ""), False)
    assert (two, two.failed) == (VersionStatus(2, "END", "UNKNOWN", "broken"), True)
    assert [path for _, path, _ in played.asked] == [
        "/v1/models/m%2F1/versions/3",
        "/v1/models/m%2F1/versions/3/metadata",
    ]


def test_predictions_by_rows_and_outputs_by_columns(played: Played, client: ModelClient) -> None:
    played.will(answer(200, {"predictions": [1.0]}), answer(200, {"outputs": [2.0]}))
    assert client.predict(instances=[{"x": 1}]) == [1.0]
    assert client.predict(inputs={"x": [1]}, signature_name="s") == [2.0]
    assert [body for _, _, body in played.asked] == [
        {"instances": [{"x": 1}]},
        {"signature_name": "s", "inputs": {"x": [1]}},
    ]
    with pytest.raises(RecommenderError, match="predict takes either instances or inputs"):
        client.predict()


@pytest.mark.parametrize(
    ("status", "error"), [(400, RequestRefused), (404, NotFound), (503, ServerFailed), (504, ServerFailed)]
)
def test_what_the_server_refuses_is_told_in_its_words_and_not_asked_again(
    played: Played, client: ModelClient, status: int, error: type[RequestRefused]
) -> None:
    played.will(answer(status, {"error": "Missing\n'instances' key"}))
    with pytest.raises(error) as refused:
        client.predict(inputs={})
    assert type(refused.value) is error
    assert (refused.value.status, refused.value.reason) == (status, "Missing 'instances' key")
    path = f"{played.url}/v1/models/recommender:predict"
    assert str(refused.value) == f"{path} answers {status}: Missing 'instances' key"
    assert len(played.asked) == 1


def test_an_error_page_of_somebody_in_between_is_shown(played: Played, client: ModelClient) -> None:
    played.will(answer(502, b"<html>Bad\nGateway</html>"), answer(502, b""))
    with pytest.raises(ServerFailed, match="answers 502: <html>Bad Gateway</html>"):
        client.status()
    with pytest.raises(ServerFailed, match="answers 502: Bad Gateway"):
        client.status()


@pytest.mark.parametrize("body", [b"<html>Hello</html>", b"[1]", b"", b'"text"', b"\xff"])
def test_whoever_answers_in_another_way_is_no_model_server(
    played: Played, client: ModelClient, body: bytes
) -> None:
    played.will(answer(200, body))
    with pytest.raises(UnexpectedAnswer, match="expected a JSON object, received 200"):
        client.status()


def test_a_redirection_is_not_followed(played: Played, client: ModelClient) -> None:
    played.will(answer(302, b"", Location="/elsewhere"))
    with pytest.raises(UnexpectedAnswer, match="received 302"):
        client.predict(inputs={})
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outputs": {}},
        {"outputs": {"movie_ids": []}},
        {"outputs": 3},
        {"outputs": {**LISTS["outputs"], "scores": [[1]]}},
    ],
)
def test_an_answer_of_another_form_is_told(played: Played, client: ModelClient, body: dict[str, Any]) -> None:
    played.will(answer(200, body))
    with pytest.raises(UnexpectedAnswer, match="the answer has another form: "):
        client.recommend("42")


def test_a_connection_that_breaks_is_made_again(played: Played, client: ModelClient) -> None:
    played.will(reset, reset, answer(200, LISTS))
    assert len(client.recommend("42")) == 1
    assert len(played.asked) == 3


def test_after_the_last_retry_the_cause_is_told(played: Played, client: ModelClient) -> None:
    played.will(reset, reset, reset, answer(200, LISTS))
    with pytest.raises(ServerUnavailable, match="cannot be reached: Connection reset by peer"):
        client.recommend("42")
    assert len(played.asked) == 3


def test_a_connection_that_the_server_has_closed_meanwhile_is_made_again(
    played: Played, client: ModelClient
) -> None:
    def answer_and_close(handler: BaseHTTPRequestHandler) -> None:
        answer(200, LISTS)(handler)
        handler.close_connection = True  # without saying so beforehand

    played.will(answer_and_close, answer(200, LISTS))
    client.recommend("42")
    assert len(client.recommend("42")) == 1


@pytest.mark.parametrize("act", [say_nothing, stop_half_way])
def test_what_takes_too_long_is_not_asked_again(played: Played, client: ModelClient, act: Act) -> None:
    played.will(act, answer(200, LISTS))
    with pytest.raises(AnswerTimeout, match=r"recommender:predict has not answered within 0\.3 seconds"):
        client.recommend("42")
    assert len(played.asked) == 1


def test_nobody_at_the_port_is_told() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(ServerUnavailable) as error:
        ModelClient(url, retries=0).status()
    assert str(error.value) == f"{url}/v1/models/recommender cannot be reached: Connection refused"


def test_no_such_host_is_told() -> None:
    with pytest.raises(
        ServerUnavailable, match=r"http://nix\.invalid/v1/models/recommender cannot be reached: "
    ):
        ModelClient("http://nix.invalid", retries=0).status()


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8501", "8501", "", "ftp://localhost", "http://", "http://[::1", "http://a..b:80"),
        *(
            "http://127.0.0.1:99999",
            "http://127.0.0.1:x",
            "http://a?x=1",
            "http://a/#x",
            "http://a b",
            "http://a\n",
        ),
    ],
)
def test_an_address_that_cannot_be_one_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match=r"url: must be as in http://127\.0\.0\.1:8501, received"):
        ModelClient(url)


@pytest.mark.parametrize("url", ["http://[::1]:8501", "https://models.example/a/b", "http://bücher.example"])
def test_addresses_of_all_forms_are_taken(url: str) -> None:
    assert url in ModelClient(url).curl()


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, 1e300])
def test_a_time_that_cannot_be_waited_is_told(seconds: float) -> None:
    for timeout in ((1.0, seconds), (seconds, 1.0)):
        with pytest.raises(ConfigError, match="timeout: must be above 0 and at most 86400 seconds, received"):
            ModelClient(timeout=timeout)


def test_why_a_version_failed_is_one_line(played: Played, client: ModelClient) -> None:
    status = {"error_code": "UNKNOWN", "error_message": "Read less bytes than requested\n\t [[RestoreV2]]\n"}
    found = {"version": "2", "state": "END", "status": status}
    played.will(answer(200, {"model_version_status": [found]}))
    assert client.status()[0].error_message == "Read less bytes than requested [[RestoreV2]]"


def test_no_proxy_stands_between_us_and_our_own_machine(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    played.will(answer(200, {"model_version_status": []}))
    assert ModelClient(played.url).status() == []


def test_the_line_for_a_shell_asks_the_same(played: Played, client: ModelClient) -> None:
    request = {"instances": [{"movie_title": 'Schindler\'s "List" $HOME é (1993)', "user_id": "587"}]}
    played.will(answer(200, {"predictions": [1.0]}))
    line = client.curl(request)
    assert shlex.split(line)[0] == "curl"
    done = subprocess.run(["bash", "-c", f"{line} -s"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"predictions": [1.0]}
    assert played.asked == [("POST", "/v1/models/recommender:predict", request)]
