"""What the VS Code extension says of itself and of the language, as far as Python can tell; the rest is `npm test`."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from convspec import __version__, ops
from convspec.syntax import grammar

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"


def read(name: str) -> Any:
    return json.loads((EXTENSION / name).read_text(encoding="utf-8"))


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("grammar_script", EXTENSION / "scripts" / "grammar.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_grammar_is_what_its_script_writes() -> None:
    made, told = script().text(), "run: python editors/vscode/scripts/grammar.py"
    assert (EXTENSION / "syntaxes" / "cnn.tmLanguage.json").read_text(encoding="utf-8") == made, told


def alternatives(rules: list[dict[str, Any]], prefix: str) -> set[str]:
    """Every word that rules with a scope of that prefix spell out."""
    found: set[str] = set()
    for rule in rules:
        scopes = [rule.get("name", ""), *(capture["name"] for capture in rule.get("captures", {}).values())]
        if any(scope.startswith(prefix) for scope in scopes):
            lists = re.findall(r"\((?:\?:)?([a-z0-9_|]+)\)", rule["match"])
            found |= {word for words in lists for word in words.split("|")}
    return found


def test_layers_and_keywords_are_the_compilers() -> None:
    repository = read("syntaxes/cnn.tmLanguage.json")["repository"]
    for place in ("calls", "stages"):
        assert alternatives(repository[place]["patterns"], "support.function.layer") == set(ops.built_in())
    words = {word for word in grammar.loaded().words if word.isalpha()}
    assert alternatives(repository["keywords"]["patterns"], "") == words


def test_every_included_rule_is_there() -> None:
    text = (EXTENSION / "syntaxes" / "cnn.tmLanguage.json").read_text(encoding="utf-8")
    used, known = set(re.findall(r'"include": "#([^"]+)"', text)), set(read("syntaxes/cnn.tmLanguage.json")["repository"])
    assert used == known


def test_the_manifest() -> None:
    manifest = read("package.json")
    assert manifest["version"] == __version__
    contributed = manifest["contributes"]
    (language,) = contributed["languages"]
    assert (language["id"], language["extensions"]) == ("cnn", [".cnn"])
    paths = [language["configuration"], language["icon"]["light"], language["icon"]["dark"], manifest["icon"]]
    paths += [entry["path"] for kind in ("grammars", "snippets") for entry in contributed[kind]]
    for path in [*paths, "README.md", "CHANGELOG.md"]:
        assert (EXTENSION / path).is_file(), path
    scopes = [entry["scopeName"] for entry in contributed["grammars"]]
    assert scopes == [read(entry["path"])["scopeName"] for entry in contributed["grammars"]]
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_what_the_readme_names_is_there() -> None:
    text = (EXTENSION / "README.md").read_text(encoding="utf-8")
    contributed = read("package.json")["contributes"]
    for command in contributed["commands"]:
        assert f"convspec: {command['title']}" in text
    assert set(re.findall(r"`(convspec\.[a-z.]+)`", text)) == set(contributed["configuration"]["properties"])
    assert set(re.findall(r"npm run (\w+)", text)) <= set(read("package.json")["scripts"])


def test_the_lock_pins_every_package_and_no_registry() -> None:
    lock = read("package-lock.json")
    manifest = read("package.json")
    assert lock["packages"][""]["dependencies"] == manifest["dependencies"]
    assert lock["packages"][""]["devDependencies"] == manifest["devDependencies"]
    for path, package in lock["packages"].items():
        assert not path or package.get("integrity") or package.get("optional"), path
        assert "resolved" not in package


def test_semantic_tokens_that_get_scopes_are_the_servers() -> None:
    from convspec.lsp.colours import MODIFIERS, TYPES

    (entry,) = read("package.json")["contributes"]["semanticTokenScopes"]
    for selector in entry["scopes"]:
        kind, *modifiers = selector.split(".")
        assert kind in TYPES and set(modifiers) <= set(MODIFIERS), selector
