"""How soon the language server answers an edit in a file of 2,000 lines: its diagnostics, and what is said under the mouse.

A server runs as an editor runs it, in a process of its own. An edit is sent, and a hover behind it; the time ends when the
diagnostics of that very version and the hover are there. Edits are of every kind: in a block that a model uses, at the top,
which moves all lines, and such that break the syntax and mend it. After each the server is left to finish.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from benchmarks.figures import Figure, figure, main

ROOT = Path(__file__).parent.parent
GOAL = 100.0
LINES = 2_000
URI = "untitled:Network"
PAIR = """
## A bottleneck, number {i}.
block Bottleneck{i}(x: tensor, width: int, stride: int = 1, act: stage = relu) {{
    shortcut = x
    if stride > 1 or x.channels != 4 * width {{
        shortcut = x -> downsample: [conv(4 * width, 1x1, stride = stride) -> batchnorm]
    }}
    residual = x -> conv1: conv(width, 1x1) -> bn1: batchnorm -> act
        -> conv2: conv(width, 3x3, stride = stride, pad = 1) -> bn2: batchnorm -> act
        -> conv3: conv(4 * width, 1x1) -> bn3: batchnorm
    return residual + shortcut -> act
}}

model Net{i}(classes: int = 10) {{
    input image: float32[N, 3, 8*h, 8*w]
    x = image -> stem: conv(64, 3x3, stride = 2, pad = 1) -> relu
    for j, width in [16, 32] {{
        x = x -> "stage{{j}}": [Bottleneck{i}(width, stride = 2) -> 2 * Bottleneck{i}(width)]
    }}
    output logits = x -> global_avgpool -> flatten -> linear(classes)
}}
"""


def figures(quick: bool) -> list[Figure]:
    """The median and the slowest of some edits."""
    times = asyncio.run(_measured(2 if quick else 8))
    middle, worst = statistics.median(times), max(times)
    note = f"{len(times)} edits, the slowest {worst:.0f} ms"
    return [figure("an edit in a 2,000-line file, answered", middle, GOAL, direction="at most", unit="ms", note=note)]


async def _measured(rounds: int) -> list[float]:
    """Milliseconds for each edit."""
    client = LanguageClient("benchmark", "1")
    told = asyncio.Event()
    wanted = 0

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
    def published(params: types.PublishDiagnosticsParams) -> None:
        if params.version == wanted:
            told.set()

    await client.start_io(sys.executable, "-m", "convspec", "lsp", env={**os.environ, "PYTHONPATH": str(ROOT)})
    await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    text = "".join(PAIR.format(i=i) for i in range(LINES // PAIR.count("\n") + 1))
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "cnn", 0, text)))
    await asyncio.wait_for(told.wait(), 60)
    found: list[float] = []
    for _ in range(rounds):
        for line, start, end, new in _edits(text):
            await asyncio.sleep(2)  # nobody types while warnings are worked out, or the figure would be theirs
            wanted += 1
            told.clear()
            begin = time.perf_counter()
            client.text_document_did_change(_change(wanted, line, start, end, new))
            at = types.HoverParams(types.TextDocumentIdentifier(URI), types.Position(line + 3, 30))
            await asyncio.gather(asyncio.wait_for(told.wait(), 60), client.text_document_hover_async(at))
            found.append(1000 * (time.perf_counter() - begin))
    await client.shutdown_async(None)
    client.exit(None)
    return found


def _edits(text: str) -> Sequence[tuple[int, int, int, str]]:
    """Edits that leave the text as it was: a line, the first and the last column, what stands there then."""
    lines = text.split("\n")
    line = next(number for number, each in enumerate(lines) if number > len(lines) // 2 and "conv1: conv(width" in each)
    at = lines[line].index("conv(width") + len("conv(")
    return (
        (line, at, at, "2 * "), (line, at, at + 4, ""),
        (line, at, at, "wid "), (line, at, at + 4, ""),
        (line, at, at, "}"), (line, at, at + 1, ""),
        (0, 0, 0, "# \n"), (0, 0, 3, ""),
    )  # fmt: skip


def _change(version: int, line: int, start: int, end: int, new: str) -> types.DidChangeTextDocumentParams:
    last = types.Position(line + 1, 0) if (line, start, end) == (0, 0, 3) else types.Position(line, end)
    change = types.TextDocumentContentChangePartial(range=types.Range(types.Position(line, start), last), text=new)
    return types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(version, URI), [change])


if __name__ == "__main__":
    main("editor", figures)
