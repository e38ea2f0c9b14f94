"""The documentation of classes, fields, parameters and methods, as the text of docstrings."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Mapping

from codegen import docs, names, spec
from codegen.places import Place

WIDTH = 100
DEPRECATED = "Deprecated:"


class Writer:
    """Finds what is written about a place, and lays it out as a docstring."""

    def __init__(self, api: spec.Api, documentation: docs.Documentation) -> None:
        self.api = api
        self.lookup = docs.Lookup(documentation, api)

    def object(self, schema: str) -> str:
        """Return the docstring of the model of an object, with the page of Stripe's reference."""
        summary = self.lookup.schema(schema)
        fallback = f"A `{self.api.schemas[schema].original}` object."
        if schema.startswith(spec.DELETED):
            return f"What is returned for a deleted `{self.api.schemas[schema].original}`."
        link = self._page(schema)
        return paragraphs(summary.text if summary else fallback, link)

    def component(self, component: str) -> str:
        """Return the docstring of a class that several objects share."""
        summary = self.lookup.schema(component)
        return paragraphs(summary.text if summary else f"A `{component}`.")

    def field(self, schema: str, path: str) -> str:
        """Return the docstring of a field."""
        result = self.lookup.field(schema, path)
        place = self.lookup.fields(schema).get(path)
        return self._place(result.text if result else "", self.lookup.field_values(schema, path), place)

    def param(self, operation: str, path: str) -> str:
        """Return the docstring of a parameter."""
        result = self.lookup.param(operation, path)
        place = self.lookup.params(operation).get(path)
        return self._place(result.text if result else "", self.lookup.param_values(operation, path), place)

    def event_field(self, event: str, path: str) -> str:
        """Return the docstring of a field of a thin event's data."""
        result = self.lookup.event_field(event, path)
        return paragraphs(result.text if result else "")

    def event(self, event: str) -> str:
        """Return the docstring of the class of an event type."""
        summary = self.lookup.event(event)
        link = "" if event in self.api.thin_events else f"https://docs.stripe.com/api/events/types#event_types-{event}"
        return paragraphs(summary.text if summary else f"A `{event}` event.", link)

    def service(self, service: str) -> str:
        """Return the docstring of a service: what the object is that it is about, with the page of Stripe's reference."""
        for operation in self.api.operations.values():
            about = self.api.resources[operation.name]
            if operation.service == service and about and (summary := self.lookup.schema(about)):
                return paragraphs(summary.text, reference(service))
        return paragraphs(f"The service `client.{service}`.", reference(service))

    def method(self, operation: spec.Operation, method: str, link: str, required: Iterable[spec.Field]) -> str:
        """Return the docstring of the method of an operation: summary, arguments, expandable fields, errors, link."""
        summary = self.lookup.operation(operation.name)
        text = summary.text if summary else f"Call `{operation.verb} {names.path(operation.path)}`."
        if operation.deprecated and not text.startswith(DEPRECATED):
            text = f"{DEPRECATED} {text}"
        lines = [paragraphs(text), f"`{operation.verb} {names.path(operation.path)}` {link}"]
        arguments = [self._argument(operation, name) for name in operation.path_params]
        arguments += [self._parameter(operation, item) for item in required]
        arguments.append(("request_options", "Idempotency key, account and other options of this request."))
        lines.append("Args:\n" + "\n".join(itertools.starmap(_entry, in_search_order(arguments))))
        if expandable := self._expandable(operation):
            within = "data." if operation.is_list else ""
            lines.append(wrap("Expandable: " + ", ".join(f"`{within}{name}`" for name in expandable) + "."))
        if errors := self._errors(operation):
            lines.append("Raises:\n" + "\n".join(errors))
        return "\n\n".join(line for line in lines if line)

    def deprecation(self, operation: spec.Operation) -> str:
        """Return what checkers and editors say about calling a deprecated operation: the first sentence about it."""
        summary = self.lookup.operation(operation.name)
        if summary is None or not summary.text.startswith(DEPRECATED):
            return "Stripe has deprecated this operation."
        sentence, point, _ = summary.text.removeprefix(DEPRECATED).strip().partition(". ")
        return sentence[:1].upper() + sentence[1:] + point.strip()

    def _argument(self, operation: spec.Operation, name: str) -> tuple[str, str]:
        segments = operation.path.strip("/").split("/")
        before = segments[segments.index(f"{{{name}}}") - 1]
        subject = names.singular(before) if name == "id" else names.argument(name)
        return names.argument(name), f"ID of the {subject.removesuffix('_id').replace('_', ' ')}."

    def _parameter(self, operation: spec.Operation, item: spec.Field) -> tuple[str, str]:
        text = self.param(operation.name, item.name).split("\n\n")[0].replace("\n", " ")
        limit = spec.max_length(item.type)
        if limit and limit != 5000 and f"{limit:,} char" not in text and not isinstance(item.type, spec.Object):
            text = f"{text} At most {limit:,} characters.".strip()
        return names.safe(item.name), text

    def _expandable(self, operation: spec.Operation) -> list[str]:
        if not any(item.name == "expand" for item in operation.params):
            return []
        result: dict[str, None] = {}
        for name in spec.references(operation.returns):
            for item in self.api.schemas[name].fields:
                if any(isinstance(part, spec.Expandable) for part in spec.parts(item.type)):
                    result[item.name] = None
        return list(result)

    def _errors(self, operation: spec.Operation) -> list[str]:
        errors = []
        if operation.name in CHARGES:
            errors.append(_entry("CardError", "The payment was declined; `decline_code` has the reason."))
        reason = "A parameter is invalid" + (", or an object does not exist." if operation.path_params else ".")
        errors.append(_entry("InvalidRequestError", reason))
        if codes := [code.removeprefix("v2.error.") for code in operation.errors if code != "v2.error"]:
            errors.append(_entry("StripeError", "Codes: " + ", ".join(f"`{code}`" for code in codes) + "."))
        return errors

    def _place(self, text: str, values: Mapping[str, docs.Sentence], place: Place | None) -> str:
        if place and place.field.deprecated and not text.startswith(DEPRECATED):
            text = f"{DEPRECATED} {text}".strip()
        allowed = place.values if place else ()  # a table may hold the values of a parameter of the same name, too
        meanings = [_bullet(value, sentence.text) for value, sentence in values.items() if value in allowed]
        return paragraphs(text, "\n".join(meanings))

    def _page(self, schema: str) -> str:
        services = [
            operation.service
            for operation in self.api.operations.values()
            if operation.method in ("retrieve", "create", "list") and schema in spec.references(operation.returns)
        ]
        return reference(min(services, key=lambda name: name.count("."))) + "/object" if services else ""


# The operations that take a payment, so that a card can be declined.
CHARGES = {
    "charges.create",
    "invoices.pay",
    "payment_intents.capture",
    "payment_intents.confirm",
    "payment_intents.create",
    "payment_intents.increment_authorization",
    "payment_methods.attach",
    "setup_intents.confirm",
    "setup_intents.create",
    "subscription_items.create",
    "subscription_items.update",
    "subscriptions.create",
    "subscriptions.resume",
    "subscriptions.update",
}


def reference(service: str) -> str:
    """Return the page of Stripe's reference for a service."""
    return "https://docs.stripe.com/api/" + service.replace(".", "/")


def paragraphs(*texts: str) -> str:
    """Return texts as paragraphs of lines; lists are left as they are."""
    return "\n\n".join(text if text.startswith("- ") else wrap(text) for text in texts if text)


def wrap(text: str, indent: str = "") -> str:
    """Return a text in lines."""
    lines = textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def _bullet(value: str, text: str) -> str:
    return wrap(f"- `{value}`: {text}", "  ")


def in_search_order(entries: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return entries so that `name` comes before `business_name`, else in the order they have.

    Pyright shows of an argument the first line with its name and a colon, wherever in the line they are.
    """
    ordered: dict[str, str] = {}
    waiting = dict(entries)
    for name in list(waiting):
        for other in sorted(waiting, key=len):
            if other not in ordered and (other == name or name.endswith(other)):
                ordered[other] = waiting[other]
    return list(ordered.items())


def _entry(name: str, text: str) -> str:
    return f"    {name}: {text}".rstrip()  # in one line, since editors show only one of an argument
