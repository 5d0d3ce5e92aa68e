"""What is written for a network: which folder and name, a target's options, and packages beside the sources."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import error, fail

if TYPE_CHECKING:
    from convspec.elaborate.module import Module
    from convspec.targets.base import Target, Weights


def place(path: str | Path | None, target: Target, stem: str) -> tuple[Path, str]:
    """The folder to write to, and the main file's name without its suffix, `stem` where `path` says none. Failure CNN401."""
    if path is None:
        return Path(), stem
    if os.path.isdir(path) or str(path).endswith(("/", "\\")):
        return Path(path), stem
    path = Path(path)
    if path.suffix != target.suffix:
        hint = f"name a file that ends in {target.suffix}, or a folder that exists"
        raise fail(error("CNN401", f"the target {target.name} writes {target.suffix} files, not {path.name}", hint=hint))
    return path.parent, path.name.removesuffix(target.suffix)


def target_options(target: Target, stem: str, given: Mapping[str, Any]) -> Any:
    """The target's own options. Failure CNN401 for one that it does not have."""
    known = [option.name for option in fields(target.options) if option.name != "stem"]
    unknown = [name for name in given if name not in known]
    if unknown:
        hint = f"it has {', '.join(known)}" if known else "it has none"
        raise fail(error("CNN401", f"the target {target.name} has no option `{unknown[0]}`", hint=hint))
    return target.options(stem=stem, **given)


KINDS = {"pytorch": ("pt2", "deploy"), "tensorflow": ("keras", "savedmodel")}
"""What targets write besides their sources."""


def package(kind: str, target: str, path: Path, module: Module, weights: Weights) -> list[Path]:
    """Write one package beside the sources. Failure CNN401 for a kind that the target does not have."""
    kinds = KINDS.get(target, ())
    if kind not in kinds:
        all_kinds = "; ".join(f"{name} also writes {' and '.join(each)}" for name, each in KINDS.items())
        hint = f"it also writes {' and '.join(kinds)}" if kinds else all_kinds
        raise fail(error("CNN401", f"the target {target} cannot emit `{kind}`", hint=hint))
    if kind == "pt2":
        from convspec.targets.pytorch import export_pt2

        return [export_pt2(module, weights, path.with_name(f"{path.name}.pt2"))]
    if kind == "deploy":
        from convspec.targets.pytorch.deploy import emit_deploy

        return emit_deploy(module, weights, path)
    from convspec.targets.tensorflow import packaging

    if kind == "keras":
        packaging.save_keras(module, weights, path.with_name(f"{path.name}.keras"))
        return [path.with_name(f"{path.name}.keras")]
    packaging.export_savedmodel(module, weights, path.with_name(f"{path.name}_savedmodel"))
    return [path.with_name(f"{path.name}_savedmodel")]


__all__ = ["package", "place", "target_options"]
