"""Errors for objects that are used as in the official package: each names the new way. Loaded only to raise one."""

from __future__ import annotations

__all__ = ["model_attribute", "model_item"]

_MODEL_METHODS = {
    "get": 'fields are attributes: read obj.email, or getattr(obj, "email", None), or obj.to_dict().get("email")',
    "keys": "use obj.to_dict().keys()",
    "items": "use obj.to_dict().items()",
    "values": "use obj.to_dict().values()",
    "save": "objects are immutable: call the update method of the service, such as client.customers.update(obj.id, ...)",
    "modify": "call the update method of the service, such as client.customers.update(obj.id, ...)",
    "delete": "call the delete method of the service, such as client.customers.delete(obj.id)",
    "refresh": "call the retrieve method of the service, such as client.customers.retrieve(obj.id)",
    "to_dict_recursive": "use obj.to_dict()",
    "serialize": "use obj.to_dict()",
    "auto_paging_iter": "iterate over the list itself, which yields the items of all pages",
}


def model_attribute(model: str, name: str) -> AttributeError | None:
    """Return the error for a method that objects have in the official package; ``None`` for other names."""
    if name not in _MODEL_METHODS:
        return None
    return AttributeError(f"{model} has no method {name!r}: {_MODEL_METHODS[name]}.")


def model_item(model: str, name: object) -> TypeError:
    """Return the error for reading a field of an object as of a dict."""
    example = name if isinstance(name, str) and name.isidentifier() else "id"
    return TypeError(f"{model} is an object, not a dict: read obj.{example}, or obj.to_dict()[{name!r}].")
