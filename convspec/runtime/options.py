"""Options of a run are honoured or refused: what a runtime does not have is an error, and never passed over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from convspec.diagnostics import Failure, error, fail
from convspec.runtime.base import Network, RunOptions

PRECISIONS = ("fp32", "fp16", "bf16", "int8")
LAYOUTS = ("auto", "channels_first", "channels_last")

_SAID = {
    "precision": "another precision than fp32",
    "compile": "a compiler of its own",
    "cuda_graph": "CUDA graphs",
    "threads": "a number of threads that can be set",
    "layout": "another layout inside",
}
_HINTS = {
    "precision": "use --runtime onnxruntime, pytorch, tensorflow or openvino",
    "compile": "use --runtime pytorch or tensorflow, or leave out --compile",
    "cuda_graph": "use --runtime onnxruntime or pytorch with --device cuda",
    "threads": "leave out --threads",
    "layout": "leave it at auto",
}
_FREE = ("device", "tf32")
"""A device is a question of its own; TF32 is a permission, which a runtime without it keeps by never rounding so."""


def check_options(options: RunOptions, runtime: str, has: Collection[str]) -> None:
    """Failure CNN305 for a value that is none, and for a field that was set and is not among those that `runtime` has."""
    if options.precision not in PRECISIONS:
        raise _refused(f"there is no precision `{options.precision}`", f"the precisions are {', '.join(PRECISIONS)}")
    if options.layout not in LAYOUTS:
        raise _refused(f"there is no layout `{options.layout}`", f"the layouts are {', '.join(LAYOUTS)}")
    if options.threads is not None and options.threads < 1:
        raise _refused(f"a network cannot run on {options.threads} threads", "give 1 or more")
    plain = RunOptions()
    for each in fields(RunOptions):
        name = each.name
        if name not in _FREE and name not in has and getattr(options, name) != getattr(plain, name):
            raise _refused(f"{runtime} does not have {_SAID[name]}", _HINTS[name])


def only_on_cuda(options: RunOptions, runtime: str, kind: str) -> None:
    """Failure CNN305 where CUDA graphs are asked for and the device is of another kind."""
    if options.cuda_graph and kind != "cuda":
        raise _refused(f"{runtime} has CUDA graphs on a CUDA device alone, not on {kind}", "use --device cuda")


def in_precision(network: Network, precision: str, runtime: str) -> Network:
    """The network rewritten to compute in `precision`: weights in it, accumulation and what needs its range in float32.

    Failure CNN305 for int8, which takes data to calibrate with, CNN205 where weights leave the range.
    """
    if precision == "fp32":
        return network
    if precision == "int8":
        hint = "write a model first: convspec compile --precision int8 --calibrate DATA, then run the .onnx"
        raise _refused(f"{runtime} cannot make int8 of a spec by itself: its ranges come from data", hint)
    from convspec.precision import lower

    lowered = lower(network.module, network.weights, precision)
    return Network(lowered.module, lowered.weights)


def as_it_is(options: RunOptions, runtime: str) -> None:
    """Failure CNN305 where a compiled model is asked to run in another precision than the one that it was compiled in."""
    if options.precision != "fp32":
        message = f"{runtime} runs a compiled model as it is, not in {options.precision}"
        raise _refused(message, f"compile it with --precision {options.precision}, or run the .cnn spec")


def _refused(message: str, hint: str) -> Failure:
    return fail(error("CNN305", message, hint=hint))
