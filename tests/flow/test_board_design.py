# SPDX-License-Identifier: Apache-2.0
"""A payload on a board: its times and its baud rate stay, whatever the board's clock."""

from dataclasses import replace
from pathlib import Path

import pytest

from fw_tools.board.finding import find_board
from fw_tools.errors import InputError
from fw_tools.flow.board_design import payload_on_board, write_design
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import Payload


@pytest.fixture
def node(repository: Path) -> Payload:
    return load_payload(repository / "examples/compute_node/payload.toml")


def test_the_baud_rate_stays_at_another_clock(node: Payload) -> None:
    assert node.link is not None
    there = payload_on_board(node, find_board("ulx3s"))
    assert there.link is not None
    assert there.clock_hz == 25_000_000
    assert there.clock_hz / there.link.baud_divisor == node.clock_hz / node.link.baud_divisor


def test_the_scrub_interval_stays_at_another_clock(node: Payload, tmp_path: Path) -> None:
    board = find_board("ulx3s")
    assert board.fpga is not None
    texts = []
    for name, payload in (("own", node), ("there", payload_on_board(node, board))):
        write_design(payload, board.fpga, tmp_path / name)
        texts.append((tmp_path / name / "rtl/compute_node_weight_buffer.sv").read_text())
    interval_us = node.memories[0].scrub_interval_us
    for text, clock_mhz in zip(texts, (40, 25), strict=True):
        assert f"{interval_us * clock_mhz}" in text.replace("_", "")


def test_the_build_identity_names_gateware_and_board(node: Payload, tmp_path: Path) -> None:
    board = find_board("ulx3s")
    assert board.fpga is not None
    payload = payload_on_board(node, board)
    design, build_id = write_design(payload, board.fpga, tmp_path / "a")
    again, same_id = write_design(payload, board.fpga, tmp_path / "b")
    assert (build_id, design.digest()) == (same_id, again.digest())
    assert f"64'h{build_id}" in (tmp_path / "a/board_payload.sv").read_text()
    _, other_id = write_design(node, board.fpga, tmp_path / "d")
    assert other_id != build_id


def test_a_payload_without_a_link_is_refused(node: Payload) -> None:
    with pytest.raises(InputError, match=r"no table \[link\]"):
        payload_on_board(replace(node, link=None), find_board("ulx3s"))
