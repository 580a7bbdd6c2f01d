# SPDX-License-Identifier: Apache-2.0
"""Service 8, functions, and service 9, time (ECSS-E-ST-70-41C 6.8, 6.9)."""

from collections.abc import Callable, Mapping

from fw_tools.pus.data_fields import TELECOMMANDS
from fw_tools.pus.failures import ExecutionFailure
from fw_tools.pus.identifiers import (
    CUC_P_FIELD,
    MOST_TIME_RATE,
    NO_TIME_REPORTS,
    UNITS_PER_SECOND,
)
from fw_tools.pus.service import Answer, NotExecutedError

SET_RATE = 1


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

    def __init__(self, uptime: Callable[[], int], rate: int = NO_TIME_REPORTS) -> None:
        self.rate = rate  # A report every 2^rate s.
        self._uptime = uptime
        self._offset = 0

    def now(self) -> int:
        """Return the time in units of 2^-16 s, 48 bit."""
        return (self._uptime() + self._offset) % (1 << 48)

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[9,1] or TC[9,128]."""
        if subtype == SET_RATE:
            self._set_rate(data[0])
            return ()
        time = TELECOMMANDS[9, subtype].parse(data).time
        if time.p_field != CUC_P_FIELD:
            raise NotExecutedError(ExecutionFailure.UNKNOWN_TIME_CODE, time.p_field)
        self._offset = time.seconds * UNITS_PER_SECOND + time.fraction - self._uptime()
        return ()

    def _set_rate(self, rate: int) -> None:
        if rate > MOST_TIME_RATE and rate != NO_TIME_REPORTS:
            raise NotExecutedError(ExecutionFailure.WRONG_TIME_RATE, rate)
        self.rate = rate
