# SPDX-License-Identifier: Apache-2.0
"""What the commands `fw-tools` and `fw-telemetry` share."""
