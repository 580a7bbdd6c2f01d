# SPDX-License-Identifier: Apache-2.0
"""Hand-written library cells, copied beside the generated modules that use them."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile

LIBRARY_FOLDER = PurePosixPath("rtl/lib")
# A register that may be voted, and the counter that is one.
REGISTER_CELLS = ("kept_reg", "tmr_voter", "tmr_majority", "tmr_reg")
COUNTER_CELLS = (*REGISTER_CELLS, "event_counter")
FREE_USE = "// This copy of a library cell may be used, changed and passed on under any terms."


def library_files(*names: str) -> tuple[GeneratedFile, ...]:
    """Return copies of the cells `names` (module or package names, in compile order).

    Each lands at `rtl/lib/<name>.sv` and carries, below its SPDX line, the terms of the copy.

    Raises:
        LookupError: a name that no file below `hdl/rtl` has.
    """
    return tuple(_copy(name) for name in names)


def _copy(name: str) -> GeneratedFile:
    cells = _cells()
    if name not in cells:
        raise LookupError(f"no library cell {name!r}; there are: {', '.join(sorted(cells))}")
    licence, _, body = cells[name].read_text(encoding="utf-8").partition("\n")
    return GeneratedFile(LIBRARY_FOLDER / f"{name}.sv", f"{licence}\n{FREE_USE}\n{body}")


@cache
def _cells() -> dict[str, Traversable]:
    areas = (area for area in files("hdl").joinpath("rtl").iterdir() if area.is_dir())
    sources = (source for area in areas for source in area.iterdir())
    return {
        source.name.removesuffix(".sv"): source for source in sources if source.name.endswith(".sv")
    }
