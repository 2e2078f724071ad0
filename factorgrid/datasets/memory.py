"""How much memory a table may take."""

import os
from pathlib import Path

import jax


def available_bytes() -> int:
    """Memory that new arrays may take on the default device: an accelerator's own, else the machine's."""
    device = jax.local_devices()[0]
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return int(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    return host_bytes()


def host_bytes() -> int:
    """What Linux says can be had without swapping; elsewhere half of the memory there is."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
