"""What the NVIDIA driver says of the GPUs of this machine: their names, its version, the memory in use."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. `used` is bytes of its memory that all processes together hold now."""

    name: str
    driver: str
    used: int


def gpus() -> list[Gpu]:
    """The GPUs in the driver's order; none where there is no driver, or it does not work."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name,driver_version,memory.used", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse(done.stdout) if done.returncode == 0 else []


def parse(text: str) -> list[Gpu]:
    """The lines of nvidia-smi: `NVIDIA L4, 570.86.10, 512` (MiB; `[N/A]` where it does not tell)."""
    found = []
    for line in text.splitlines():
        name, driver, used = (part.strip() for part in line.rsplit(",", 2))
        found.append(Gpu(name, driver, int(used) * 2**20 if used.isdigit() else 0))
    return found


def gpu_at(device: str) -> Gpu | None:
    """The GPU that a device such as `cuda:0` or `tensorrt:1` names; None for the CPU or one that is not there."""
    kind, _, index = device.partition(":")
    if kind not in ("cuda", "tensorrt"):
        return None
    found = gpus()
    number = int(index or 0)
    return found[number] if number < len(found) else None


__all__ = ["Gpu", "gpu_at", "gpus", "parse"]
