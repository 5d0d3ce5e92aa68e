"""The page as text: what is in it is escaped for where it goes, and it is whole."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from convspec.draw.html.page import SCRIPTS, embedded
from tests.draw.html.conftest import html_of

SMALL = "\nmodel Small {\n    input x: float32[N, 1, 4, 4]\n    output x -> conv(2, 3x3)\n}\n"
NASTY = ["</script>", "<!--", "-->", "]]>", "\u2028\u2029", "\ud800", "@@STYLE@@", "&lt;", "\\", '"', "\0", "é日本🙂"]


@pytest.mark.parametrize("text", NASTY)
def test_data_survive_the_script_element(text: str) -> None:
    made = embedded({"text": text, text: [text]})
    assert json.loads(made) == {"text": text, text: [text]}
    assert not re.search("[<>&\u2028\u2029]", made)
    made.encode()


def test_numbers_are_what_a_browser_can_hold() -> None:
    data = {"most": 2**53, "more": 2**53 + 1, "less": -(2**60), "yes": True, "endless": float("inf")}
    assert json.loads(embedded(data)) == {
        "most": 2**53,
        "more": str(2**53 + 1),
        "less": str(-(2**60)),
        "yes": True,
        "endless": 1e300,
    }


def test_scripts_and_styles_are_those_that_the_policy_names() -> None:
    text = html_of(SMALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy and policy[1].startswith("default-src 'none'; ")
    scripts = [part for kind, part in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL) if "json" not in kind]
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(scripts) == len(styles) == 1
    for kind, part in (("script", scripts[0]), ("style", styles[0])):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]


def test_the_page_is_one_file_and_the_same_each_time() -> None:
    text = html_of(SMALL)
    assert text == html_of(SMALL)
    outside = {each for each in re.findall(r"https?://[^\s\"'<>`)]+", text) if "w3.org/2000/svg" not in each}
    assert outside == set()
    assert not re.search(r"\b(src|href|srcset|action)=|@import|url\((?!#)", text)
    assert "@@" not in text


def test_every_script_is_in_the_page_and_the_licence_too() -> None:
    folder = resources.files("convspec.draw.html")
    there = {Path(str(each)).stem for each in (folder / "js").iterdir()}
    assert there == set(SCRIPTS) and len(SCRIPTS) == len(there)
    assert "Copyright (c) 2012-2014 Chris Pettitt" in html_of(SMALL)
    assert all(len((folder / "js" / f"{name}.js").read_text(encoding="utf-8").splitlines()) <= 400 for name in SCRIPTS)
