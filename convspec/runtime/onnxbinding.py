"""ONNX Runtime with inputs and outputs that stay on the device, and with CUDA graphs, which need fixed places for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from convspec.ir.types import Array
from convspec.runtime.devices import Device

_GRAPHS = count(1)
"""Numbers of CUDA graphs. Each stands for one set of shapes and places."""


@dataclass(slots=True)
class Binding:
    """Inputs placed on a device once. With `graph` the first run records a CUDA graph, which later ones replay."""

    ort: Any
    session: Any
    device: Device
    inputs: Mapping[str, Array]
    outputs: tuple[str, ...]
    graph: bool = False
    bound: Any = field(init=False)
    values: dict[str, Any] = field(init=False)
    """The inputs, as ONNX Runtime holds them on the device."""
    chosen: Any = field(init=False, default=None)
    """Options of each run: which graph it is."""

    def __post_init__(self) -> None:
        place = ("cpu", 0) if self.device.kind == "cpu" else ("cuda", self.device.index)
        self.bound = self.session.io_binding()
        self.values = {name: self.ort.OrtValue.ortvalue_from_numpy(array, *place) for name, array in self.inputs.items()}
        for name, value in self.values.items():
            self.bound.bind_ortvalue_input(name, value)
        for name in self.outputs:
            self.bound.bind_output(name, *place)
        if self.graph:
            self._fix_outputs()

    def _fix_outputs(self) -> None:
        """One run without a graph shows how large outputs are; from then on they stay where they came."""
        self.session.run_with_iobinding(self.bound, self._options(-1))
        made = self.bound.get_outputs()
        for name, value in zip(self.outputs, made, strict=True):
            self.bound.bind_ortvalue_output(name, value)
        self.chosen = self._options(next(_GRAPHS))

    def _options(self, graph: int) -> Any:
        made = self.ort.RunOptions()
        made.add_run_config_entry("gpu_graph_id", str(graph))
        return made

    def update(self, arrays: Mapping[str, Array]) -> None:
        """Other data of the same shapes, in the same places."""
        for name, value in self.values.items():
            value.update_inplace(arrays[name])

    def run(self) -> None:
        self.session.run_with_iobinding(self.bound, self.chosen)

    def wait(self) -> None:
        self.bound.synchronize_outputs()

    def results(self) -> dict[str, Array]:
        """Copies on the host."""
        return dict(zip(self.outputs, self.bound.copy_outputs_to_cpu(), strict=True))
