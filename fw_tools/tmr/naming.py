# SPDX-License-Identifier: Apache-2.0
"""What everything of a result is called, in the replica and around it alike."""

from collections.abc import Iterator, Sequence

from fw_tools.errors import InputError
from fw_tools.rtl.render import header
from fw_tools.tmr.design import Bit, Bits, Register
from fw_tools.tmr.plan import Plan
from fw_tools.tmr.words import Names, identifier

REPLICAS = 3
ERROR = "tmr_error_o"
_INSTANCES = tuple(f"u_replica_{index}" for index in range(REPLICAS))


class Naming:
    """The names of a plan's registers, sources, memories and of what replicas hand over.

    Raises `InputError` where the top has a port called as that of the error outputs.
    """

    def __init__(self, plan: Plan, digest: str) -> None:
        self.plan = plan
        self.top = plan.design.top
        self.is_triple = plan.options.voters == "triple"
        self.voted: dict[str, str] = {}  # Register of the sources -> what the majority holds.
        self.sources: dict[str, str] = {}
        self.memories: dict[str, str] = {}
        self.exports: dict[Bits, str] = {}
        self._digest = digest
        self._ports = [port.name for port in plan.design.ports]
        if ERROR in self._ports:
            raise InputError(f"{self.top}: has a port {ERROR} already; give it another name")
        self.taken = Names([*self._ports, ERROR, "unused", *_INSTANCES])
        self._name_stored()
        if self.is_triple:
            self._name_exports()

    def _name_stored(self) -> None:
        left = {one.register.name for one in self.plan.left}
        for each in self.plan.triplicated:
            plain = identifier(each.name)  # A voted register may not be called as a port.
            self.voted[each.name] = self.taken.take(f"{plain}_q" if plain in self._ports else plain)
        for name, _ in self.plan.sources():
            is_port = name in self._ports and name not in left
            self.sources[name] = name if is_port else self.taken.take(identifier(name))
        for memory in self.plan.design.memories:
            self.memories[memory.name] = self.taken.take(identifier(memory.name))

    def _name_exports(self) -> None:
        shared = self.plan.shared_bits()
        outputs = {port.name for port in self.plan.design.ports if not port.is_input}
        for name, bits in self.plan.sinks():
            made = tuple(bit for bit in bits if bit not in shared)
            if made and made not in self.exports:
                is_port = name in outputs and made == bits
                self.exports[made] = name if is_port else self.taken.take(f"{identifier(name)}_o")

    def head(self, what: str, *more: str) -> str:
        """Return how a file begins."""
        lines = "".join(f"// {line}\n" if line else "//\n" for line in ("", *more))
        return header("//", self._digest, what) + lines

    def inputs(self, needed: frozenset[Bit]) -> Iterator[tuple[str, Bits]]:
        """Yield the inputs of a replica that needs these bits."""
        for name, bits in self.plan.sources():
            if not needed.isdisjoint(bits):
                yield self.sources[name], bits

    def inside(self) -> Iterator[str]:
        """Yield every name that is taken in a replica."""
        yield from self.sources.values()
        for name in self.voted.values():
            yield from (name, f"{name}_next", f"{name}_stored")
        yield from self.exports.values()
        yield from ("error_o", "unused", *_INSTANCES)


def controls(registers: Sequence[Register]) -> set[Bit]:
    """Return clocks and resets."""
    clocks = {each.clock for each in registers}
    return clocks | {each.reset for each in registers if each.reset is not None}
