# SPDX-License-Identifier: Apache-2.0
"""What of a machine is looked at: its outputs, each in a role."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from fw_tools.errors import InputError
from fw_tools.netlist.records import Net
from fw_tools.upset.machine import Machine

Nets = tuple[Net, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The nets of each role; where `accepted` is empty, every clock hands data over."""

    data: Nets = ()  # What is handed over.
    accepted: Nets = ()  # That it is, in this clock.
    alarm: Nets = ()  # An error was found that cannot be corrected.
    corrected: Nets = ()  # An error was found and corrected.
    safe: Nets = ()  # A safe action is under way.
    unsafe: Nets = ()  # What must never be.

    def by_role(self) -> dict[str, Nets]:
        """Return the nets by the engine's name of the role."""
        return {each.name.upper(): getattr(self, each.name) for each in fields(self)}

    def nets(self) -> Iterator[Net]:
        """Yield the nets of every role."""
        for nets in self.by_role().values():
            yield from nets


_MOST_DATA_BITS = 16384  # What the engine has room for.
ROLES = tuple(each.name for each in fields(Observation))


def observe(machine: Machine, roles: Mapping[str, str] | None = None) -> Observation:
    """Return what is looked at: outputs called after a role, else as `roles` (output -> role) says.

    An output in no role is data. Raises `InputError` for an output that is not there, and for a
    role that is not known.
    """
    chosen = dict(roles or {})
    for output, role in chosen.items():
        if output not in machine.outputs:
            known = ", ".join(machine.outputs) or "none"
            raise InputError(f"{machine.top} has no output {output}; there are: {known}")
        if role not in ROLES:
            raise InputError(f"{output}: no role {role}; there are: {', '.join(ROLES)}")
    found: dict[str, Nets] = {}
    for output, nets in machine.outputs.items():
        role = chosen.get(output) or _role_of(output)
        found[role] = found.get(role, ()) + nets
    if len(found.get("data", ())) > _MOST_DATA_BITS:
        raise InputError(
            f"{machine.top}: outputs of {len(found['data']):,} bits of data; "
            f"at most {_MOST_DATA_BITS:,} are taken"
        )
    return Observation(**found)


def _role_of(output: str) -> str:
    stem = output.removesuffix("_o")
    return stem if stem in ROLES else "data"
