# SPDX-License-Identifier: Apache-2.0
"""A bench supply over SCPI: switched, and not above what the board takes.

Commands are those of SCPI-1999, chapters 15 (OUTPut), 19 (SOURce) and 18 (MEASure), and of
IEEE 488.2 (*IDN?), as every programmable supply has them.
"""

import time

from fw_tools.board.transport import open_transport
from fw_tools.errors import LinkError
from fw_tools.spec.board import SupplySpec

ANSWER_S = 2.0


class SupplyError(LinkError):
    """The supply is not what it should be, or would harm the board."""


class Supply:
    """An open supply."""

    def __init__(self, spec: SupplySpec) -> None:
        self._spec = spec
        self._transport = open_transport(spec.url, spec.baud)
        self._is_ours = False  # Whether it was we who switched it on.
        try:
            self.identity = self.ask("*IDN?")
            if spec.identity not in self.identity:
                raise SupplyError(
                    f"{spec.url}: is {self.identity!r}; [power] wants {spec.identity!r} in it"
                )
            if spec.channel is not None:
                self._send(f"INST:NSEL {spec.channel}")
        except BaseException:
            self.close()
            raise

    def switch(self, is_on: bool) -> None:
        """Switch the output. Raises `SupplyError` where it is set to more than the board takes."""
        if is_on:
            self._require_within("VOLT?", self._spec.most_mv, "V")
            self._require_within("CURR?", self._spec.most_ma, "A")
            self._is_ours = self._is_ours or not self.is_on()
        self._send(f"OUTP {'ON' if is_on else 'OFF'}")
        if self.is_on() != is_on:
            raise SupplyError(f"{self._spec.url}: the output did not go {'on' if is_on else 'off'}")
        time.sleep(self._spec.settle_s)
        if is_on:
            self._check_output()
        else:
            self._is_ours = False

    def is_on(self) -> bool:
        """Tell whether the output is on."""
        return self.ask("OUTP?").upper() in ("1", "ON")

    def measured_volts(self) -> float:
        """Return the voltage at the output."""
        return self._number("MEAS:VOLT?")

    def measured_amps(self) -> float:
        """Return the current that flows."""
        return self._number("MEAS:CURR?")

    def switch_off_again(self) -> None:
        """Switch off, if it was we who switched on."""
        if self._is_ours:
            self.switch(False)

    def ask(self, question: str) -> str:
        """Return the line that answers. Raises `SupplyError` when none comes."""
        self._send(question)
        answer = b""
        deadline = time.monotonic() + ANSWER_S
        while b"\n" not in answer and (left := deadline - time.monotonic()) > 0:
            answer += self._transport.read(left)
        if b"\n" not in answer:
            rate = self._transport.baud
            at = f" at {rate} baud" if rate else ""
            raise SupplyError(
                f"{self._spec.url}: no answer to {question} in {ANSWER_S:g} s. Is this a supply "
                f"that speaks SCPI{at}, and is it on?"
            )
        return answer.split(b"\n")[0].decode("ascii", errors="replace").strip()

    def close(self) -> None:
        """Give its port back."""
        self._transport.close()

    def _send(self, command: str) -> None:
        self._transport.write(f"{command}\n".encode("ascii"))

    def _number(self, question: str) -> float:
        answer = self.ask(question)
        try:
            return float(answer)
        except ValueError:
            raise SupplyError(f"{self._spec.url}: {question} gave {answer!r}, no number") from None

    def _require_within(self, question: str, most_milli: int, unit: str) -> None:
        is_set = self._number(question)
        if is_set * 1000 > most_milli:
            raise SupplyError(
                f"{self._spec.url}: set to {is_set:g} {unit}, and the board takes at most "
                f"{most_milli / 1000:g} {unit} ([power]); not switched on. Turn it down first"
            )

    def _check_output(self) -> None:
        volts = self.measured_volts()
        if volts * 1000 > self._spec.most_mv:
            self.switch(False)
            raise SupplyError(
                f"{self._spec.url}: gave {volts:g} V, and the board takes at most "
                f"{self._spec.most_mv / 1000:g} V ([power]); switched off"
            )
