"""Do tensors fit a graph? Every name, dtype and shape that does not, in one report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from convspec.diagnostics import Diagnostic, error, fail
from convspec.ir.graph import Graph, Parameter
from convspec.ir.types import Array
from convspec.records import dataclass
from convspec.weights.names import ignored, quoted

MOST_GUESSES = 20
"""Nearest names are looked for as long as no more names than this are unknown: past it the file is another network's."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a tensor without reading it. `dtype` is `float32` and so on, or the file's own word for another.

    `name` is what the file calls it where that is not the spec's name.
    """

    dtype: str
    shape: tuple[int, ...]
    name: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


def check(found: Mapping[str, Stored], graph: Graph, source: str, where: str = "in the file") -> None:
    """Failure CNN201 with one note per misfit, unless `found` is exactly what `graph` stores. `source` names the file,
    and `where` completes "shape: `conv1.weight` is [3] …".
    """
    parameters = graph.parameters()
    misfits = Misfits(
        missing=[parameter for name, parameter in parameters.items() if name not in found],
        surplus={name: stored for name, stored in found.items() if name not in parameters and not ignored(name)},
    )
    for name, parameter in parameters.items():
        if name in found and found[name].shape != parameter.shape:
            misfits.misshapen.append((found[name], parameter))
        if name in found and found[name].dtype != parameter.dtype:
            misfits.mistyped.append((found[name], parameter))
    if misfits:
        raise fail(misfits.diagnostic(source, graph.name, where))


def check_arrays(weights: Mapping[str, Array], graph: Graph) -> None:
    """The same for weights that a caller hands over, without making those that are made when they are asked for."""
    from convspec.weights.streaming import stored

    check({name: stored(weights, name) for name in weights}, graph, "the given weights", "given")


@dataclass(slots=True)
class Misfits:
    """What does not fit. True where there is anything."""

    missing: list[Parameter] = field(default_factory=list)
    surplus: dict[str, Stored] = field(default_factory=dict)
    misshapen: list[tuple[Stored, Parameter]] = field(default_factory=list)
    mistyped: list[tuple[Stored, Parameter]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Notes of other kinds."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.misshapen or self.mistyped or self.others)

    def diagnostic(self, source: str, model: str, where: str = "in the file") -> Diagnostic:
        """The error CNN201 that names every misfit."""
        counts = (
            (len(self.missing), "missing"),
            (len(self.surplus), "not in the spec"),
            (len(self.misshapen), "of another shape"),
            (len(self.mistyped), "of another dtype"),
            (len(self.others), "that cannot be placed"),
        )
        summary = ", ".join(f"{number} tensor{'s' * (number > 1)} {what}" for number, what in counts if number)
        notes, hint = self._prefix() or (self._all(where), self._folded() or _dtype_hint(self.mistyped))
        return error("CNN201", f"{source} does not fit {model}: {summary}", notes=notes, hint=hint)

    def _all(self, where: str) -> tuple[str, ...]:
        guesses = _guesses(self.missing, self.surplus)
        return (
            *(f"missing: {quoted(p.name)}, {_wanted(p)}" for p in self.missing),
            *(f"not in the spec: {quoted(name)}, {stored}{guesses.get(name, '')}" for name, stored in self.surplus.items()),
            *(f"shape: {_is(s, p)} {list(s.shape)} {where}, {_wanted(p)}" for s, p in self.misshapen),
            *(f"dtype: {_is(s, p)} {s.dtype} {where}, {_wanted(p)}" for s, p in self.mistyped),
            *self.others,
        )

    def _folded(self) -> str | None:
        """Exporters to ONNX fold a batch norm into the convolution before it; what is left cannot be taken apart again."""
        norms = {p.name.rpartition(".")[0] for p in self.missing if p.role == "running_var"}
        if norms and all(p.name.rpartition(".")[0] in norms or p.role == "bias" for p in self.missing):
            return (
                "the file has no batch norms: were they folded into the convolutions? export without constant folding "
                "(torch.onnx.export(…, training=TrainingMode.TRAINING, do_constant_folding=False)), or take the state_dict"
            )
        return None

    def _prefix(self) -> tuple[tuple[str, ...], str] | None:
        """Note and hint where only a first level is too much (training wrappers write `module.conv1.weight`), or missing."""
        wanted = {p.name: Stored(p.dtype, p.shape) for p in self.missing}
        if not wanted or self.misshapen or self.mistyped or self.others:
            return None
        for longer, shorter, option in ((self.surplus, wanted, "{}="), (wanted, self.surplus, "={}")):
            prefix = next(iter(longer), "").partition(".")[0]
            if {f"{prefix}.{name}": stored for name, stored in shorter.items()} == longer:
                who, other = ("file", "spec") if longer is self.surplus else ("spec", "file")
                note = f"every name in the {who} begins with {quoted(prefix)}, in the {other} none: otherwise they are the same"
                return (note,), f"`convspec weights convert --map {option.format(prefix)}` brings them together"
        return None


def _is(stored: Stored, parameter: Parameter) -> str:
    other = stored.name is not None and stored.name != parameter.name
    return f"{quoted(parameter.name)}, {quoted(stored.name or '')}, is" if other else f"{quoted(parameter.name)} is"


def _wanted(parameter: Parameter) -> str:
    stored = Stored(parameter.dtype, parameter.shape)
    return f"the spec wants {stored} ({parameter.span})"


def _guesses(missing: Iterable[Parameter], surplus: Mapping[str, Stored]) -> dict[str, str]:
    if len(surplus) > MOST_GUESSES:
        return {}
    candidates = [parameter.name for parameter in missing]
    from difflib import get_close_matches  # only where something is wrong

    nearest = {name: get_close_matches(name[:1000], candidates, n=1, cutoff=0.8) for name in surplus}
    return {name: f": did you mean `{close[0]}`?" for name, close in nearest.items() if close}


def _dtype_hint(mistyped: list[tuple[Stored, Parameter]]) -> str | None:
    if not mistyped:
        return None
    return f"nothing is converted in silence: `convspec weights convert --cast` brings tensors to {mistyped[0][1].dtype}"
