"""YAML files for other programs, as a person would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

HEADER = "# Rendered from the settings of the deployment, and again at the next one: change those instead.\n"


def render(documents: Sequence[dict[str, Any]]) -> str:
    """One file: keys in their order, texts of several lines as such, nothing by reference."""
    dumped = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=1_000, allow_unicode=True)
    return HEADER + dumped


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
