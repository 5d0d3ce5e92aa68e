"""Do tensors fit a graph? Every name, dtype and shape that does not, in one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from convspec.diagnostics import Diagnostic, error, fail
from convspec.ir.graph import Graph, Parameter
from convspec.ir.types import Array
from convspec.weights.names import ignored, quoted

MOST_GUESSES = 20
"""Nearest names are looked for as long as no more names than this are unknown: past it the file is another network's."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a tensor without reading it. `dtype` is `float32` and so on, or safetensors' own name of another."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


def check(found: Mapping[str, Stored], graph: Graph, source: str, where: str = "in the file") -> None:
    """Failure CNN201 with one note per misfit, unless `found` is exactly what `graph` stores. `source` names the file,
    and `where` completes "shape: `conv1.weight` is [3] …".
    """
    parameters = graph.parameters()
    missing = [parameter for name, parameter in parameters.items() if name not in found]
    surplus = [name for name in found if name not in parameters and not ignored(name)]
    both = [(found[name], parameter) for name, parameter in parameters.items() if name in found]
    misshapen = [(stored, p) for stored, p in both if stored.shape != p.shape]
    mistyped = [(stored, p) for stored, p in both if stored.dtype != p.dtype]
    if missing or surplus or misshapen or mistyped:
        raise fail(_report(source, graph, missing, surplus, misshapen, mistyped, found, where))


def check_arrays(weights: Mapping[str, Array], graph: Graph) -> None:
    """The same for arrays that a caller hands over."""
    stored = {name: Stored(array.dtype.name, tuple(array.shape)) for name, array in weights.items()}
    check(stored, graph, "the given weights", "given")


def _report(
    source: str,
    graph: Graph,
    missing: Sequence[Parameter],
    surplus: Sequence[str],
    misshapen: Sequence[tuple[Stored, Parameter]],
    mistyped: Sequence[tuple[Stored, Parameter]],
    found: Mapping[str, Stored],
    where: str,
) -> Diagnostic:
    counts = (
        (len(missing), "missing"),
        (len(surplus), "not in the spec"),
        (len(misshapen), "of another shape"),
        (len(mistyped), "of another dtype"),
    )
    summary = ", ".join(f"{number} tensor{'s' * (number > 1)} {what}" for number, what in counts if number)
    guesses = _guesses(missing, surplus)
    notes = (
        *(f"missing: `{p.name}`, {_wanted(p)}" for p in missing),
        *(f"not in the spec: {quoted(name)}, {found[name]}{guesses.get(name, '')}" for name in surplus),
        *(f"shape: `{p.name}` is {list(stored.shape)} {where}, {_wanted(p)}" for stored, p in misshapen),
        *(f"dtype: `{p.name}` is {stored.dtype} {where}, {_wanted(p)}" for stored, p in mistyped),
    )
    hint = _prefix_hint(missing, surplus) or _dtype_hint(mistyped)
    return error("CNN201", f"{source} does not fit {graph.name}: {summary}", notes=notes, hint=hint)


def _wanted(parameter: Parameter) -> str:
    stored = Stored(parameter.dtype, parameter.shape)
    return f"the spec wants {stored} ({parameter.span})"


def _guesses(missing: Sequence[Parameter], surplus: Sequence[str]) -> dict[str, str]:
    if len(surplus) > MOST_GUESSES:
        return {}
    candidates = [parameter.name for parameter in missing]
    nearest = {name: get_close_matches(name, candidates, n=1, cutoff=0.8) for name in surplus}
    return {name: f": did you mean `{close[0]}`?" for name, close in nearest.items() if close}


def _prefix_hint(missing: Sequence[Parameter], surplus: Sequence[str]) -> str | None:
    """Training wrappers put a level before every name (`module.conv1.weight`)."""
    wanted = {parameter.name for parameter in missing}
    prefixes = {name.partition(".")[0] for name in surplus}
    if len(prefixes) == 1 and wanted and wanted <= {name.partition(".")[2] for name in surplus}:
        prefix = next(iter(prefixes))
        return f"every name in the file begins with `{prefix}.`: save the tensors without it"
    return None


def _dtype_hint(mistyped: Sequence[tuple[Stored, Parameter]]) -> str | None:
    if not mistyped:
        return None
    dtype = mistyped[0][1].dtype
    return (
        f"nothing is converted in silence: convert the tensors yourself (NumPy: `tensor.astype({dtype!r})`) and save them again"
    )
