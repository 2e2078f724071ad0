"""What decides the numbers beside the configuration: versions and the machine."""

import contextlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import jax

PACKAGES = ("factorgrid", "jax", "equinox", "optax", "numpy", "scikit-learn")


def installed() -> dict[str, str]:
    """Versions of what decides the numbers."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def hardware() -> dict[str, Any]:
    """What this process computes on."""
    devices = jax.devices()
    return {
        "devices": [device.device_kind for device in devices],
        "backend": devices[0].platform,
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
