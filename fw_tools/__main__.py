# SPDX-License-Identifier: Apache-2.0
"""`python -m fw_tools` is `fw-tools`."""

from fw_tools.cli.entry import main

main()
