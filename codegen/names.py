"""The names of classes, by rules: what a Stripe user would say, never the document's own noise, never numbers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from codegen import exceptions, ir, shapes

NOISE = re.compile(
    r"(^|_)(resources?|claim|ungated|common|unimplemented|portal|private|flows|biz|client|primitives|embedded|gelato"
    r"|source_type|legal_entity|with|ds|three_d_secure_details_charge|radar_radar|payment_pages|removals|credited_items"
    r"|payment_method_config|credit_notes|forwarded|insights|line_items_tax_amount|stackable)(_|$)|\|"
)
THIN_EVENT_DATA = re.compile(r"v2\.core\.event:(?:v1\.)?(.*)\.data$")
# How many values make a list long enough for a name of its own.
LONG = 13
GENERIC = {"details", "data", "options", "settings", "item", "value", "values", "info", "config", "fields"}


def words(text: str) -> list[str]:
    """The words of a key: ``billing.credit_grant`` is billing, credit, grant."""
    return [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]


def camel(text: str) -> str:
    """A class name: ``setup_intent`` is ``SetupIntent``."""
    return "".join(word[0].upper() + word[1:] for word in words(text))


def snake(name: str) -> str:
    """A module name: ``SetupIntent`` is ``setup_intent``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def singular(text: str) -> str:
    """The last word made singular: ``line_items`` is ``line_item``."""
    head, last = text[: -len(words(text)[-1])], words(text)[-1]
    if last in exceptions.SINGULARS:
        return head + exceptions.SINGULARS[last]
    for ending, repl in (
        ("ies", "y"),
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("ss", "ss"),
        ("us", "us"),
        ("s", ""),
    ):
        if last.endswith(ending) and len(last) > len(ending) + 1:
            return head + last[: -len(ending)] + repl
    return text


def split(name: str) -> list[str]:
    """The words of a class name: ``SetupIntent`` is Setup, Intent."""
    return re.findall(r"[A-Z][a-z0-9]*|[a-z0-9]+", name)


def join(owner: str, part: str) -> str:
    """The name of a part, without repeating the words in which the owner ends: ``PriceTier`` + ``TierUpTo``."""
    left, right = split(owner), split(part)
    shared = len(split(common_prefix((owner, part))))
    if 1 < shared < len(right):
        right = right[shared:]
    for size in range(min(len(left), len(right) - 1), 0, -1):
        if left[-size:] == right[:size]:
            return "".join(left + right[size:])
    return owner + "".join(right)


def common_prefix(names: Iterable[str]) -> str:
    """The words that all names begin with."""
    found: list[str] = []
    for column in zip(*(split(name) for name in names), strict=False):
        if len(set(column)) > 1:
            break
        found.append(column[0])
    return "".join(found)


@dataclass(frozen=True)
class Use:
    """One place where a part stands: the key of the object around it, and the field."""

    owner: str
    field: str
    many: bool

    @property
    def part(self) -> str:
        return camel(singular(self.field) if self.many else self.field)


def uses(models: dict[str, ir.Model]) -> dict[str, list[Use]]:
    """Where every object stands."""
    found: dict[str, list[Use]] = defaultdict(list)
    for key, model in models.items():
        for item in model.fields:
            many = any(isinstance(part, ir.ListOf | ir.MapOf | ir.PageOf) for part in shapes.parts(item.type))
            for target in dict.fromkeys(shapes.objects(item.type)):
                found[target].append(Use(key, item.name, many))
    return found


class Namer:
    """Gives every model of one kind its name; names once given are never given again."""

    def __init__(self, models: dict[str, ir.Model], suffix: str = "") -> None:
        self.models = models
        self.suffix = suffix
        self.uses = uses(models)
        self.names = {key: model.name.removesuffix(suffix) for key, model in models.items() if model.name}
        self.taken = set(self.names.values())

    def run(self) -> None:
        """Name every model that has no name yet, owners before their parts."""
        for key in self._order():
            if key not in self.names:
                name = next(name for name in self._candidates(key) if name not in self.taken)
                self.names[key] = name
                self.taken.add(name)
        for key, model in self.models.items():
            model.name = model.name or self.names[key] + self.suffix

    def _order(self) -> list[str]:
        """Owners before parts; of parts whose owners are named, those that stand in most places first."""
        waiting = {key: {use.owner for use in self.uses[key]} for key in self.models if key not in self.names}
        done, order = set(self.names), []
        while waiting:
            ready = [key for key, owners in waiting.items() if owners - {key} <= done] or list(waiting)
            ready.sort(key=lambda key: (-len(self.uses[key]), key))
            for key in ready:
                del waiting[key]
            done.update(ready)
            order.extend(ready)
        return order

    def _candidates(self, key: str) -> Iterator[str]:
        places = sorted(self.uses[key], key=lambda use: (len(self.names.get(use.owner, "")), use.owner, use.field))
        owned = [join(self.names[use.owner], use.part) for use in places if use.owner in self.names]
        model = self.models[key]
        fields = {use.field for use in places}
        if len(fields) > 2 and (said := exceptions.SHAPES.get(tuple(sorted(item.name for item in model.fields)))):
            prefix = common_prefix([self.names[use.owner] for use in places if use.owner in self.names])
            yield said
            yield join(prefix, said)
        if model.component and not self.suffix and not NOISE.search(key) and (not owned or len(set(owned)) > 1):
            yield camel(key)
        if len(set(owned)) > 1:
            part = self._part(places)
            prefix = common_prefix([self.names[use.owner] for use in places if use.owner in self.names])
            if prefix:
                yield join(prefix, part)
            elif len(split(part)) > 1 or part in exceptions.PLAIN:
                yield part
        yield from sorted(set(owned), key=lambda name: (len(name), name))
        if model.component:
            yield camel(key)
        yield from (name + "Part" for name in owned)

    def _part(self, places: list[Use]) -> str:
        """What the fields have in common: the words they all end in, or the name that most of them have."""
        reverse = common_prefix("".join(reversed(split(use.part))) for use in places)
        if reverse and reverse.lower() not in GENERIC:
            return "".join(reversed(split(reverse)))
        counted = Counter(use.part for use in places).most_common()
        return min(counted, key=lambda pair: (-pair[1], len(pair[0]), pair[0]))[0]


def name_models(models: dict[str, ir.Model]) -> None:
    """Names of models: resources by their key, parts by where they stand."""
    for key, model in models.items():
        if key in exceptions.MODELS:
            model.name = exceptions.MODELS[key]
        elif match := THIN_EVENT_DATA.match(key):
            model.name = camel(match.group(1)) + "EventData"
        elif shapes.nominal(model):
            deleted = key.startswith("deleted_")
            base = key.removeprefix("deleted_")
            model.name = ("Deleted" if deleted else "") + exceptions.MODELS.get(base, camel(base))
    Namer(models).run()


def name_operation_params(endpoints: Iterable[ir.Endpoint]) -> None:
    """Names of the operations' own parameters: ``customers.create`` takes ``CustomerCreateParams``."""
    with_rows = {endpoint.service for endpoint in endpoints}
    for endpoint in endpoints:
        steps = endpoint.service.split(".")
        paths = [".".join(steps[: index + 1]) for index in range(len(steps))]
        nouns = [singular(step) if path in with_rows else step for step, path in zip(steps, paths, strict=True)]
        endpoint.params_name = join("".join(camel(noun) for noun in nouns), camel(endpoint.method)) + "Params"


def name_params(params: dict[str, ir.Model]) -> None:
    """Names of the shapes inside parameters: by where they stand."""
    Namer(params, "Params").run()


def name_values(models: dict[str, ir.Model]) -> dict[ir.Enum, str]:
    """Names of the long lists of values, by the field that holds them."""
    places: dict[ir.Enum, list[tuple[str, str]]] = defaultdict(list)
    for model in models.values():
        for item in model.fields:
            many = any(isinstance(part, ir.ListOf) for part in shapes.parts(item.type))
            field = camel(singular(item.name) if many else item.name)
            for part in shapes.parts(item.type):
                if isinstance(part, ir.Enum) and len(part.values) >= LONG:
                    places[part].append((model.name.removesuffix("Params"), field))
    taken = {model.name for model in models.values()}
    found: dict[ir.Enum, str] = {}
    for kind, stands in sorted(places.items(), key=lambda pair: (-len(pair[1]), pair[1])):
        fields, owners = {field for _, field in stands}, [owner for owner, _ in stands]
        plain = [fields.copy().pop()] if len(fields) == len(fields & {fields.copy().pop()}) and len(stands) > 1 else []
        named = [name for name in plain if len(split(name)) > 1]
        prefix = common_prefix(owners)
        options = [
            *named,
            *(join(prefix, name) for name in plain if prefix),
            *(join(*stand) for stand in sorted(stands)),
        ]
        found[kind] = next(name for name in options if name not in taken)
        taken.add(found[kind])
    return found
