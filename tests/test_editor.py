"""Completions and documentation in editors: pyright's language server and jedi, with a wheel and an editable install."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jedi
import pytest
from jedi.api.classes import Completion
from jedi.api.environment import Environment

from pinstripe._field_docs import field_docs
from pinstripe.models import Subscription
from pinstripe.params import CustomerCreateParams, SubscriptionCreateParamsItem, SubscriptionUpdateParams
from tests.installs import ROOT, environment
from tests.language_server import LanguageServer

__all__ = ["environment"]  # a fixture
HEAD = """
import pinstripe

client = pinstripe.Client("sk_test_x")
sub = client.subscriptions.retrieve("sub_1")
event = pinstripe.webhooks.construct_event(b"", "", "")
"""


@pytest.fixture(scope="module")
def editor(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    with LanguageServer(tmp_path_factory.mktemp("editor"), environment) as server:
        yield server


def source(path: Path) -> str:
    """Return the path of a module or stub inside the package."""
    parts = path.parts
    folder = max(index for index, part in enumerate(parts) if part in ("pinstripe", "pinstripe-stubs"))
    return "/".join(parts[folder + 1 :])


# --- completion -------------------------------------------------------------------------------------------------------


def test_the_services_of_a_client_are_completed_with_their_documentation(editor: LanguageServer) -> None:
    result = editor.complete(HEAD + "client.|")
    assert {"customers", "invoices", "subscriptions", "v2", "request", "with_options"} <= result.keys()
    assert "https://docs.stripe.com/api/customers" in editor.documentation(result["customers"])


def test_the_methods_of_a_service_are_completed_with_their_parameters_and_documentation(editor: LanguageServer) -> None:
    result = editor.complete(HEAD + "client.customers.|")
    assert {"create", "delete", "list", "retrieve", "search", "tax_ids", "update"} <= result.keys()
    shown = editor.documentation(result["create"])
    assert "email: str = ..." in shown
    assert "https://docs.stripe.com/api/customers/create" in shown


def test_the_parameters_of_a_method_are_completed(editor: LanguageServer) -> None:
    result = editor.complete(HEAD + "client.customers.create(|)")
    assert {"email=", "metadata=", "payment_method=", "request_options="} <= result.keys()


def test_the_keys_of_a_nested_dict_are_completed(editor: LanguageServer) -> None:
    result = editor.complete(HEAD + 'client.subscriptions.create(customer="cus_1", items=[{"|"}])')
    assert {'"price"', '"price_data"', '"quantity"'} <= result.keys()
    assert result['"price"']["detail"] == "str"
    deeper = editor.complete(HEAD + 'client.subscriptions.create(customer="cus_1", items=[{"price_data": {"|"}}])')
    assert {'"currency"', '"recurring"', '"unit_amount"'} <= deeper.keys()


def test_the_values_of_a_parameter_are_completed(editor: LanguageServer) -> None:
    result = editor.complete(HEAD + 'client.subscriptions.create(customer="cus_1", proration_behavior="|")')
    assert result.keys() == {'"always_invoice"', '"create_prorations"', '"none"'}


def test_the_values_of_a_field_are_completed_in_a_comparison(editor: LanguageServer) -> None:
    assert {'"active"', '"past_due"', '"trialing"'} <= editor.complete(HEAD + 'sub.status == "|"').keys()
    assert {'"invoice.paid"', '"customer.created"'} <= editor.complete(HEAD + 'event.type == "|"').keys()
    caught = "try: ...\nexcept pinstripe.CardError as error:\n    "
    assert '"card_declined"' in editor.complete(HEAD + caught + 'error.code == "|"')


def test_the_fields_of_the_object_of_an_event_are_completed(editor: LanguageServer) -> None:
    result = editor.complete(HEAD + 'if event.type == "invoice.paid":\n    event.data.object.|')
    assert {"amount_paid", "customer", "lines"} <= result.keys()
    assert "cancel_at_period_end" not in result
    assert "amount_paid: int" in editor.documentation(result["amount_paid"])


# --- hover and signatures ---------------------------------------------------------------------------------------------


def test_hovering_over_a_field_shows_its_type_and_documentation(editor: LanguageServer) -> None:
    kind, _, text = editor.hover(HEAD + "sub.cancel_at_|period_end").partition("\n\n")
    assert kind == "(variable) cancel_at_period_end: bool"
    assert text == field_docs(Subscription)["cancel_at_period_end"]


def test_hovering_over_a_parameter_shows_its_type_and_the_whole_documentation(editor: LanguageServer) -> None:
    call = 'client.subscriptions.update("sub_1", proration_|behavior="none")'
    kind, _, text = editor.hover(HEAD + call).partition("\n\n")
    assert kind == "(parameter) proration_behavior: Literal['always_invoice', 'create_prorations', 'none']"
    written = field_docs(SubscriptionUpdateParams)["proration_behavior"].split("\n\n")[0]
    assert text == f"proration_behavior: {written}".replace("\n", " ")


def test_hovering_over_a_parameter_shows_no_other_parameter_whose_name_ends_the_same(editor: LanguageServer) -> None:
    assert "Up to 256 characters" in editor.hover(HEAD + 'client.customers.create(na|me="Ada")')  # not business_name


def test_hovering_over_a_key_of_a_nested_dict_shows_its_type_and_documentation(editor: LanguageServer) -> None:
    call = 'client.subscriptions.create(customer="cus_1", items=[{"pri|ce": "price_1"}])'
    kind, _, text = editor.hover(HEAD + call).partition("\n\n")
    assert kind == "(key) price: str"
    assert text == field_docs(SubscriptionCreateParamsItem)["price"]


def test_hovering_over_a_method_shows_its_parameters_arguments_and_errors(editor: LanguageServer) -> None:
    shown = editor.hover(HEAD + 'client.subscriptions.up|date("sub_1")')
    assert "cancel_at_period_end: bool = ..." in shown
    assert "Args:\n    subscription: ID of the subscription." in shown
    assert "Raises:\n    CardError:" in shown


def test_the_signature_shows_every_parameter_and_the_documentation_of_the_current_one(editor: LanguageServer) -> None:
    signature = editor.signature(HEAD + "client.customers.create(email=|)")
    assert "https://docs.stripe.com/api/customers/create" in signature["documentation"]["value"]
    shown = {item["label"].partition(":")[0]: item["documentation"]["value"] for item in signature["parameters"]}
    assert {"address", "email", "metadata", "request_options"} <= shown.keys()
    assert shown["email"] == f"email: {field_docs(CustomerCreateParams)['email']}".replace("\n", " ")


# --- definitions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "file", "line"),
    [
        ("client.custom|ers", "resources/__init__.pyi", "customers: Customers"),
        ("client.customers.cre|ate()", "resources/customers.pyi", "def create("),
        ("sub.cancel_at_|period_end", "models/subscription.py", "cancel_at_period_end: bool"),
        ('client.subscriptions.update("sub_1", items=[{"pri|ce": "p"}])', "params/subscriptions.py", "price: str"),
        ("pinstripe.models.Subscrip|tion", "models/subscription.py", "class Subscription(StripeModel):"),
        ("pinstripe.params.CustomerCreate|Params", "params/customers.py", "class CustomerCreateParams("),
        ("pinstripe.events.InvoicePaid|Event", "events.pyi", "class InvoicePaidEvent("),
        ("pinstripe.errors.Card|Error", "errors.py", "class CardError(StripeError):"),
        ("pinstripe.Cli|ent", "_client.py", "class Client("),
    ],
)
def test_the_definition_is_where_the_name_is_written(editor: LanguageServer, place: str, file: str, line: str) -> None:
    result = [(source(path), text) for path, text in editor.definition(HEAD + place)]
    assert any(path == file and text.startswith(line) for path, text in result), result


# --- jedi -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def python(environment: Path) -> Environment:
    return jedi.create_environment(str(environment), safe=False)


def at(python: Environment, program: str) -> tuple[jedi.Script, int, int]:
    """Return a program and the place of the ``|`` in it."""
    before, _, after = program.rpartition("|")
    return jedi.Script(before + after, environment=python), before.count("\n") + 1, len(before.rpartition("\n")[2])


def completed(python: Environment, program: str) -> dict[str, Completion]:
    script, line, column = at(python, program)
    return {result.name: result for result in script.complete(line, column)}


def test_jedi_completes_services_with_their_documentation(python: Environment) -> None:
    result = completed(python, HEAD + "client.|")
    assert {"customers", "invoices", "subscriptions", "v2"} <= result.keys()
    assert "https://docs.stripe.com/api/customers" in result["customers"].docstring()


def test_jedi_completes_methods_with_their_parameters_and_summary(python: Environment) -> None:
    shown = completed(python, HEAD + "client.customers.|")["create"].docstring()
    assert shown.startswith("create(*, address: CustomerCreateParamsAddress | None=...")
    summary = " ".join(shown.rpartition("\n\n")[2].split())
    stub = (ROOT / "stubs/pinstripe-stubs/resources/customers.pyi").read_text()
    assert f'"""{summary}' in " ".join(stub.split())


def test_jedi_completes_fields_with_their_documentation(python: Environment) -> None:
    result = completed(python, HEAD + "sub.cancel_at_period|")
    assert result["cancel_at_period_end"].docstring() == field_docs(Subscription)["cancel_at_period_end"]


def test_jedi_completes_parameters(python: Environment) -> None:
    assert "email=" in completed(python, HEAD + "client.customers.create(ema|")
    assert "delinquent" in completed(python, HEAD + "client.customers.create().delinq|")


def test_jedi_shows_the_signature_with_its_documentation(python: Environment) -> None:
    script, line, column = at(python, HEAD + "client.customers.create(|")
    (signature,) = script.get_signatures(line, column)
    assert {"email", "metadata", "payment_method", "request_options"} <= {param.name for param in signature.params}
    assert "https://docs.stripe.com/api/customers/create" in signature.docstring()
    assert "\n    email: " in signature.docstring()


@pytest.mark.parametrize(
    ("place", "file"),
    [
        ("client.custom|ers", "resources/__init__.pyi"),
        ("client.customers.cre|ate", "resources/customers.py"),
        ("sub.cancel_at_|period_end", "models/subscription.py"),
        ("pinstripe.models.Subscrip|tion", "models/subscription.py"),
        ("pinstripe.events.InvoicePaid|Event", "events.pyi"),
    ],
)
def test_jedi_finds_definitions(python: Environment, place: str, file: str) -> None:
    script, line, column = at(python, HEAD + place)
    (result,) = script.goto(line, column, follow_imports=True)
    assert source(Path(result.module_path)) == file
