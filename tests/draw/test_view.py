"""`draw --view`: Netron is served, its page and the model are fetched over HTTP, and Ctrl-C ends it cleanly."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import convspec
from convspec.draw import view as viewing

SPEC = "model Tiny { input image: float32[N, 3, 8, 8]\n output image -> stem: conv(4, 3x3) -> relu }\n"
# The page of Netron is asked for from this machine alone, whatever proxy the environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str) -> bytes:
    with OPENER.open(url, timeout=20) as answer:
        data: bytes = answer.read()
        return data


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """The command, the address that it told, and its folder for temporary files."""
    (tmp_path / "tiny.cnn").write_text(SPEC)
    (tmp_path / "secret.txt").write_text("not to be served")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "convspec", "draw", "tiny.cnn", "--view", "--no-browser", "--seed", "3"]
    paths = os.pathsep.join([str(Path(convspec.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"TMPDIR": str(scratch), "PYTHONPATH": paths}
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    match = re.fullmatch(r"Netron shows Tiny at (http://localhost:\d+) until Ctrl-C\n", line)
    assert match, line + (process.communicate(timeout=20)[1] if not line else "")
    yield process, match[1], scratch
    process.kill()
    process.wait()


def test_the_page_and_the_model_are_served_until_ctrl_c(
    served: tuple[subprocess.Popen[str], str, Path], tmp_path: Path
) -> None:
    process, url, scratch = served
    page = fetch(url).decode()
    (file,) = re.findall(r'<meta name="file" content="([^"]*)">', page)
    assert file == "/data/Tiny.onnx"

    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "Tiny.onnx").write_bytes(fetch(url + file))
    for location in {entry.value for entry in _external(copy / "Tiny.onnx")}:
        (copy / location).write_bytes(fetch(f"{url}/data/{location}"))
    model = onnx.load(copy / "Tiny.onnx")
    onnx.checker.check_model(model, full_check=True)
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    weights = convspec.loads(SPEC, seed=3).weights
    assert np.array_equal(stored["stem.weight"], weights["stem.weight"])

    for asset in ("index.js", "onnx.js", "grapher.css", "onnx-metadata.json", "icon.png"):
        assert fetch(f"{url}/{asset}"), asset
    for path in ("secret.txt", "../secret.txt", "%2e%2e/%2e%2e/secret.txt", "tiny.cnn"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetch(f"{url}/data/{path}")
    for path in (
        "server.py",
        "__init__.py",
        "../netron/index.html",
        "data/",
        "data",
        "%2e%2e/index.js",
        "index.js/",
        "\u00e9.js",
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetch(f"{url}/{urllib.parse.quote(path, safe='/%')}")

    assert list(scratch.iterdir()), "the model is in a folder of its own"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert list(scratch.iterdir()) == []
    with pytest.raises(OSError, match="urlopen"):
        fetch(url)


def test_the_page_asks_and_tells_no_other_server_and_is_shown_to_no_other_page(
    served: tuple[subprocess.Popen[str], str, Path],
) -> None:
    _, url, _ = served
    with OPENER.open(url, timeout=20) as answer:
        headers, page = answer.headers, answer.read().decode()
    policy = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
    assert policy["connect-src"] == policy["default-src"] == policy["script-src"] == "'self'"
    assert headers["Set-Cookie"].startswith("consent=1;"), "the page does not ask for consent to report"
    said = dict(re.findall(r'<meta name="(\w+)" content="([^"]*)">', page))
    assert said["version"] == "0.0.0", "the page of a development version reports nothing"
    made = datetime.fromisoformat(said["date"]).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - made).days < 2, "the page of a Netron of half a year ago refuses to work"
    assert page.count('<meta name="version"') == page.count('<meta name="date"') == 1

    for host in ("evil.example", "evil.example:80", "", "localhost.evil.example", "127.0.0.1.evil.example"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            OPENER.open(urllib.request.Request(f"{url}/data/Tiny.onnx", headers={"Host": host}), timeout=20)


def _external(path: Path) -> list[onnx.StringStringEntryProto]:
    """Where the weights of a model stand."""
    model = onnx.load(path, load_external_data=False)
    return [entry for each in model.graph.initializer for entry in each.external_data if entry.key == "location"]


def test_a_request_to_terminate_leaves_nothing_behind(served: tuple[subprocess.Popen[str], str, Path]) -> None:
    process, _, scratch = served
    process.terminate()
    assert process.communicate(timeout=20)[1] == ""
    assert list(scratch.iterdir()) == []


def test_without_netron_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "find_spec", lambda name: None)
    net = convspec.loads(SPEC)
    with pytest.raises(convspec.Failure) as caught:
        viewing.view(net.module, net.weights)
    (found,) = caught.value.diagnostics
    assert found.code == "CNN303" and "pip install 'convspec[view]'" in (found.hint or "")


def opened(monkeypatch: pytest.MonkeyPatch, there: bool) -> tuple[list[str], list[str]]:
    """The addresses that a browser was asked to open, and what was said, where one is there or not."""
    asked: list[str] = []

    def open_(url: str) -> bool:
        asked.append(url)
        return there

    monkeypatch.setattr(webbrowser, "open", open_)
    monkeypatch.setattr(viewing, "_wait", fetch)
    said: list[str] = []
    net = convspec.loads(SPEC)
    viewing.view(net.module, net.weights, say=said.append)
    return asked, said


def test_the_browser_is_opened_at_the_address_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, said = opened(monkeypatch, there=True)
    assert len(asked) == len(said) == 1 and asked[0] in said[0]


def test_a_machine_without_a_browser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = opened(monkeypatch, there=False)
    assert said[1] == "no browser was found: open the address yourself"


def test_a_port_that_is_taken() -> None:
    import socket

    net = convspec.loads(SPEC)
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(convspec.Failure, match="CNN400"):
            viewing.view(net.module, net.weights, browser=False, port=taken.getsockname()[1])
