"""A summary as plain data. The keys are described in docs/analysis.md."""

from __future__ import annotations

from typing import Any

from convspec.analysis.columns import plain
from convspec.analysis.cost import MAC_CONVENTION
from convspec.analysis.receptive_field import Fields
from convspec.analysis.summary import Row, Summary, Uses
from convspec.analysis.training import Use
from convspec.ir.types import TensorType


def to_json(summary: Summary) -> dict[str, Any]:
    """Plain data: numbers where sizes are known, else expressions as strings. `null` in a receptive field is a whole axis."""
    return {
        "name": summary.name,
        "inputs": [{"name": name, **_type_json(tensor_type)} for name, tensor_type in summary.inputs],
        "sizes": dict(summary.sizes),
        "open_sizes": list(summary.open_sizes),
        "groups" if summary.folded else "layers": [_row_json(row, summary.folded) for row in summary.rows],
        "totals": {
            "layers": summary.layers,
            "parameters": summary.parameters.learnable,
            "running_statistics": summary.parameters.statistics,
            "macs": plain(summary.cost.macs),
            "flops": plain(summary.cost.flops),
            "activation_memory": plain(summary.activation_memory),
            "receptive_field": field_json(summary.field),
            "memory": uses_json(summary.uses) if summary.uses else None,
        },
        "convention": MAC_CONVENTION,
    }


def _row_json(row: Row, folded: bool) -> dict[str, Any]:
    return {
        "label": row.label,
        "layer": row.layer,
        **({"layers": row.layers} if folded else {}),
        "inputs": [_type_json(tensor_type) for tensor_type in row.inputs],
        "outputs": [_type_json(tensor_type) for tensor_type in row.outputs],
        "parameters": row.parameters.learnable,
        "running_statistics": row.parameters.statistics,
        "shared": row.shared,
        "macs": plain(row.cost.macs),
        "flops": plain(row.cost.flops),
        "output_bytes": plain(row.activations),
        "kept_bytes": plain(row.kept),
        "receptive_field": field_json(row.field),
    }


def field_json(fields: Fields) -> list[dict[str, Any] | None]:
    """One for each axis; null where the whole axis is seen."""
    return [
        None if field is None else {"size": field.size, "jump": str(field.jump), "offset": str(field.offset)}
        for field in fields
    ]


def uses_json(uses: Uses) -> dict[str, Any]:
    """Bytes in inference and training, and how they are counted."""
    return {
        "precision": uses.precision,
        "optimizer": uses.optimizer,
        "inference": _use_json(uses.inference),
        "training": _use_json(uses.training) | {"kept_for_backward": uses.kept},
    }


def _use_json(use: Use) -> dict[str, int]:
    return {
        "parameters": use.parameters,
        "gradients": use.gradients,
        "optimizer": use.optimizer,
        "activations": use.activations,
        "total": use.total,
    }


def _type_json(tensor_type: TensorType) -> dict[str, Any]:
    return {"dtype": tensor_type.dtype, "shape": [plain(size) for size in tensor_type.shape]}


__all__ = ["field_json", "to_json", "uses_json"]
