# SPDX-License-Identifier: Apache-2.0
"""What chains the floors together: verification, benches, new projects."""
