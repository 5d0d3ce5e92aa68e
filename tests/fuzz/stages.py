"""Random stages and pipelines at a place in a body: layers, groups, repeats, blocks, stages that are parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from convspec.ir.types import FLOATS, TensorType
from tests.fuzz import layers, library
from tests.fuzz.blocks import Block, File, Shared, Turns, call_block
from tests.fuzz.layers import Scope, number
from tests.fuzz.terms import Env, Invalid, Stage, StageValue, Term, lookup, name, tensor

LABELS = ("stem", "enc", "Mid", "fc", "k", "down", "y", "head")


class Place:
    """A place in a body: what the names mean there, and which labels are taken."""

    def __init__(self, file: File, env: Env, main: str) -> None:
        self.file, self.draw, self.main = file, file.draw, main
        self.scope = Scope(file.draw, env, {}, file.functions)
        self.turns = Turns()
        self.count = [0]
        """How many labels and outputs there are; shared with the bodies inside."""
        self.unread: list[str] = []
        """Tensors that nothing has used yet, the newest last."""

    @property
    def env(self) -> Env:
        return self.scope.env

    def source(self) -> Term:
        """A tensor: mostly the one that the body is about, or one that is not used yet."""
        tensors = [text for text in self.scope.names(TensorType) if self.env[text].dtype in FLOATS]
        if not tensors:
            raise Invalid("no tensor")
        unread = [text for text in self.unread if text in tensors]
        if unread and self.draw.chance(50):
            return name(unread[-1])
        main = self.main if self.main in tensors else tensors[-1]
        return name(main if not self.draw.chance(25) else self.draw.pick(tensors))

    def fresh(self) -> int:
        self.count[0] += 1
        return self.count[0]

    def stage(self, x: TensorType, depth: int = 0) -> Stage:
        """A stage for x, labelled or not."""
        kinds = {
            "layer": 70,
            "group": 8 if depth < 2 else 0,
            "repeat": 8 if depth < 2 else 0,
            "block": 22 if self.file.blocks else 0,
            "bound": 8,
            "library": 6,
        }
        kind = self.draw.weighted(kinds)
        if kind == "bound":
            bound = self.bound_stage()
            if bound is not None:
                return bound
        if kind == "library":
            made = library.stage(self.scope, x, self.file.used)
            return replace(made, text=self.label() + made.text)
        if kind == "group":
            return self.group(x, depth)
        if kind == "repeat":
            return self.repeat(x, depth)
        made = self.block_call(self.draw.pick(self.file.blocks)) if kind == "block" else layers.layer(self.scope, x)
        return replace(made, text=self.label() + made.text)

    def label(self, percent: int = 45) -> str:
        """`stem3: `, `"enc.4.{i}": ` or nothing."""
        if not self.draw.chance(percent):
            return ""
        base = f"{self.draw.pick(LABELS)}{self.fresh()}"
        base += self.draw.pick(("", "", ".c", "-d"))
        label = self.turns.label(base)
        if label is None:
            return ""
        return f'"{label}": ' if any(sign in label for sign in ".-") else f"{label}: "

    def stages(self, x: Any, count: int, depth: int = 0) -> tuple[list[Stage], Any]:
        """Up to `count` stages that fit one after the other, and what comes out."""
        found: list[Stage] = []
        for _ in range(count):
            made = self.stage(tensor(x), depth)
            try:
                x = tensor(made.apply(dict(self.env), x))
            except Invalid:
                made = layers.keeping(self.scope, x)
            found.append(made)
        return found, x

    def group(self, x: TensorType, depth: int) -> Stage:
        label, before = self.label(60), self.turns
        if label:
            self.turns = Turns()
        stages, _ = self.stages(x, self.draw.number(1, 3), depth + 1)
        self.turns = before
        return Stage(f"{label}[{' -> '.join(stage.text for stage in stages)}]", sequence(stages))

    def repeat(self, x: TensorType, depth: int) -> Stage:
        """`layer2: 2 * [conv(8, 3x3) -> relu]`, `(n - 1) * Block(4)`."""
        label, before = self.label(60), self.turns
        self.turns = Turns() if label else Turns(None)
        if self.draw.chance(50):
            stages, _ = self.stages(x, self.draw.number(1, 2), depth + 1)
            inner = Stage(f"[{' -> '.join(stage.text for stage in stages)}]", sequence(stages))
        else:
            block = self.file.blocks and self.draw.chance(60)
            inner = self.block_call(self.draw.pick(self.file.blocks)) if block else layers.keeping(self.scope, x)
        self.turns = before
        times = number(self.scope, 1, 3, 50)

        def apply(env: Env, value: Any) -> Any:
            for _ in range(small(times.value(env))):
                value = inner.apply(env, value)
            return value

        return Stage(
            f"{label}{times.tight if times.loose or '(' not in times.text else f'({times.text})'} * {inner.text}", apply
        )

    def bound_stage(self) -> Stage | None:
        """A stage that is a parameter, or a shared layer."""
        bound = [text for text, value in self.env.items() if isinstance(value, StageValue | Shared)]
        if not bound:
            return None
        chosen = self.draw.pick(bound)
        return Stage(chosen, lambda env, x: lookup(env, chosen).apply(x))

    def block_call(self, block: Block) -> Stage:
        """A block with arguments; tensors after the first come first among them."""
        others = [self.source() for _ in block.tensors[1:]]
        given: dict[str, Term] = {}
        for parameter in block.parameters:
            if parameter.default is None or self.draw.chance(50):
                given[parameter.name] = parameter.argument(self.scope)
        leading = 0
        for parameter in block.parameters[: self.draw.number(0, 3)]:
            if parameter.name not in given:
                break
            leading += 1
        parts = [term.text for term in others]
        parts += [term.text if i < leading else f"{key} = {term.text}" for i, (key, term) in enumerate(given.items())]

        def apply(env: Env, x: Any) -> Any:
            return call_block(self.file, block, [x, *(term.value(env) for term in others)], given, env)

        return Stage(f"{block.name}({', '.join(parts)})" if parts else block.name, apply)

    def pipeline(self, source: Term, count: int) -> Term:
        """`x -> a -> b`."""
        stages, _ = self.stages(source.value(self.env), count)
        apply = sequence(stages)
        called = _called(source, stages[0]) if self.draw.chance(8) else None
        begin = [called] if called else [source.text, stages[0].text]
        text = " -> ".join([*begin, *(stage.text for stage in stages[1:])])
        return Term(text, lambda env: apply(env, source.value(env)), True)

    def kept(self, source: Term) -> Term:
        """A pipeline whose value has the shape of its source."""
        x = tensor(source.value(self.env))
        stages = []
        for _ in range(self.draw.number(1, 3)):
            made = layers.keeping(self.scope, x)
            stages.append(replace(made, text=self.label() + made.text))
        apply = sequence(stages)
        text = " -> ".join([source.text, *(stage.text for stage in stages)])
        return Term(text, lambda env: apply(env, source.value(env)), True)


def _called(source: Term, stage: Stage) -> str | None:
    """`conv(x, 8, 3x3)` for `x -> conv(8, 3x3)`, where the stage is a layer or block without a label."""
    found = re.fullmatch(r"([A-Za-z]\w*)(?:\((.*)\))?", stage.text)
    if found is None or "->" in source.text:
        return None
    return f"{found[1]}({source.text}{', ' if found[2] else ''}{found[2] or ''})"


def sequence(stages: Sequence[Stage]) -> Callable[[Env, Any], Any]:
    def apply(env: Env, x: Any) -> Any:
        for stage in stages:
            x = stage.apply(env, x)
        return x

    return apply


def small(count: Any) -> int:
    if type(count) is not int or count > 4:
        raise Invalid("too often")
    return count
