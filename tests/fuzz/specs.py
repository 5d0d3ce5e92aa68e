"""Whole random specs, as text: constants, functions, blocks, models, configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from convspec.ir import dims
from convspec.ir.attrs import Extent
from convspec.ir.dims import Size
from convspec.ir.types import TensorType
from tests.fuzz import gadgets, layers, terms
from tests.fuzz.blocks import Block, File, Parameter, Turns
from tests.fuzz.bodies import Body, Statement
from tests.fuzz.layers import Scope, extent, number
from tests.fuzz.stages import Place
from tests.fuzz.terms import Draw, Env, Invalid, StageValue, Term, list_of, literal, tensor


@dataclass(frozen=True, slots=True)
class Spec:
    """A file, the model in it to compile, and two choices of its symbolic sizes."""

    text: str
    model: str
    sizes: tuple[Mapping[str, int], Mapping[str, int]]

    def __repr__(self) -> str:
        return f"\n# {self.model} at {self.sizes[0]} and {self.sizes[1]}\n{self.text}"


@st.composite
def specs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Spec:
    """A spec that is valid as far as its shapes were followed."""
    return _Writer(Draw(draw)).spec()


class _Writer:
    def __init__(self, draw: Draw) -> None:
        self.draw, self.file = draw, File(draw)
        self.parts: list[str] = []
        self.minima: dict[str, int] = {}
        """Every symbolic name of the main model and its least value."""

    def spec(self) -> Spec:
        rank = self.draw.pick((4, 4, 3, 5))
        self.constants()
        inputs = self.inputs(rank)
        if self.draw.chance(15):
            self.function(inputs["image"])
        for index in range(self.draw.number(0, 3)):
            self.block(f"Block{index}", inputs["image"])
        if self.draw.chance(10):
            self.inner_model(inputs["image"])
        model = self.model(inputs)
        sizes = [{name: least + more for name, least in self.minima.items()} for more in (0, self.draw.number(1, 3))]
        uses = [f'use {", ".join(sorted(names))} from "std:{file}"' for file, names in sorted(self.file.used.items())]
        return Spec("\n\n".join([*uses, *self.parts]) + "\n", model, (sizes[0], sizes[1]))

    # ── the top of the file ──

    def constants(self) -> None:
        draw, lines = self.draw, []
        if draw.chance(30):
            values = [draw.number(1, 6) for _ in range(draw.number(1, 3))]
            self.file.constants["WIDTHS"] = values
            lines.append(f"let WIDTHS = {values}")
        if draw.chance(20):
            self.file.constants["DEPTH"] = draw.number(1, 3)
            lines.append(f"let DEPTH = {self.file.constants['DEPTH']}")
        if draw.chance(20):
            self.file.functions["twice"] = lambda value: value * 2
            lines.append("let twice(v, by = 2) = v * by")
        if draw.chance(15):
            self.file.functions["even"] = lambda value: (value + 1) // 2 * 2
            lines.append("let even(v) = (v + 1) // 2 * 2")
        if lines:
            self.parts.append("\n".join(lines))

    def inputs(self, rank: int) -> Env:
        """The main input, `image`, and perhaps a second that goes well with it."""
        shape: list[Size] = [self.batch(), self.draw.number(1, 4)]
        for axis in range(rank - 2):
            shape.append(self.size("dhw"[axis - rank + 5], rank))
        found: Env = {"image": TensorType("float32", tuple(shape))}
        if self.draw.chance(25):
            other = list(shape)
            form = self.draw.weighted({"same": 4, "channels": 3, "flat": 2})
            if form == "channels":
                other[1] = self.draw.number(1, 4)
            found["other"] = TensorType("float32", tuple([*other[:1], self.draw.number(1, 4)] if form == "flat" else other))
        if self.draw.chance(20):
            found |= self.integers(shape)
        return found

    def integers(self, shape: Sequence[Size]) -> Env:
        """An input that does not hold floats: indices, a picture as it is stored, a mask."""
        form = self.draw.weighted({"ids": 4, "pixels": 2, "mask": 2})
        if form == "ids":
            dtype = self.draw.pick(("int64", "int32", "uint8"))
            return {"ids": TensorType(dtype, (shape[0], self.draw.number(2, 5)))}
        return {form: TensorType("bool" if form == "mask" else "uint8", tuple(shape))}

    def batch(self) -> Size:
        if self.draw.chance(10):
            return 2
        self.minima["N"] = 1
        return dims.symbol("N")

    def size(self, name: str, rank: int) -> Size:
        """`7`, `H >= 9`, `4*h`."""
        form = self.draw.weighted({"plain": 5, "bound": 4, "multiple": 4})
        if form == "plain":
            return self.draw.number(3, 9 if rank < 5 else 6)
        least = self.draw.number(5, 10) if form == "bound" else 1
        name = name.upper() if form == "bound" else name
        self.minima[name] = least
        return dims.symbol(name, least) * (1 if form == "bound" else self.draw.pick((4, 2, 8) if rank < 5 else (2, 4)))

    def function(self, x: TensorType) -> None:
        """`let gated(t) = t -> … `, of tensors, where nothing has a label."""
        place = Place(self.file, {**self.file.constants, "t": x}, "t")
        place.turns = Turns(None)
        term = place.pipeline(terms.name("t"), self.draw.number(1, 2))
        constants = dict(self.file.constants)
        self.file.on_tensors["gated"] = lambda value: term.value({**constants, "t": tensor(value)})
        self.parts.append(f"let gated(t) = {term.text}")

    # ── blocks ──

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        """Typed and untyped, with and without defaults; those without come first."""
        draw = self.draw
        found = []
        for name, kind in (("width", "int"), ("n", "int"), ("kernel", "size"), ("wide", "bool"), ("mode", "string")):
            if draw.chance(40):
                found.append(self.parameter(name, kind, x))
        if draw.chance(30):
            found.append(self.parameter("act", "stage", x))
        if draw.chance(25):
            found.append(self.parameter("widths", "list", x))
        return tuple(sorted(found, key=lambda parameter: parameter.default is not None))

    def parameter(self, name: str, kind: str, x: TensorType) -> Parameter:
        draw = self.draw
        scope = Scope(draw, dict(self.file.constants), {}, self.file.functions)
        most = 3 if name == "n" else 6
        arguments: dict[str, Callable[[Scope], Term]] = {
            "int": lambda scope: number(scope, 1, most),
            "size": lambda scope: extent([scope.draw.pick((1, 3, 2)) for _ in range(x.rank - 2)]),
            "bool": lambda scope: layers.flag(scope, scope.draw.chance(50)),
            "string": lambda scope: (
                Term('"max"', lambda env: "max") if scope.draw.chance(50) else Term('"avg"', lambda env: "avg")
            ),
            "list": lambda scope: list_of([number(scope, 1, 6) for _ in range(scope.draw.number(1, 3))]),
            "stage": self.stage_argument,
        }
        if kind == "size" and x.rank == 3:
            kind = "int"
        argument = arguments[kind]
        default = argument(scope) if draw.chance(50) else None
        sample = (default or argument(scope)).value(dict(self.file.constants))
        declared = f"{name}: {kind}" if kind == "stage" or draw.chance(85) else name
        declared += f" = {default.text}" if default else ""
        return Parameter(name, declared, argument, default, sample)

    def stage_argument(self, scope: Scope) -> Term:
        made = layers.activation(scope)
        if scope.draw.chance(30):
            inner = made
            more = layers.call(scope, "batchnorm", {})
            made = type(made)(f"[{more.text} -> {inner.text}]", lambda env, x: inner.apply(env, more.apply(env, x)))
        return Term(made.text, lambda env: StageValue(lambda x: made.apply(env, x)))

    def block(self, name: str, x: TensorType) -> None:
        draw = self.draw
        parameters = self.parameters(x)
        tensors = ("x", "y") if draw.chance(20) else ("x",)
        body = self.body(tensors, parameters, x)
        body.attempt(body.flow)
        body.grow(draw.number(0, 3))
        results = self.results(body)
        heads = [f"{tensor}: tensor" for tensor in tensors] + [parameter.declared for parameter in parameters]
        lines = [f"## Block {name}."] * draw.chance(20)
        lines += [f"block {name}({', '.join(heads)}) {{", *(f"    {line}" for line in body.lines())]
        lines += [f"    return {', '.join(term.text for term in results)}", "}"]

        def run(env: Env) -> Any:
            body.run(env)
            values = [tensor(term.value(env)) for term in results]
            return values[0] if len(values) == 1 else values

        self.parts.append("\n".join(lines))
        self.file.blocks.append(Block(name, tensors, parameters, run, len(results)))

    def body(self, tensors: tuple[str, ...], parameters: tuple[Parameter, ...], x: TensorType) -> Body:
        """An empty body in which the parameters have their samples."""
        sample = x.with_shape((x.shape[0], self.draw.number(1, 6), *x.spatial))
        env = {**self.file.constants, **dict.fromkeys(tensors, sample)}
        env |= {parameter.name: parameter.sample for parameter in parameters}
        return Body(self.file, env, "x")

    def results(self, body: Body) -> list[Term]:
        """What a body returns: mostly its main tensor."""
        found = [body.kept(body.source()) if self.draw.chance(30) else body.source()]
        if self.draw.chance(15):
            found.append(body.source())
        return found

    def inner_model(self, x: TensorType) -> None:
        """A model that is used as a block: its input takes any size."""
        channels = self.draw.number(1, 4)
        body = self.body(("image",), (), x)
        body.main = "image"
        body.env["image"] = x.with_shape((x.shape[0], channels, *x.spatial))
        body.grow(self.draw.number(1, 2))
        result = body.source()
        sizes = ", ".join("DHW"[5 - x.rank :])
        lines = ["model Inner {", f"    input image: float32[N, {channels}, {sizes}]"]
        lines += [*(f"    {line}" for line in body.lines()), f"    output result = {result.text}", "}"]

        def run(env: Env) -> Any:
            given = tensor(env["image"])
            if given.channels != channels or given.rank != x.rank:
                raise Invalid("other channels")
            body.run(env)
            return tensor(result.value(env))

        self.parts.append("\n".join(lines))
        self.file.blocks.append(Block("Inner", ("image",), (), run))

    # ── the model ──

    def model(self, inputs: Env) -> str:
        """The main model and perhaps a configuration of it; the name of the one to compile."""
        draw = self.draw
        configured = draw.chance(15)
        parameters = self.parameters(inputs["image"])
        # Without a default only where a configuration gives the value.
        whole = [p if configured or p.default else self.with_default(p) for p in parameters if p.name != "act"]
        whole.sort(key=lambda parameter: parameter.default is not None)
        body = Body(self.file, {**self.file.constants, **inputs, **{p.name: p.sample for p in whole}}, "image")
        declared = [f"input {name}: {_declared(value)}" for name, value in inputs.items()]
        for name in [name for name in ("ids", "pixels", "mask") if name in inputs]:
            body.attempt(partial(self.floats, body, name))
        body.attempt(body.flow)
        body.grow(draw.number(1, 6))
        outputs = self.outputs(body)
        head = f"({', '.join(p.declared for p in whole)})" if whole else ""
        lines = [f"model Main{head} {{", *(f"    {line}" for line in [*declared, *body.lines(), *outputs]), "}"]
        self.parts.append("\n".join(lines))
        if not configured:
            return "Main"
        given = [f"{p.name} = {_written(p.sample)}" for p in whole if p.default is None]
        self.parts.append(f"model Chosen = Main({', '.join(given)})")
        return "Chosen"

    def floats(self, body: Body, name: str) -> Statement:
        """`tokens = ids -> embedding(8, 4)`, or a choice by the mask."""
        if name == "mask" and self.draw.chance(60):
            chosen = terms.applied(
                "where", {"condition": terms.name("mask"), "a": terms.name("image")}, {"right": literal(0.1)}
            )
            return body.assign("tokens", chosen)
        return body.assign("tokens", gadgets.integers(body, terms.name(name)))

    def with_default(self, parameter: Parameter) -> Parameter:
        text = _written(parameter.sample)
        default = Term(text, lambda env: parameter.sample)
        return Parameter(parameter.name, f"{parameter.declared} = {text}", parameter.argument, default, parameter.sample)

    def outputs(self, body: Body) -> list[str]:
        """The main tensor, and perhaps others, a classifier, or one for each element of a list."""
        draw = self.draw
        lines = [f"output result = {body.source().text}"]
        if draw.chance(30):
            source = body.source()
            if tensor(source.value(body.env)).rank > 2:
                lines.append(f"output {source.text} -> global_avgpool -> flatten -> logits: linear({draw.number(1, 4)})")
        if draw.chance(15):
            lines.append(f"output more = {body.kept(body.source()).text}")
        for index, text in enumerate(body.unread[-3:]):
            if text not in " ".join(lines).split() and not draw.chance(10):
                lines.append(f"output rest{index} = {text}")
        lists = [name for name in body.scope.names(list) if body.env[name] and isinstance(body.env[name][0], TensorType)]
        if lists and draw.chance(60):
            lines += [f"for i, side in {draw.pick(lists)} {{", '    output "p{i}" = side', "}"]
        return lines


def _declared(of: TensorType) -> str:
    """`float32[N, 3, H >= 9, 4*w]`: the bound stands at every place, as it must agree."""
    return f"{of.dtype}[{', '.join(map(_size, of.shape))}]"


def _size(size: Size) -> str:
    minima = dims.minima(size)
    text = str(size)
    for name, least in minima.items():
        if least > 1 and text == name:
            text = f"{name} >= {least}"
    return text


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return str(value) if isinstance(value, Extent | int) else repr(value)


__all__ = ["Spec", "specs"]
