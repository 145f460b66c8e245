"""What the front hands on and how, over real sockets: nothing of WSGI is lost, and no caller holds a thread."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from recoup.cli.run import granian
from recoup.config.front.bodies import IN_MEMORY
from recoup.supervisor import machine
from tests.support import server
from tests.support.front_app import BIG


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file to send."""
    folder = tmp_path_factory.mktemp("front")
    (folder / "file").write_bytes(bytes(range(256)) * (BIG // 256))
    return folder


@pytest.fixture(scope="module")
def port(traces: Path) -> Iterator[int]:
    """The small application behind the front, in one process."""
    chosen = server.free_port()
    environment = {
        "FRONT_FILE": str(traces / "file"),
        "FRONT_TRACE": str(traces / "trace"),
        "FRONT_SEEN": str(traces / "seen"),
        "RECOUP_VAR": str(traces / "var"),
        "RECOUP_BODY_SECONDS": "1.5",
    }
    command = granian("127.0.0.1", chosen, 1, "tests.support.front_app:application")
    with server.serving(command, chosen, environment):
        yield chosen


@pytest.fixture
def http(port: int) -> Iterator[httpx.Client]:
    """A caller."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        yield client


def test_a_request_arrives_as_wsgi_tells_it(http: httpx.Client, port: int) -> None:
    told = http.post(
        "/za%C5%BC%20x?a=%C5%BC&b=1", content=b"abc", headers={"Content-Type": "a/b", "Cookie": "c=1"}
    ).json()

    assert {name: told[name] for name in ("PATH_INFO", "QUERY_STRING", "REQUEST_METHOD", "SCRIPT_NAME")} == {
        "PATH_INFO": "/zaż x".encode().decode("latin-1"),
        "QUERY_STRING": "a=%C5%BC&b=1",
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
    }
    assert (told["CONTENT_TYPE"], told["CONTENT_LENGTH"], told["HTTP_COOKIE"]) == ("a/b", "3", "c=1")
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert (told["HTTP_HOST"], told["SERVER_PORT"]) == (f"127.0.0.1:{port}", str(port))
    assert (told["body_size"], told["body_sum"]) == (3, sum(b"abc"))


def test_names_that_only_look_like_the_proxys_are_left_out(port: int) -> None:
    raw = (
        b"GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\nX-Forwarded-For: 9.9.9.9\r\n"
        b"Cookie: a=1\r\nCookie: b=2\r\nX-Odd: za\xc5\xbc\r\nConnection: close\r\n\r\n"
    )
    told = json.loads(server.call(port, raw).partition(b"\r\n\r\n")[2])

    assert told["HTTP_X_FORWARDED_FOR"] == "5.6.7.8,9.9.9.9"
    assert (told["HTTP_COOKIE"], told["HTTP_X_ODD"]) == ("a=1; b=2", "")


def test_doubled_headers_of_an_answer_are_kept(http: httpx.Client) -> None:
    assert http.get("/").headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_head_has_the_length_and_no_body(port: int) -> None:
    raw = server.call(port, b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    head, _, body = raw.partition(b"\r\n\r\n")
    assert body == b""
    assert re.search(rb"content-length: [1-9]", head, re.IGNORECASE)


@pytest.mark.parametrize("path", ["/file", "/stream"])
def test_a_large_answer_arrives_whole(http: httpx.Client, path: str, traces: Path) -> None:
    expected = (traces / "file").read_bytes() if path == "/file" else b"x" * BIG

    assert http.get(path).content == expected


def test_an_answer_is_out_before_it_is_closed(http: httpx.Client, traces: Path) -> None:
    for name in ("trace", "seen"):
        (traces / name).unlink(missing_ok=True)

    assert http.get("/closed").content == b"out"
    assert not (traces / "trace").exists()
    (traces / "seen").touch()  # it waits for this as it is closed
    assert machine.wait_until((traces / "trace").exists, seconds=60)


def test_an_error_of_the_application_is_a_500_and_the_next_request_is_answered(http: httpx.Client) -> None:
    assert http.get("/broken").status_code == 500
    assert http.get("/").status_code == 200


def test_a_large_file_of_somebody_signed_in_stands_on_disk_and_arrives(http: httpx.Client) -> None:
    content = bytes(range(256)) * (8 * IN_MEMORY // 256)

    told = http.post("/import", content=content, headers={"Cookie": "session=x"}).json()

    assert (told["body_size"], told["body_sum"]) == (len(content), sum(content))


@pytest.mark.parametrize(
    ("path", "cookie", "size", "status"),
    [
        ("/hooks/a", "session=x", 1024 * 1024 + 1, 413),
        ("/form", "", 1024 * 1024 + 1, 413),
        ("/form", "", 1024 * 1024, 200),
        ("/form", "session=x", 1024 * 1024 + 1, 200),
    ],
)
@pytest.mark.parametrize("is_chunked", [True, False])
def test_the_size_is_capped_by_who_sends_where(
    http: httpx.Client, path: str, cookie: str, size: int, status: int, is_chunked: bool
) -> None:
    content: bytes | Iterator[bytes] = b"y" * size
    if is_chunked:
        content = iter([b"y" * (size - 100_000), b"y" * 100_000])

    assert http.post(path, content=content, headers={"Cookie": cookie}).status_code == status


def test_a_length_that_is_refused_is_not_waited_for(port: int) -> None:
    raw = server.call(port, b"POST /hooks/a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nabc")

    assert raw.startswith(b"HTTP/1.1 413")


def test_a_body_that_stands_still_is_cut_with_408(port: int) -> None:
    began = time.monotonic()
    raw = server.call(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")

    assert raw.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in raw.lower()
    assert time.monotonic() - began > 1.4


def test_a_file_that_keeps_coming_may_take_longer(http: httpx.Client) -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(12):
            yield b"z" * 32 * 1024
            time.sleep(0.2)

    known = http.post("/import", content=slowly(), headers={"Cookie": "session=x"})
    assert (known.status_code, known.json()["body_size"]) == (200, 12 * 32 * 1024)
    try:
        assert http.post("/hooks/a", content=slowly()).status_code == 408
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass  # the line was closed while more was being sent


def test_a_slow_reader_holds_no_thread(port: int, http: httpx.Client) -> None:
    lines = [server.silent_reader(port, "/file") for _ in range(12)]
    try:
        assert http.get("/").status_code == 200
    finally:
        for line in lines:
            line.close()


def test_no_more_than_four_work_at_once(http: httpx.Client) -> None:
    """Requests that each wait for three others come through, twelve of them by the same four threads."""
    with ThreadPoolExecutor(12) as pool:
        names = list(pool.map(lambda _: http.get("/four").text, range(12)))

    assert sorted(set(names)) == [f"recoup-web_{number}" for number in range(4)]
