# SPDX-License-Identifier: Apache-2.0
"""The digest that names a model in the files generated from it."""

import hashlib
import json
from dataclasses import asdict
from typing import Any


def model_digest(*records: Any) -> str:
    """Return the SHA-256 (hex) of frozen dataclass records, independent of field order and run."""
    text = json.dumps([asdict(record) for record in records], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
