# SPDX-License-Identifier: Apache-2.0
"""Error-correcting codes as arithmetic: matrices, encode, syndrome, decode, fault patterns."""
