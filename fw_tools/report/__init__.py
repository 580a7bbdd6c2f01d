# SPDX-License-Identifier: Apache-2.0
"""Result records and how they are shown: tables, JSON, JUnit, one-file HTML."""
