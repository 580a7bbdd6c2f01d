# SPDX-License-Identifier: Apache-2.0
"""What goes over the link: PUS-C packets in COBS frames, and a payload's answers as a model."""
