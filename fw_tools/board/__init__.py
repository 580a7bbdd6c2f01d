# SPDX-License-Identifier: Apache-2.0
"""Boards: the way to one, the link over it, and a client of the payload at its end."""

from fw_tools.board.board import Board
from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import LinkDescription, load_description
from fw_tools.board.link import Link
from fw_tools.board.transport import Transport, open_transport

__all__ = [
    "Board",
    "ClientOptions",
    "Link",
    "LinkDescription",
    "PayloadClient",
    "Transport",
    "load_description",
    "open_transport",
]
