# SPDX-License-Identifier: Apache-2.0
"""Which kernels do the heavy work: numpy, or loops that numba compiles.

`TELEMETRY_KERNELS=numpy|numba` chooses. Without it numba is taken where it is installed and the
job is long enough to pay for loading it. Both give the same results.
"""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

from telemetry.common.errors import ReportedError
from telemetry.common.exit_codes import ExitCode

VARIABLE = "TELEMETRY_KERNELS"
CACHE_VARIABLE = "FW_TOOLS_CACHE"  # Where everything that can be made anew is kept.
MIN_NUMBA_OCTETS = 512 << 20  # Loading numba costs what it saves in about so many octets.

F = TypeVar("F", bound=Callable[..., Any])


class Kernels(StrEnum):
    """What does the heavy work."""

    NUMPY = "numpy"
    NUMBA = "numba"


class WrongKernelsError(ReportedError):
    """The variable holds no name of kernels."""

    exit_code = ExitCode.USAGE


class MissingNumbaError(ReportedError):
    """numba was asked for and is not installed."""

    exit_code = ExitCode.MISSING


def choose_kernels(octets: int | None = None) -> Kernels:
    """Return the kernels for a job of this size; None: nobody knows, so numpy unless asked.

    Raises `WrongKernelsError` for another value of the variable, `MissingNumbaError` where numba is
    asked for and absent.
    """
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        is_large = octets is not None and octets >= MIN_NUMBA_OCTETS
        return Kernels.NUMBA if is_large and _has_numba() else Kernels.NUMPY
    if wanted not in list(Kernels):
        raise WrongKernelsError(f"{VARIABLE}={wanted}: expected {' or '.join(Kernels)}")
    if wanted == Kernels.NUMBA and not _has_numba():
        raise MissingNumbaError(
            f"{VARIABLE}={wanted}: numba is not installed. This brings it:\n"
            "  python -m pip install 'fw-tools[fast]'\n"
            f"Without it, {VARIABLE}=numpy does the same in more time"
        )
    return Kernels(wanted)


@cache
def compiled(function: F) -> F:
    """Return `function` as machine code of numba, kept in the user's cache folder.

    Each signature is compiled when it is first called. Where nothing can be written there, it is
    compiled anew in each process.
    """
    import numba
    from numba.core import config as numba_config

    config: Any = numba_config
    compile_cached: Any = numba.njit(cache=True, nogil=True)
    compile_anew: Any = numba.njit(nogil=True)
    before = config.CACHE_DIR
    config.CACHE_DIR = before or str(cache_folder() / "kernels")  # Read while it is decorated.
    try:
        return cast("F", compile_cached(function))
    except (RuntimeError, OSError):  # "no locator available": the folder cannot be written.
        return cast("F", compile_anew(function))
    finally:
        config.CACHE_DIR = before


def cache_folder() -> Path:
    """Return where what can be made anew is kept: `$FW_TOOLS_CACHE`, else the user's cache."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fw-tools"


def _has_numba() -> bool:
    return "numba" in sys.modules or find_spec("numba") is not None
