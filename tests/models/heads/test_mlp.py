from __future__ import annotations

from typing import Any, ClassVar

from head_conformance import HeadConformance


class TestMLPHead(HeadConformance):
    head = "mlp"
    options: ClassVar[dict[str, Any]] = {"hidden": [16, 8], "dropout": 0.0, "attention_heads": 2}


class TestMLPHeadOfTheTutorial(HeadConformance):
    head = "mlp"
    options: ClassVar[dict[str, Any]] = {
        "hidden": [256, 64],
        "activation": "relu",
        "dropout": 0.0,
        "attention_heads": 1,
    }
