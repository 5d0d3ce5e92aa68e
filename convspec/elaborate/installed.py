"""Layers by the names written in a spec: one of an installed package that cannot be used is told at that name."""

from __future__ import annotations

from convspec import ops
from convspec.diagnostics import Failure, error
from convspec.elaborate.frame import Frame
from convspec.ir.opdef import OpDef
from convspec.syntax import ast


def find_op(reference: ast.NameRef | ast.Name, frame: Frame | None = None) -> OpDef | None:
    """The op of that name, or None. Failure CNN027 at the name, with the chain that led there where a `frame` is given."""
    try:
        return ops.find(reference.text)
    except Failure as failure:
        frames = frame.frames() if frame is not None else ()
        raise Failure([error(p.code, p.message, reference.span, frames=frames) for p in failure.diagnostics]) from None
