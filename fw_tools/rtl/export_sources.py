# SPDX-License-Identifier: Apache-2.0
"""Sources for other people's synthesis: what keeps hardening apart, in each vendor's spelling."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from fw_tools.rtl.emit import GeneratedFile


class Target(StrEnum):
    """What an export is for."""

    FILELIST = "filelist"
    VIVADO = "vivado"
    LIBERO = "libero"


_MODULE = '(* keep_hierarchy = "yes" *)'
_REGISTER = '(* keep = "true" *)'
_ASYNC = '(* async_reg = "true" *)'
# Vivado: UG901, KEEP_HIERARCHY, DONT_TOUCH, ASYNC_REG. Libero has Synplify Pro: syn_hier,
# syn_preserve, syn_replicate. Others read Vivado's and Yosys' words, as they stand in the sources.
_SPELLING: Mapping[Target, Mapping[str, str]] = {
    Target.FILELIST: {},
    Target.VIVADO: {
        _MODULE: '(* keep_hierarchy = "yes", dont_touch = "yes" *)',
        _REGISTER: '(* keep = "true", dont_touch = "true" *)',
    },
    Target.LIBERO: {
        _MODULE: '(* syn_hier = "hard" *)',
        _REGISTER: "(* syn_preserve = 1, syn_replicate = 0 *)",
        _ASYNC: "(* syn_preserve = 1, syn_replicate = 0 *)",
    },
}


def spell_attributes(files: Iterable[GeneratedFile], target: Target) -> tuple[GeneratedFile, ...]:
    """Return the files with the attributes that keep registers and modules apart, for `target`."""
    return tuple(GeneratedFile(file.path, _spell(file.text, target)) for file in files)


def _spell(text: str, target: Target) -> str:
    for ours, theirs in _SPELLING[target].items():
        text = text.replace(ours, theirs)
    return text
