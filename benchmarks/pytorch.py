"""Generated PyTorch modules against torchvision's, with equal weights at 224x224: training steps, and deployed inference.

Both sides run in one process, so with the same allocator and threads. torchvision's network runs as it comes: in eval mode
under `torch.inference_mode()`, or in train mode, forward and backward. Ours is the module that `convspec compile --target
pytorch` writes, and for inference the file of `--emit deploy`. Weights are drawn so that every layer matters. A figure counts
only where `convspec verify` passes for the same network, and where both sides compute the same.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, main, skipped, speedup
from convspec.bench.processes import compare_in_processes, fresh

THEIRS, OURS, LAST = "torchvision", "convspec", "convspec, channels last"
MOST_APART = 1e-4
"""How far both sides may be apart, as a share of the largest output."""
NATIVE = ("amx_bf16", "avx512_bf16")
"""Flags of processors that compute in bfloat16; others emulate it."""


def torchvision_models() -> Any:
    """torchvision's models, also where its compiled operators do not load: they use none of them."""
    import torch

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, rest in (("nms", "(Tensor dets, Tensor scores, float t) -> Tensor"),):
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + rest)
            library.define("q" + name + rest)
    return import_module("torchvision.models")


def networks(name: str) -> tuple[Any, Any]:
    """torchvision's network and ours, a convspec.Net, with equal weights under which every layer matters."""
    import torch

    import convspec
    from convspec.weights.randomised import randomised

    theirs = getattr(torchvision_models(), name)()
    weights = randomised(convspec.load(f"zoo:{name}").module.graph, 0)
    state = {key: torch.from_numpy(array.copy()) for key, array in weights.items()}
    missing = theirs.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys, missing
    assert all(key.endswith("num_batches_tracked") for key in missing.missing_keys), missing
    return theirs, convspec.load(f"zoo:{name}", weights=weights)


def deployed(net: Any, precision: str) -> Any:
    """The network as `--emit deploy` writes it, loaded from its file."""
    with tempfile.TemporaryDirectory() as folder:
        net.compile("pytorch", Path(folder) / "net.py", emit=["deploy"], optimize=2, precision=precision)
        spec = importlib.util.spec_from_file_location("net_deploy", Path(folder) / "net_deploy.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.load()


def training(name: str, batch: int) -> dict[str, Callable[[], object]]:
    """Steps forward and backward, without an optimiser, whose work is the same."""
    import torch

    theirs, net = networks(name)
    x = torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(0))

    def step(model: Any, data: Any) -> Callable[[], object]:
        model.train()

        def run() -> None:
            model.zero_grad(set_to_none=True)
            model(data).square().mean().backward()

        return run

    last = torch.channels_last
    return {
        OURS: step(net.to_torch(), x),
        LAST: step(net.to_torch().to(memory_format=last), x.to(memory_format=last)),
        THEIRS: step(theirs, x),
    }


def inference(name: str, batch: int, precision: str) -> dict[str, Callable[[], object]]:
    """torchvision's network in float32, and ours deployed in `precision`. AssertionError where they differ."""
    import torch

    theirs, net = networks(name)
    theirs.eval()
    x = torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    ours = deployed(net, precision)

    def run(model: Any) -> Callable[[], object]:
        def once() -> object:
            with torch.inference_mode():
                return model(x)

        return once

    subjects = {OURS: run(ours), THEIRS: run(theirs)}
    found: Any = [each() for each in subjects.values()]
    apart = float((found[0] - found[1]).abs().max() / found[1].abs().max())
    assert apart <= (MOST_APART if precision == "fp32" else 0.1), f"{name} in {precision} differs by {apart}"
    return subjects


def verified(name: str, optimize: int, precision: str) -> bool:
    """What `convspec verify` says of the network so made."""
    import convspec

    return bool(convspec.load(f"zoo:{name}").verify(["pytorch"], optimize=optimize, precision=precision).passed)


def figures(quick: bool) -> list[Figure]:
    """Training first, then deployment; `quick`: few rounds in one process, and without verify."""
    found = _training(quick)
    found.append(_inference("resnet50", "ResNet-50", 8, "fp32", 1.25, quick))
    found.append(_inference("mobilenet_v3_large", "MobileNetV3-Large", 1, "fp32", 1.35, quick))
    title = "deployed ResNet-50 in bfloat16 at batch 8 against torchvision's in float32"
    if any(flag in _flags() for flag in NATIVE):
        found.append(_inference("resnet50", "ResNet-50", 8, "bf16", 1.6, quick))
    else:
        found.append(skipped(title, "this processor has no bfloat16", 1.6))
    return found


def _training(quick: bool) -> list[Figure]:
    batch, passed = 2 if quick else 8, quick or _verified("resnet50", 0, "fp32")
    compared = compare_in_processes(
        "benchmarks.pytorch:training",
        {"name": "resnet50", "batch": batch},
        processes=1 if quick else 3,
        rounds=3 if quick else 8,
        baseline=THEIRS,
        budget=10 if quick else 30,
        least_rounds=3,
    )
    title = f"generated ResNet-50 trains, batch {batch}"
    note = "a difference under 3 % counts as none"
    return [
        speedup(f"{title}, against torchvision's", compared, OURS, 0.97, verified=passed, note=note),
        speedup(f"{title}, channels last", compared, LAST, 1.1, verified=passed),
    ]


def _inference(name: str, title: str, batch: int, precision: str, goal: float, quick: bool) -> Figure:
    compared = compare_in_processes(
        "benchmarks.pytorch:inference",
        {"name": name, "batch": batch, "precision": precision},
        processes=1 if quick else 3,
        rounds=(5 if batch > 1 else 20) if quick else (15 if batch > 1 else 60),
        baseline=THEIRS,
        budget=6 if quick else 20,
    )
    told = {"fp32": "", "bf16": " in bfloat16"}[precision]
    label = f"deployed {title}{told} at batch {batch} against torchvision's in float32"
    return speedup(label, compared, OURS, goal, verified=quick or _verified(name, 2, precision))


def _verified(name: str, optimize: int, precision: str) -> bool:
    return bool(fresh("benchmarks.pytorch:verified", {"name": name, "optimize": optimize, "precision": precision}).value)


def _flags() -> set[str]:
    info = Path("/proc/cpuinfo")
    return set(info.read_text().split()) if info.exists() else set()


if __name__ == "__main__":
    sys.exit(main("pytorch", figures))
