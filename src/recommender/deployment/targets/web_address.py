"""Where a server that listens at an address of this machine is asked from this machine."""

from __future__ import annotations

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # an address to listen at -> one to ask at


def web_address(host: str, port: int) -> str:
    """`http://127.0.0.1:8501`, also where the server listens at all addresses."""
    host = ANYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
