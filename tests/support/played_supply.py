# SPDX-License-Identifier: Apache-2.0
"""A bench supply that PyVISA-sim plays, at the end of a pty."""

import os
import threading
import tty
from pathlib import Path

import pyvisa

DEFINITION = Path(__file__).parent / "instruments" / "supply.yaml"
AT_FIRST = ("VOLT 5.0", "CURR 1.0", "OUTP OFF", "PLAY:VOLT 5.01", "PLAY:CURR 0.25")


class PlayedSupply:
    """Answers lines on a pty until the block ends; `heard` are those that came."""

    def __init__(self) -> None:
        self._visa = pyvisa.ResourceManager(f"{DEFINITION}@sim")
        self._supply = self._visa.open_resource(
            "ASRL1::INSTR", read_termination="\n", write_termination="\n"
        )
        for line in AT_FIRST:  # PyVISA keeps an instrument beyond the end of its manager.
            self.set(line)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.url = os.ttyname(self._slave)
        self.heard: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def ask(self, line: str) -> str:
        """Ask it from behind, as by its own front panel."""
        return str(self._supply.query(line))

    def set(self, line: str) -> None:
        """Set something by its front panel."""
        self._supply.write(line)

    def __enter__(self) -> "PlayedSupply":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._slave, b"")
        os.close(self._slave)  # Ends the read of the thread with EIO.
        self._thread.join(5)
        os.close(self._master)
        self._supply.close()
        self._visa.close()

    def _serve(self) -> None:
        rest = b""
        while True:
            try:
                rest += os.read(self._master, 1024)
            except OSError:
                return
            *lines, rest = rest.split(b"\n")
            for line in lines:
                self.heard.append(line.decode())
                self._supply.write(line.decode())
                if b"?" in line:
                    os.write(self._master, f"{self._supply.read()}\n".encode())
