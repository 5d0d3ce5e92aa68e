"""The process that `convspec.bench.processes` starts: `python -m convspec.bench.child FUNCTION ARGUMENTS RESULT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from convspec.bench.memory import peak_memory
from convspec.bench.processes import find


def main(function: str, arguments: str, result: str) -> None:
    """Call the function, and write what it returned and this process's peak memory to the file `result`."""
    value = find(function)(**json.loads(arguments))
    Path(result).write_text(json.dumps({"value": value, "peak": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
