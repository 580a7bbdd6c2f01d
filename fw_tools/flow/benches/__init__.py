# SPDX-License-Identifier: Apache-2.0
"""Which benches a payload has."""
