# SPDX-License-Identifier: Apache-2.0
"""Foreign packages that stand in the way of ours. Needs nothing but the standard library."""

from importlib import metadata, util
from pathlib import Path

OUR_PACKAGES = ("fw_tools", "telemetry", "hdl")


def foreign_packages() -> tuple[str, ...]:
    """Return one line per foreign package that is found in place of ours, and what would be right.

    Other people also call their packages `telemetry` or `hdl`; ours stand beside this file.
    """
    ours = Path(__file__).resolve().parent.parent
    return (
        *(_shadow(package, ours) for package in OUR_PACKAGES if _is_foreign(package, ours)),
        *_crc(),
    )


def _is_foreign(package: str, ours: Path) -> bool:
    return _origin(package) != ours / package / "__init__.py"


def _origin(package: str) -> Path | None:
    spec = util.find_spec(package)
    return Path(spec.origin).resolve() if spec and spec.origin else None


def _shadow(package: str, ours: Path) -> str:
    return (
        f"{package}: {_origin(package) or 'nothing'} is found in place of {ours / package}; "
        "remove it from PYTHONPATH or this environment, or use a fresh virtual environment"
    )


def _crc() -> tuple[str, ...]:
    # Both distributions install the module `crcmod`: whichever came last has overwritten the other.
    try:
        metadata.version("crcmod-plus")
    except metadata.PackageNotFoundError:
        return ()
    cure = "pip uninstall crcmod-plus crcmod, then pip install crcmod==1.7"
    return (f"crcmod: crcmod-plus overwrites the same module; {cure}",)
