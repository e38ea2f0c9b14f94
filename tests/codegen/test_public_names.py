"""The list of public names: what is on it, and what happens when one disappears."""

from __future__ import annotations

from pathlib import Path

import pytest

import pinstripe
from codegen import public_names
from codegen.renames import Tree, entries, table


def tree(root: Path, **files: str) -> Path:
    """Create a source tree of these modules; two underscores in a name stand for a slash."""
    for name, text in files.items():
        path = root / "src/pinstripe" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


# --- which names are public -------------------------------------------------------------------------------------------


def test_classes_functions_and_aliases_of_public_modules_are_public(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        money="from x import y\n\nclass Amount: ...\ndef add(): ...\nUnit: str = 'cent'\n_hidden = 1\ndef _add(): ...\n",
        _private="class Nothing: ...\n",
        models__customer="class Customer: ...\n",
        models___index="class Index: ...\n",
    )
    assert public_names.of_tree(root) == {
        "pinstripe.money.Amount",
        "pinstripe.money.Unit",
        "pinstripe.money.add",
        "pinstripe.models.Customer",
    }


def test_what_a_module_exports_is_public(tmp_path: Path) -> None:
    assert public_names.of_tree(tree(tmp_path, money='__all__ = ["a"]\n\ndef b(): ...\n')) == {"pinstripe.money.a"}


def test_the_methods_of_services_are_public(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        resources__tax='class Tax(Resource):\n    """`client.tax`: ..."""\n    ids = service(Ids)\n    list = page("/v1/tax")\n',
    )
    assert public_names.of_tree(root) == {"client.tax.list"}


def test_the_list_has_models_params_methods_events_and_modules_written_by_hand() -> None:
    names = public_names.listed()
    assert {
        "client.checkout.sessions.create",
        "pinstripe.Client",
        "pinstripe.errors.CardError",
        "pinstripe.events.InvoicePaidEvent",
        "pinstripe.models.Customer",
        "pinstripe.models.ListObject",
        "pinstripe.params.SubscriptionUpdateParamsItemPriceData",
        "pinstripe.webhooks.construct_event",
    } <= names
    assert {f"client.{item.service}.{item.method}" for item in pinstripe.endpoints()} <= names


def test_the_list_is_sorted_and_up_to_date() -> None:
    lines = public_names.LIST.read_text().splitlines()
    assert lines == sorted(set(lines))
    names = public_names.of_tree(public_names.ROOT)
    assert public_names.differences(names, set(lines), public_names.gone()) == public_names.Differences((), (), ())


# --- when a name disappears -------------------------------------------------------------------------------------------


class Copy:
    """A source tree with a list of its names and an empty table of breaking changes."""

    def __init__(self, root: Path) -> None:
        self.root, self.listing, self.table = root, root / "public_names.txt", root / "breaking.yaml"
        self.table.write_text("")
        self.listing.write_text("")
        self.update("class Amount: ...\nclass Price: ...\n")

    def update(self, source: str) -> public_names.Differences:
        tree(self.root, money=source)
        return public_names.update(self.root, self.listing, self.table)

    @property
    def listed(self) -> set[str]:
        return public_names.listed(self.listing)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_new_name_comes_onto_the_list(copy: Copy) -> None:
    assert copy.update("class Amount: ...\nclass Price: ...\nclass Rate: ...\n").new == ("pinstripe.money.Rate",)
    assert copy.listed == {"pinstripe.money.Amount", "pinstripe.money.Price", "pinstripe.money.Rate"}


def test_a_name_that_disappears_stays_on_the_list_until_it_is_explained(copy: Copy) -> None:
    for _ in range(2):
        assert copy.update("class Amount: ...\n").unexplained == ("pinstripe.money.Price",)
    copy.table.write_text('"1.0.0":\n  pinstripe.money:\n    Price: Amount\n')
    assert copy.update("class Amount: ...\n") == public_names.Differences((), ("pinstripe.money.Price",), ())
    assert copy.listed == {"pinstripe.money.Amount"}


def test_the_table_has_full_names_by_version(copy: Copy) -> None:
    copy.table.write_text('"1.0.0":\n  pinstripe.money:\n    Price: Amount\n')
    assert public_names.breaking(copy.table) == {"1.0.0": {"pinstripe.money.Price": "Amount"}}


def test_what_the_table_says_is_gone_is_gone_and_what_it_names_is_there() -> None:
    names = public_names.listed()
    words = {name.rpartition(".")[2] for name in names}
    for result in public_names.breaking().values():
        assert not names & result.keys()
        for text in result.values():
            if text.startswith("pinstripe."):
                assert text in names
            elif text[0].isupper():  # class names; else it is a reason
                assert set(text.partition(" and ")[0].split(", ")) <= words


# --- the table of a new version ---------------------------------------------------------------------------------------


def test_old_names_are_matched_by_the_places_where_they_stand(tmp_path: Path) -> None:
    before = tree(
        tmp_path / "old",
        resources__gadgets='create = post("/v1/gadgets", "Gadget", "GadgetCreateParams")\n',
        models__gadget="class Gadget:\n    home: Place\n    front: Shape\n    back: Shape\n",
        models__parts="class Place: ...\nclass Shape: ...\nclass Relic: ...\nKind = Literal['a']\n",
        params__gadgets="class GadgetCreateParams:\n    home: PlaceParams | None\n",
        params__common="class PlaceParams: ...\n",
        call="class Call: ...\ndef sign(): ...\n",
    )
    after = tree(
        tmp_path / "new",
        resources__gadgets='create = post("/v1/gadgets", "Gadget", "GadgetCreateParams", "home")\n',
        models__gadget="class Gadget:\n    home: GadgetHome\n    front: GadgetFront\n    back: GadgetBack\n"
        "class GadgetHome: ...\nclass GadgetFront: ...\nclass GadgetBack: ...\n",
        params__gadgets="class GadgetCreateParams:\n    home: GadgetCreateParamsHome\nclass GadgetCreateParamsHome: ...\n",
        webhooks="def sign(): ...\n",
    )
    result = entries(Tree(before), Tree(after))
    assert result == {
        "pinstripe.call.Call": "private",
        "pinstripe.call.sign": "pinstripe.webhooks.sign",
        "pinstripe.models.Place": "GadgetHome",
        "pinstripe.models.Relic": "no longer described",
        "pinstripe.models.Shape": "GadgetBack, GadgetFront",
        "pinstripe.params.PlaceParams": "GadgetCreateParamsHome",
    }
    assert list(table(result))[:2] == ["  pinstripe.call:", "    Call: private"]
