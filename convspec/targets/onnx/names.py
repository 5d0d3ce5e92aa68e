"""Names in an ONNX graph, where inputs, outputs, initialisers and all other tensors share one space of names."""

from __future__ import annotations

from dataclasses import field

from convspec.diagnostics import error, fail
from convspec.records import dataclass
from convspec.source import Span


@dataclass(slots=True)
class Names:
    """The names in use."""

    taken: set[str] = field(default_factory=set)

    def exact(self, name: str, what: str, span: Span) -> str:
        """Claim a name that may not be changed. Failure CNN091 where it is taken."""
        if name in self.taken:
            message = f"ONNX cannot carry the name `{name}` for {what}: the model has another tensor of that name"
            raise fail(error("CNN091", message, span, hint="rename one of them: in ONNX all tensors share one space of names"))
        self.taken.add(name)
        return name

    def fresh(self, wanted: str) -> str:
        """Claim `wanted`, with a number behind it where it is taken."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name
