"""The syntax tree of a `.cnn` file. Nodes are compared by identity, so that they can key facts found out later."""

from __future__ import annotations

from typing import Literal, TypeAlias

from convspec.records import dataclass
from convspec.source import Span


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """An identifier where it is declared, or a bare word that names something."""

    text: str
    span: Span


# ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class IntLit:
    """`64`, `1_000`, `5M` (K, M, G are powers of 1000)."""

    value: int
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class FloatLit:
    value: float
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class BoolLit:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class SizeLit:
    """`3x3`: one integer per spatial axis."""

    values: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class StrLit:
    """A string; `{expr}` inside it is an expression, `{{` and `}}` are braces. Adjacent text is one part."""

    parts: tuple[str | Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class NameRef:
    """A name used as a value; a bare enumerated word or a stage as an argument looks the same."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """`x.channels`."""

    value: Expr
    name: Name
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    value: Expr
    index: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """`xs[a..b]`; either end may be missing."""

    value: Expr
    start: Expr | None
    stop: Expr | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ListLit:
    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Comprehension:
    """`[item for targets in iterable]`."""

    item: Expr
    targets: tuple[Target, ...]
    iterable: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Arg:
    """An argument; `name` is None for a positional one."""

    name: Name | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`concat(a, b)`, `len(xs)`, `Bottleneck(x, 64)`: an op, block, model, `let` function or built-in by name."""

    function: NameRef
    args: tuple[Arg, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    operator: Literal["-", "not"]
    operand: Expr
    span: Span


BinaryOperator: TypeAlias = Literal["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or"]


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    operator: BinaryOperator
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """`start..stop`, the end excluded."""

    start: Expr
    stop: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """`if condition then a else b`; the branch not taken is not evaluated."""

    condition: Expr
    then: Expr
    orelse: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """`source -> stage -> stage`."""

    source: Expr
    stages: tuple[Stage, ...]
    span: Span


# ── stages ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class StageCall:
    """`conv(64, 3x3)` or a bare `relu` (then `args` is empty and `parenthesised` false)."""

    function: NameRef
    args: tuple[Arg, ...]
    parenthesised: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """`[conv(8, 3x3) -> relu]`."""

    stages: tuple[Stage, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """`label: count * body`; label and count may be missing."""

    label: StrLit | None
    """A bare label is a StrLit of one text part; None if the stage has no label."""
    count: Expr | None
    body: StageCall | Group
    span: Span


Expr: TypeAlias = (
    IntLit
    | FloatLit
    | BoolLit
    | SizeLit
    | StrLit
    | NameRef
    | Attribute
    | Index
    | Slice
    | ListLit
    | Comprehension
    | Call
    | Unary
    | Binary
    | Range
    | Conditional
    | Pipeline
    | Group
)
"""A Group stands as a value only where a stage is wanted."""


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Unpack:
    """`[kernel, out]` as a loop target."""

    names: tuple[Name, ...]
    span: Span


Target: TypeAlias = Name | Unpack


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """`input image: float32[N, 3, 32*h, W >= 75] as picture(size = 224)`; a bound is a Binary `>=` dimension."""

    name: Name
    dtype: Name
    dims: tuple[Expr, ...]
    picture: Call | None
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class OutputItem:
    name: StrLit | None
    """`output logits = …` and `output "p{i}" = …`; None where the value names itself."""
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    items: tuple[OutputItem, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Return:
    values: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Assign:
    """`a, b = value` unpacks one list; `a, b = x, y` binds side by side."""

    targets: tuple[Name, ...]
    values: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    statements: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """`for x in xs`, `for i, x in xs`, `for i, [a, b] in rows`: one target, or index and target."""

    targets: tuple[Target, ...]
    iterable: Expr
    body: Body
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class If:
    """`else if` is an `orelse` body that holds one If."""

    condition: Expr
    then: Body
    orelse: Body | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Assert:
    condition: Expr
    message: StrLit | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Default:
    """`default conv(bias = false)`: holds from here to the end of the enclosing body or file."""

    op: Name
    args: tuple[Arg, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """`layer tower = Tower(64)`: one instance whose weights every use shares."""

    name: Name
    stage: Stage
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """A parameter of a block, model or function. `type` is a word: tensor, stage, int, float, bool, string, list, size."""

    name: Name
    type: Name | None
    default: Expr | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    """`let NAME = expr`, or a function `let f(a, b = 8) = expr` (then `params` is a tuple, perhaps empty)."""

    name: Name
    params: tuple[Param, ...] | None
    value: Expr
    doc: str
    span: Span


Statement: TypeAlias = Input | Output | Return | Assign | For | If | Assert | Default | Layer | Let


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block, or a model where `kind` says so. `doc` is the text of the `##` lines above it."""

    kind: Literal["block", "model"]
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """`model ResNet50 = ResNet(depths = [3, 4, 6, 3])`."""

    name: Name
    base: Name
    args: tuple[Arg, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """`use A, B from "path.cnn"`."""

    names: tuple[Name, ...]
    path: str
    path_span: Span
    span: Span


Item: TypeAlias = Use | Let | Default | Block | Configuration


@dataclass(frozen=True, slots=True, eq=False)
class File:
    language: int | None
    items: tuple[Item, ...]
    doc: str
    """The `##` lines at the very top of the file, set off by an empty line."""
    span: Span
