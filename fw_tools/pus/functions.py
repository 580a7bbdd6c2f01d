# SPDX-License-Identifier: Apache-2.0
"""Service 8, functions, and TC[9,128], which sets the time (ECSS-E-ST-70-41C 6.8, 6.9)."""

from collections.abc import Callable, Mapping

from fw_tools.pus.data_fields import TELECOMMANDS
from fw_tools.pus.failures import ExecutionFailure
from fw_tools.pus.identifiers import CUC_P_FIELD, UNITS_PER_SECOND
from fw_tools.pus.service import Answer, NotExecutedError


class FunctionService:
    """Service 8 on functions by their IDs."""

    def __init__(self, functions: Mapping[int, Callable[[], None]]) -> None:
        self._functions = functions

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[8,1]."""
        function_id = TELECOMMANDS[8, subtype].parse(data).function_id
        function = self._functions.get(function_id)
        if function is None:
            raise NotExecutedError(ExecutionFailure.UNKNOWN_FUNCTION, function_id)
        function()
        return ()


class TimeService:
    """Service 9: the payload's time is its uptime and what was set."""

    def __init__(self, uptime: Callable[[], int]) -> None:
        self._uptime = uptime
        self._offset = 0

    def now(self) -> int:
        """Return the time in units of 2^-16 s, 48 bit."""
        return (self._uptime() + self._offset) % (1 << 48)

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[9,128]."""
        time = TELECOMMANDS[9, subtype].parse(data).time
        if time.p_field != CUC_P_FIELD:
            raise NotExecutedError(ExecutionFailure.UNKNOWN_TIME_CODE, time.p_field)
        self._offset = time.seconds * UNITS_PER_SECOND + time.fraction - self._uptime()
        return ()
