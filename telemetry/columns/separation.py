# SPDX-License-Identifier: Apache-2.0
"""When a field cannot be read by Python alone, without what is around it."""


class InseparableError(BaseException):
    """A field that construct cannot parse without what is around it.

    No `Exception`: constructs such as Optional would take it for a failure to parse.
    """


class SeparationError(Exception):
    """Construct has to parse more than the field at `path` to read it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason
