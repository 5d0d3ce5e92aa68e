"""`attention` against the layer that PyTorch has for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec import ops
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from tests.conformance.cell import Cell, noise

HEADS, CHANNELS = 2, 6


def weights_of(layer: Any, path: str) -> dict[str, Array]:
    """The layer's weights by our names, as the documentation of `attention` says: the key's bias is left out."""
    stored = {name: tensor.detach().numpy() for name, tensor in layer.named_parameters()}
    query, key, value = (
        np.split(stored["in_proj_weight"], 3)
        if "in_proj_weight" in stored
        else (stored["q_proj_weight"], stored["k_proj_weight"], stored["v_proj_weight"])
    )
    query_bias, _, value_bias = np.split(stored["in_proj_bias"], 3)
    found = {
        "query.weight": query,
        "query.bias": query_bias,
        "key.weight": key,
        "value.weight": value,
        "value.bias": value_bias,
    }
    found |= {"out.weight": stored["out_proj.weight"], "out.bias": stored["out_proj.bias"]}
    return {f"{path}.{role}": array for role, array in found.items()}


def torch_layer(**options: Any) -> Any:
    import torch

    torch.manual_seed(3)
    layer = torch.nn.MultiheadAttention(CHANNELS, HEADS, batch_first=True, **options).double().eval()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.7)  # biases too: the key's among them must make no difference
    return layer


def ours(cell: Cell, layer: Any) -> Array:
    path = cell.module.graph.nodes[-1].path
    return evaluate(cell.module.graph, weights_of(layer, path), cell.arrays).outputs["out0"]


def theirs(layer: Any, x: Array, context: Array, **masks: Any) -> Array:
    import torch

    query, keys = (torch.from_numpy(array).movedim(1, -1) for array in (x, context))
    found: Array = layer(query, keys, keys, need_weights=False, **masks)[0].movedim(-1, 1).detach().numpy()
    return found


def test_self_attention() -> None:
    x, layer = noise(2, CHANNELS, 5), torch_layer()
    np.testing.assert_allclose(ours(Cell("x -> attention(2)", x=x), layer), theirs(layer, x, x), rtol=0, atol=1e-12)


def test_a_context_of_other_channels_and_keys_that_are_not_there() -> None:
    import torch

    x, context = noise(2, CHANNELS, 5), noise(2, 4, 3)
    there = np.array([[True, False, True], [False, True, False]])
    layer = torch_layer(kdim=4, vdim=4)
    cell = Cell("x -> attention(c, heads = 2, mask = m)", x=x, c=context, m=there)
    expected = theirs(layer, x, context, key_padding_mask=torch.from_numpy(~there))
    np.testing.assert_allclose(ours(cell, layer), expected, rtol=0, atol=1e-12)


def test_order() -> None:
    import torch

    x, layer = noise(2, CHANNELS, 5), torch_layer()
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    expected = theirs(layer, x, x, attn_mask=later)
    np.testing.assert_allclose(ours(Cell("x -> attention(2, causal = true)", x=x), layer), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("target", ["pytorch", "tensorflow"])
def test_nothing_to_attend_to_gives_the_outputs_bias(target: str) -> None:
    """In half precision too, where minus infinity is near."""
    from convspec.targets.pytorch.package import to_torch
    from convspec.targets.tensorflow.packaging import to_keras

    there = np.array([[True, False, True], [False, False, False]])
    cell = Cell("x -> attention(2, mask = m)", x=noise(2, CHANNELS, 3), m=there)
    weights = {name: array.astype(np.float16) for name, array in cell.weights.items()}
    x = cell.arrays["x"].astype(np.float16)
    if target == "pytorch":
        import torch

        model = to_torch(cell.module).half()
        model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        found = model(torch.from_numpy(x), torch.from_numpy(there)).detach().numpy()
    else:
        keras_model = to_keras(cell.module, weights, dtype="float16")
        found = keras_model({"x": np.moveaxis(x, 1, -1), "m": there}).numpy().swapaxes(1, 2)
    [bias] = [array for name, array in weights.items() if name.endswith("out.bias")]
    np.testing.assert_array_equal(found[1], np.repeat(bias[:, None], 3, axis=1))
    expected = evaluate(cell.module.graph, weights, cell.arrays).outputs["out0"]
    assert np.abs(found[0] - expected[0]).max() < 1e-2 * np.abs(expected).max()


def test_what_it_costs() -> None:
    """4 projections of 8 x 8 at 10 positions, and 2 products of 10 x 10 x 8, for each of 3 examples."""
    cell = Cell("x -> attention(2)", x=noise(3, 8, 10), types={"x": "float32[3, 8, 10]"})
    [node] = cell.module.graph.nodes
    op = ops.find("attention")
    assert op is not None and op.cost is not None
    assert op.cost(node.attrs, *node.input_types).macs == 3 * (4 * 8 * 8 * 10 + 2 * 10 * 10 * 8)
