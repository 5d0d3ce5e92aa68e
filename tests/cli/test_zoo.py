"""`convspec zoo`, and names of the zoo where a spec is wanted."""

from __future__ import annotations

import json
from pathlib import Path

from convspec.zoo.catalogue import FOLDER
from tests.cli.helpers import convspec


def test_list_has_every_network_with_its_numbers() -> None:
    done = convspec("zoo", "list")
    assert (done.code, done.err) == (0, "")
    head, rule, *rows = done.out.splitlines()
    assert head.split() == ["network", "file", "parameters", "MACs", "receptive", "field", "paper"]
    assert set(rule) == {"-", " "}
    (alexnet,) = [row for row in rows if row.startswith("AlexNet ")]
    assert alexnet.split()[:6] == ["AlexNet", "zoo:alexnet", "61,100,840", "714", "M", "195x195"]
    assert "Krizhevsky" in alexnet


def test_list_of_what_holds_some_words() -> None:
    done = convspec("zoo", "list", "simonyan", "vgg1", "--format", "json")
    names = {network["name"] for network in json.loads(done.out)}
    assert {"VGG11", "VGG16BN"} <= names
    assert all(name.startswith("VGG1") for name in names)


def test_show_gives_facts_and_the_spec() -> None:
    done = convspec("zoo", "show", "squeezenet1_0")
    assert done.code == 0
    facts, _, spec = done.out.partition("\n\n")
    assert "1,248,424" in facts and "image: float32[1, 3, 224, 224]" in facts and "arXiv:1602.07360" in facts
    assert spec == (FOLDER / "squeezenet.cnn").read_text()


def test_show_as_json() -> None:
    found = json.loads(convspec("zoo", "show", "AlexNet", "--format", "json").out)
    assert found["parameters"] == 61_100_840
    assert found["spec"] == (FOLDER / "alexnet.cnn").read_text()


def test_get_writes_the_file_and_it_compiles() -> None:
    done = convspec("zoo", "get", "lenet5", "-o", "my.cnn")
    assert (done.code, done.err) == (0, "")
    assert Path("my.cnn").read_text() == (FOLDER / "lenet5.cnn").read_text()
    assert done.out == "wrote my.cnn; LeNet5 is in it: convspec summary my.cnn --model LeNet5\n"
    assert convspec("check", "my.cnn").code == 0


def test_get_without_a_name_or_into_a_folder() -> None:
    assert convspec("zoo", "get", "lenet5").code == 0
    assert convspec("zoo", "get", "lenet5", "-o", "digits").code == 0
    assert Path("lenet5.cnn").read_bytes() == Path("digits/lenet5.cnn").read_bytes()


def test_get_does_not_replace_a_file_unless_told() -> None:
    Path("my.cnn").write_text("mine")
    done = convspec("zoo", "get", "lenet5", "-o", "my.cnn")
    assert done.code == 1
    assert done.err == "error[CNN400]: cannot write my.cnn: it exists\n  = --force replaces it\n"
    assert Path("my.cnn").read_text() == "mine"
    assert convspec("zoo", "get", "lenet5", "-o", "my.cnn", "--force").code == 0
    assert Path("my.cnn").read_text() != "mine"


def test_an_unknown_network() -> None:
    for command in (("zoo", "show", "lenet6"), ("zoo", "get", "lenet6"), ("summary", "zoo:lenet6"), ("check", "zoo:lenet6")):
        done = convspec(*command)
        assert (done.code, done.out) == (1, "")
        assert done.err == "error[CNN402]: the zoo has no network `lenet6`\n  = did you mean `LeNet5`?\n"


def test_commands_take_a_network_for_a_spec() -> None:
    assert convspec("check", "zoo:lenet5").out == "zoo:lenet5: no errors in LeNet5\n"
    assert convspec("summary", "zoo:LeNet-5").code == 0
    done = convspec("compile", "zoo:lenet5", "--target", "pytorch")
    assert (done.code, done.err) == (0, "")
    assert Path("LeNet5.py").exists() and Path("LeNet5.safetensors").exists()
