# SPDX-License-Identifier: Apache-2.0
"""Boards to talk to: the reference payload on a pty and on TCP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from reference_payload import LINK
from served_payload import PtyServed, Served, TcpServed

from fw_tools.board import ClientOptions, LinkDescription, PayloadClient
from fw_tools.board.description import parse_description

WAYS = {"pty": PtyServed, "tcp": TcpServed}


@pytest.fixture
def description() -> LinkDescription:
    return parse_description(LINK)


@pytest.fixture(params=list(WAYS))
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with WAYS[request.param](tmp_path) as served:
        yield served


@pytest.fixture
def client(board: Served, description: LinkDescription) -> Iterator[PayloadClient]:
    with PayloadClient.open(board.url, description, options=ClientOptions(timeout_s=0.3)) as client:
        yield client


@pytest.fixture
def pty_board(tmp_path: Path) -> Iterator[PtyServed]:
    with PtyServed(tmp_path) as served:
        yield served
