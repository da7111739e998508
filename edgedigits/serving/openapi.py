"""What the OpenAPI document says of each route: what it takes, and every answer that it gives."""

from typing import Any

DESCRIPTION = "Reads handwritten digits in pictures. Nothing that is sent is stored."

READ: dict[str, Any] = {}
CLASSIFY: dict[str, Any] = {}
MODELS: dict[str, Any] = {}
HEALTH: dict[str, Any] = {}
READY: dict[str, Any] = {}
