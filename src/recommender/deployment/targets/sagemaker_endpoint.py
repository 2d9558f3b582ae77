"""A SageMaker endpoint: made, changed to another configuration, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from recommender.deployment.targets.sagemaker_account import in_one_line, is_missing
from recommender.errors import RecommenderError

IN_SERVICE = "InService"
BUSY = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
POLL_SECONDS = 5.0


class Endpoint:
    """One endpoint by its name, whether it is there or not."""

    def __init__(self, client: Any, name: str, wait_seconds: float) -> None:
        """`wait_seconds` is how long is waited for what SageMaker is still at."""
        self._client = client
        self._name = name
        self._wait_seconds = wait_seconds

    def describe(self) -> dict[str, Any] | None:
        """What SageMaker says of it; None where there is none."""
        return self._found(self._client.describe_endpoint, EndpointName=self._name)

    def make_model(self, request: dict[str, Any]) -> bool:
        """Create a model unless it is there; returns whether it was created."""
        return self._make("model", request, "ModelName")

    def make_config(self, request: dict[str, Any]) -> bool:
        """Create an endpoint configuration unless it is there; returns whether it was created."""
        return self._make("endpoint_config", request, "EndpointConfigName")

    def change(self, request: dict[str, Any]) -> None:
        """Create the endpoint, or change it to this configuration; SageMaker does so while requests go on.

        A change that SageMaker is still at is waited for first: it takes one at a time.
        """
        found = self._settled()
        if found is None:
            with in_one_line(f"creating endpoint {self._name}"):
                self._client.create_endpoint(**request)
        elif found["EndpointStatus"] != IN_SERVICE:
            raise RecommenderError(f"{problem(found)}; delete it first with `recommender stop`")
        elif found["EndpointConfigName"] != request["EndpointConfigName"]:
            with in_one_line(f"updating endpoint {self._name}"):
                self._client.update_endpoint(**request)

    def delete(self) -> None:
        """Delete it and wait until it is gone; nothing where there is none."""
        if self._settled() is None:
            return
        with in_one_line(f"deleting endpoint {self._name}"):
            self._client.delete_endpoint(EndpointName=self._name)
        self._settled()

    def delete_made(self, models: list[str], configs: list[str]) -> None:
        """Delete configurations and models; those that are gone already are no error."""
        for name in configs:
            self._found(self._client.delete_endpoint_config, EndpointConfigName=name)
        for name in models:
            self._found(self._client.delete_model, ModelName=name)

    def _make(self, kind: str, request: dict[str, Any], key: str) -> bool:
        describe = getattr(self._client, f"describe_{kind}")
        if self._found(describe, **{key: request[key]}) is not None:
            return False
        with in_one_line(f"creating {request[key]}"):
            getattr(self._client, f"create_{kind}")(**request)
        return True

    def _settled(self) -> dict[str, Any] | None:
        """What SageMaker says of it when it has ended what it is at."""
        deadline = time.monotonic() + self._wait_seconds
        while (found := self.describe()) is not None and found["EndpointStatus"] in BUSY:
            if time.monotonic() > deadline:
                status = found["EndpointStatus"]
                raise RecommenderError(
                    f"endpoint {self._name} is still {status} after {self._wait_seconds:g} seconds "
                    "(deployment.wait_seconds)"
                )
            time.sleep(POLL_SECONDS)
        return found

    def _found(self, call: Callable[..., dict[str, Any]], **arguments: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        with in_one_line(f"SageMaker, {' '.join(arguments.values())}"):
            try:
                return call(**arguments)
            except ClientError as error:
                if is_missing(error):
                    return None
                raise


def problem(found: dict[str, Any]) -> str:
    """What is wrong with a described endpoint, in SageMaker's words."""
    reason = " ".join(found.get("FailureReason", "SageMaker gives no reason").split())
    name, status, config = (found[f"Endpoint{key}"] for key in ("Name", "Status", "ConfigName"))
    return f"endpoint {name} is {status} with {config}: {reason}"
