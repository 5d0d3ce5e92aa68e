"""PyTorch's `.pt` and `.pth`: a state_dict, or a checkpoint dictionary that holds one. Nothing in the file is ever run.

They are pickles, which can name any function and its arguments. `torch.load(weights_only=True)` rebuilds tensors and plain
containers from them and nothing else; what the file asks for beyond that is read from its opcodes, to be named. The file is
read whole, and tensors are views of that: mapping it into memory would save nothing here, and PyTorch does not check a mapped
storage against the member that it lies in.
"""

from __future__ import annotations

import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import Array
from convspec.weights.names import quoted
from convspec.weights.sources.archive import check_archive, member_names
from convspec.weights.sources.base import Source, StoredTensor
from convspec.weights.sources.reading import DAMAGED, FileBytes, explained, refused

Tensors: TypeAlias = "dict[str, Any]"

SAVE = "in the program that has the model: torch.save(model.state_dict(), 'weights.pt')"
LARGEST_PICKLE = 1 << 26
"""Bytes of opcodes that are looked through for what they name; the data of tensors lie elsewhere."""

TAKEN_FROM = "taken from"
"""The entry of Source.metadata that says under which key of a checkpoint the state_dict was."""

NO_WEIGHTS = ("optim", "sched", "scaler", "rng", "amp")
"""Parts of the keys under which a checkpoint keeps what is no state_dict of a network."""


def open_torch(path: Path) -> Source:
    """The tensors of a state_dict. Failure CNN200 for what is none, CNN303 where torch is not installed."""
    torch = _torch(path)
    file = FileBytes.of(path)
    archived = file.read(0, min(file.size, 4)).tobytes() == b"PK\x03\x04"
    if archived:
        _check_kind(path, member_names(path))
        check_archive(path, compressed=False)
    found = _loaded(torch, path, archived)
    key, tensors = _state_dict(torch, path, found)
    metadata = {} if key is None else {TAKEN_FROM: key}
    return Source(path, "torch", {name: _stored(torch, path, name, tensor) for name, tensor in tensors.items()}, metadata)


def _torch(path: Path) -> Any:
    try:
        import torch
    except ImportError:
        hint = 'pip install "convspec[torch]", or save it as safetensors: safetensors.torch.save_file(state_dict, path)'
        message = f"cannot read {path}: torch is not installed, which reads PyTorch's own files"
        raise fail(error("CNN303", message, hint=hint)) from None
    return torch


def _check_kind(path: Path, names: list[str]) -> None:
    """Programs are archives of the same form; their state_dict can be had by who loads them."""
    leaves = {name.partition("/")[2] for name in names}
    if "constants.pkl" in leaves or any(name.startswith("code/") for name in leaves):
        hint = "torch.save(torch.jit.load(path).state_dict(), 'weights.pt') where you trust the file"
        raise refused(path, "it is a TorchScript program, not a state_dict", hint=hint)
    if "data.pkl" not in leaves:
        what = (
            "an exported program" if any("archive_format" in name or "models/" in name for name in names) else "no state_dict"
        )
        raise refused(path, f"it is {what}", hint=SAVE)


def _loaded(torch: Any, path: Path, archived: bool) -> Any:
    """What the file holds, of tensors and plain containers alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except Exception as problem:  # what it raises about damaged files is of any kind
        surplus = _surplus(path, archived)
        if surplus:
            raise _not_plain(path, surplus) from None
        with explained(path):
            raise _without_advice(problem) from None


def _without_advice(problem: Exception) -> Exception:
    """PyTorch's own message tells how to load the file without care."""
    text = str(problem)
    return ValueError("it is no pickle of plain weights") if "weights_only" in text or "Weights only" in text else problem


def _not_plain(path: Path, surplus: list[str]) -> Failure:
    names = ", ".join(map(quoted, surplus[:5])) + (" …" if len(surplus) > 5 else "")
    modules = any(name.startswith("torch.nn.modules.") for name in surplus)
    what = "a whole model, not a state_dict: a pickle" if modules else "no plain state_dict: a pickle"
    return refused(path, f"it is {what} that calls for {names}; nothing of it was run", hint=SAVE)


def _surplus(path: Path, archived: bool) -> list[str]:
    """What the pickle names that plain weights do not need, in the order of the file. Nothing is imported."""
    found: dict[str, None] = {}
    try:
        for name in _globals(_pickle(path, archived)):
            found.setdefault(name)
    except Exception:  # damaged opcodes: what was found before them counts
        pass
    return [name for name in found if not _plain(name)]


def _pickle(path: Path, archived: bool) -> bytes:
    if not archived:
        with path.open("rb") as file:
            return file.read(LARGEST_PICKLE)
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl") or name == "data.pkl")
        with archive.open(name) as file:
            return file.read(LARGEST_PICKLE)


def _globals(data: bytes) -> Iterator[str]:
    """`module.name` of every global; an old file is several pickles in a row."""
    import io

    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        strings: list[str] = []
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name in ("GLOBAL", "INST"):
                yield ".".join(str(argument).split(" "))
            elif opcode.name == "STACK_GLOBAL":
                yield ".".join(strings[-2:])
            elif isinstance(argument, str):
                strings.append(argument)


def _plain(name: str) -> bool:
    module, _, leaf = name.rpartition(".")
    return (
        name in ("collections.OrderedDict", "torch.Size", "torch.device")
        or (module == "torch._utils" and leaf.startswith("_rebuild_"))
        or (module in ("torch", "torch.storage") and leaf.endswith("Storage"))
        or (module == "torch" and leaf.islower())
    )


def _state_dict(torch: Any, path: Path, found: Any) -> tuple[str | None, Tensors]:
    """The tensors, and the key under which the file has them (None: they are all that there is)."""
    if isinstance(found, torch.Tensor):
        raise refused(path, "it holds one tensor without a name, not a state_dict", hint=SAVE)
    if not isinstance(found, Mapping):
        raise refused(path, f"it holds a {type(found).__name__}, not a state_dict", hint=SAVE)
    own = _tensors(torch, path, found)
    held = {key: part for key, part in found.items() if isinstance(part, Mapping) and _tensors(torch, path, part)}
    nested = {str(key): part for key, part in held.items() if not any(mark in str(key).lower() for mark in NO_WEIGHTS)}
    if not nested:
        if not own:
            raise refused(path, "it holds no tensors by name", hint=SAVE)
        return None, own
    counters = all(tensor.ndim == 0 for tensor in own.values())
    if len(nested) == 1 and counters:
        key, part = next(iter(nested.items()))
        return key, _tensors(torch, path, part)
    candidates = [*(["the file itself"] if not counters else []), *map(quoted, nested)]
    hint = "save the one that you mean by itself: torch.save(torch.load(path)['model'], 'weights.pt')"
    raise refused(path, f"it holds several state_dicts: {', '.join(candidates)}", hint=hint)


def _tensors(torch: Any, path: Path, found: Mapping[Any, Any]) -> Tensors:
    """The entries that are tensors. Failure CNN200 where one of them has no name."""
    tensors = {key: value for key, value in found.items() if isinstance(value, torch.Tensor)}
    if any(not isinstance(key, str) for key in tensors):
        raise refused(path, "it holds tensors by number, not by name", hint=SAVE)
    return tensors


def _stored(torch: Any, path: Path, name: str, tensor: Any) -> StoredTensor:
    """Failure CNN200 for what is no ordinary array of numbers."""
    kind = _odd_kind(torch, tensor)
    if kind:
        raise refused(path, f"{quoted(name)} is {kind}, of which no network here is made", hint=None)
    tensor = tensor.detach()
    with explained(path):
        held = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > held:
        reason = f"{quoted(name)} claims {tensor.numel()} elements, and {held} bytes are stored"
        raise refused(path, reason, hint=DAMAGED)
    dtype = str(tensor.dtype).removeprefix("torch.")
    return StoredTensor(name=name, dtype=dtype, shape=tuple(tensor.shape), read=partial(_read, torch, path, tensor))


def _odd_kind(torch: Any, tensor: Any) -> str | None:
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        return f"a {type(tensor).__name__}"
    if tensor.layout is not torch.strided or tensor.is_nested:
        return "a sparse or nested tensor"
    if tensor.is_quantized or tensor.dtype in (torch.bits8, torch.bits16, torch.quint4x2, torch.quint2x4):
        return "a quantised tensor"
    if tensor.device.type != "cpu":
        return f"a tensor without data (device {tensor.device.type})"
    return None


def _read(torch: Any, path: Path, tensor: Any) -> Array:
    with explained(path, hint=None):
        tensor = tensor.resolve_conj().resolve_neg().contiguous()
        if tensor.dtype is not torch.bfloat16:
            array: Array = tensor.numpy()
            return array
        import ml_dtypes

        bits: Array = tensor.view(torch.int16).numpy()
        return bits.view(ml_dtypes.bfloat16)


__all__ = ["TAKEN_FROM", "open_torch"]
