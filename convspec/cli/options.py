"""Arguments and options that several commands have, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from convspec.cli.declare import Argument, Option
from convspec.cli.guard import Format

NETWORK = "The network and its weights"
"""The heading of what says which network is meant."""

_SET = "Give a parameter of the model a value, written as in a spec: classes=100, depths=[3,4,6,3]. May be repeated."

_LIMIT = "Raise or lower what a spec may use: nodes=1M, steps, depth, list_length, nesting, file_bytes, files. May be repeated."

_ALLOW_MISSING = """Tensors that need not be in the weights, or have another shape there, such as 'fc.*': they are drawn from
the seed. May be repeated."""

Spec: TypeAlias = Annotated[Path, Argument("SPEC", help="A .cnn file, or a network of the zoo: zoo:resnet50.")]
Model: TypeAlias = Annotated[
    str | None,
    Option("--model", metavar="NAME", section=NETWORK, help="The model or configuration, where the file has several."),
]
Settings: TypeAlias = Annotated[list[str] | None, Option("--set", metavar="NAME=VALUE", section=NETWORK, help=_SET)]
Root: TypeAlias = Annotated[
    Path | None,
    Option("--root", metavar="DIR", section=NETWORK, help="The folder that imports stay inside; the spec's own by default."),
]
LimitOptions: TypeAlias = Annotated[list[str] | None, Option("--limit", metavar="NAME=N", section=NETWORK, help=_LIMIT)]
_SIZES = "Fix symbolic sizes of the inputs: N=1,h=7,w=7. What is made takes these alone, and some runtimes run it faster."
Sizes: TypeAlias = Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", section=NETWORK, help=_SIZES)]
WEIGHTS_FILE = "A file with weights by label: .safetensors, .pt, .pth, .weights.h5, .keras or .onnx."
Weights: TypeAlias = Annotated[Path | None, Option("--weights", metavar="FILE", section=NETWORK, help=WEIGHTS_FILE)]
AllowMissing: TypeAlias = Annotated[
    list[str] | None, Option("--allow-missing", metavar="PATTERN", section=NETWORK, help=_ALLOW_MISSING)
]
Seed: TypeAlias = Annotated[
    int, Option("--seed", metavar="N", section=NETWORK, min=0, help="Where initial weights are drawn from, without --weights.")
]
OutputFormat: TypeAlias = Annotated[Format, Option("--format", help="How results and errors are written.")]
_OPTIMIZE = """0 keeps every label and weight as it is; 1 folds and leaves out; 2 also merges layers and reshapes them for the
target. Exact up to rounding, for inference."""
Optimize: TypeAlias = Annotated[int, Option("--optimize", metavar="0|1|2", min=0, max=2, help=_OPTIMIZE)]

_PRECISION = """fp32; fp16 or bf16: heavy layers in 16 bits, sums and all that loses too much in float32; int8 (compile to onnx
alone). Implies --optimize 1."""
Precision: TypeAlias = Annotated[str, Option("--precision", metavar="NAME", help=_PRECISION)]
