"""Whether the environment that a pod gets is the one that its service reads: no unknown name, no needed one missing."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_settings import BaseSettings

from .documents import NAME, Documents, environment, title, workloads


def known_settings(model: type[BaseSettings]) -> dict[str, bool]:
    """Return the environment names that `model` reads, each with whether it must be set.

    A nested model is walked with the model's own delimiter; what lies in an optional one is optional.
    """
    prefix = model.model_config.get("env_prefix") or ""
    delimiter = model.model_config.get("env_nested_delimiter") or "__"
    return {name.upper(): required for name, required in _walk(model, prefix, delimiter, required=True).items()}


def _walk(model: type[BaseModel], prefix: str, delimiter: str, *, required: bool) -> dict[str, bool]:
    names: dict[str, bool] = {}
    for name, about in model.model_fields.items():
        needed = required and about.is_required()
        nested = _nested(about.annotation)
        if nested is None:
            names[prefix + name] = needed
        else:
            names |= _walk(nested, f"{prefix}{name}{delimiter}", delimiter, required=needed)
    return names


def _nested(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field holds, be it optional or annotated; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return next((found for part in get_args(annotation) if (found := _nested(part))), None)
    return None


def settings_known(documents: Documents, models: dict[str, type[BaseSettings]]) -> list[str]:
    """Every name in a pod's environment is one its service reads, and none that it needs is missing.

    `models` has the settings class of each service by its `app.kubernetes.io/name`.
    """
    found = []
    for workload in workloads(documents):
        known = known_settings(models[workload["metadata"]["labels"][NAME]])
        given = environment(documents, workload).keys()
        found += [
            f"{title(workload)} sets {name}, which the service does not read" for name in sorted(given - known.keys())
        ]
        needed = {name for name, required in known.items() if required}
        found += [f"{title(workload)} does not set {name}" for name in sorted(needed - given)]
    return found
