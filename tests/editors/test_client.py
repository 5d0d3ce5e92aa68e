"""The extension's own client, as VS Code would load it, with convspec's language server: they greet each other, and part."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.editors.test_grammar import EXTENSION, ROOT

READY = shutil.which("node") is not None and (EXTENSION / "dist" / "extension.js").is_file()

pytestmark = pytest.mark.skipif(
    not READY and not os.environ.get("CONVSPEC_EDITOR"), reason="needs node and `npm run build` in editors/vscode: make editor"
)


FEATURES = {
    "CodeActions",
    "CompletionItem",
    "Definition",
    "DocumentFormattingEdit",
    "DocumentSemanticTokens",
    "DocumentSymbol",
    "Hover",
    "InlayHints",
    "Reference",
    "Rename",
    "SignatureHelp",
}


def connected(*command: str) -> subprocess.CompletedProcess[str]:
    """The extension with this command set as that of convspec; what it logged."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    script = ["node", str(EXTENSION / "test" / "connect.mjs"), *command]
    return subprocess.run(script, capture_output=True, text=True, env=env, check=False, timeout=60)


def test_the_server_starts_and_stops() -> None:
    done = connected(sys.executable, "-m", "convspec")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(the setting convspec.command): convspec" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("providers: ")]
    found = {name.removeprefix("register").removesuffix("Provider") for name in line.split()[1:]}
    assert found >= FEATURES, "what the server offers, VS Code is told"


def test_what_is_not_there_is_told() -> None:
    done = connected("/no/such/convspec")
    assert done.returncode == 1
    assert "convspec was not found" in done.stdout


def test_the_extra_that_is_not_there_is_told() -> None:
    """A Python in which pygls cannot be imported."""
    without = "import runpy, sys; sys.modules['pygls'] = None; sys.argv[0] = 'convspec'; "
    code = f"{without}runpy.run_module('convspec', run_name='__main__')"
    done = connected(sys.executable, "-c", code)
    assert done.returncode == 1
    assert "not what its language server needs" in done.stdout, done.stdout
    assert 'pip install "convspec[lsp]"' in done.stdout
