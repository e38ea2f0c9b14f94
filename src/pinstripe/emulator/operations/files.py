"""Files, links to them, and what else is handed over: reports, keys. https://docs.stripe.com/file-upload"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Secret
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param

TYPES = ("csv", "docx", "gif", "jpg", "pdf", "png", "svg", "txt", "xls", "xlsx")


@operation("files.create")
def create(context: OperationContext) -> Object:
    """Keep a file: its name and size; what is in it is not needed."""
    state, upload = context.state, context.upload
    if upload is None:
        raise missing_param("file")
    ending = upload.name.rpartition(".")[2].lower()
    made = state.draft("file")
    made.update(
        filename=upload.name,
        purpose=context.params["purpose"],
        size=len(upload.content),
        title=None,
        type=ending if ending in TYPES else None,
        url=f"{state.base_url}/v1/files/{made['id']}/contents",
        expires_at=None,
    )
    state.objects.add(made)
    state.events.emit("created", made)
    if (data := context.params.get("file_link_data")) and data.get("create"):
        _link(state, made["id"], data)
    return made


def _link(state: AccountState, file: str, params: Object) -> Object:
    expires = params.get("expires_at")
    link = state.create(
        "file_link", params, file=file, expired=False, expires_at=state.clock.now() if expires == "now" else expires
    )
    state.objects.update(link, url=f"{state.base_url}/links/{link['id']}", expired=expires == "now")
    return link


@operation("file_links.create")
def create_link(context: OperationContext) -> Object:
    """An address of a file that everybody can open."""
    file = context.state.objects.get("file", context.params["file"], "file")
    return _link(context.state, file["id"], context.params)


@operation("file_links.update")
def update_link(context: OperationContext) -> Object:
    """Let a link expire, at once or later."""
    state, params = context.state, dict(context.params)
    link = state.objects.get("file_link", context.target_id)
    fields: Object = {}
    if params.get("expires_at") == "now":
        params.pop("expires_at")
        fields = {"expires_at": state.clock.now(), "expired": True}
    return state.apply_update(link, params, **fields)


@includable("file", "links")
def links(state: AccountState, file: Object) -> Object:
    """The links to a file."""
    data = list(state.objects.all("file_link", file=file["id"]))
    return embedded_list(data, f"/v1/file_links?file={file['id']}")


@operation("reporting.report_runs.create")
def run_report(context: OperationContext) -> Object:
    """A report, done at once; its file is empty."""
    state, params = context.state, context.params
    run = state.draft("reporting.report_run", {"report_type": params["report_type"]})
    file = state.create(
        "file", None, filename=f"{run['id']}.csv", purpose="finance_report_run", size=0, type="csv", expires_at=None
    )
    run["parameters"] |= {
        name: value for name, value in (params.get("parameters") or {}).items() if name in run["parameters"]
    }
    run.update(
        status="succeeded", succeeded_at=state.clock.now(), result=file, report_type=params["report_type"], error=None
    )
    state.objects.add(run)
    state.events.emit("succeeded", run)
    return run


@operation("ephemeral_keys.create", "ephemeral_keys.delete")
def ephemeral(context: OperationContext) -> Object:
    """A key of a customer's, for an hour."""
    state = context.state
    if context.endpoint.verb == "DELETE":
        found = state.objects.find("ephemeral_key", context.target_id)
        if found is None:
            raise missing_object("ephemeral_key", context.target_id)
        state.objects.remove(found)
        return found
    if not context.params.get("customer") and not context.params.get("issuing_card"):
        raise missing_param("customer")
    made = state.draft("ephemeral_key")
    made.update(expires=state.clock.now() + 3600, secret=f"ek_test_{state.new_id('secret', 32)}")
    made.pop("associated_objects", None)
    return state.objects.add(made)


@operation("apps.secrets.find", "apps.secrets.delete_where")
def app_secret(context: OperationContext) -> Object:
    """A secret of an app, by its name and scope: shown, or deleted."""
    state, params = context.state, context.params
    wanted = {name: value for name, value in params["scope"].items() if value is not None}
    for found in state.objects.all("apps.secret", name=params["name"]):
        if all(found["scope"].get(name) == value for name, value in wanted.items()):
            if context.endpoint.verb == "GET":
                return (
                    {**found, "payload": payload(state, found)} if "payload" in (params.get("expand") or []) else found
                )
            state.objects.remove(found)
            return {**found, "deleted": True}
    raise missing_object("secret", params["name"])


@operation("apps.secrets.create")
def create_app_secret(context: OperationContext) -> Object:
    """Keep a secret of an app; one of the same name and scope is replaced."""
    state, params = context.state, context.params
    for found in list(state.objects.all("apps.secret", name=params["name"])):
        if found["scope"]["type"] == params["scope"]["type"] and found["scope"].get("user") == params["scope"].get(
            "user"
        ):
            state.objects.remove(found)
    made = state.draft("apps.secret", {name: value for name, value in params.items() if name != "payload"})
    made.pop("deleted", None)
    made.pop("payload", None)
    state.tables.app_secrets.set(made["id"], Secret(params["payload"]))
    return state.objects.add(made)


@includable("apps.secret", "payload")
def payload(state: AccountState, secret: Object) -> str | None:
    """What is secret."""
    row = state.tables.app_secrets.get(secret["id"])
    return row.text if row else None


@list_filter("apps.secret", "scope")
def _is_in_scope(secret: Object, scope: Object) -> bool:
    return all(secret["scope"].get(name) == value for name, value in scope.items() if value is not None)


@list_filter("radar.value_list", "contains")
def _contains(found: Object, part: str) -> bool:
    return any(part in item["value"] for item in found["list_items"]["data"])


@operation("radar.value_lists.delete")
def delete_value_list(context: OperationContext) -> Object:
    """Delete a list of values, and what is in it."""
    state = context.state
    found = state.objects.get("radar.value_list", context.target_id)
    for item in list(state.objects.all("radar.value_list_item", value_list=found["id"])):
        state.objects.mark_deleted(item)
    return state.objects.mark_deleted(found)


@operation("radar.value_lists.create")
def create_value_list(context: OperationContext) -> Object:
    """A list of values; its alias is its own."""
    state, params = context.state, context.params
    if any(True for _ in state.objects.all("radar.value_list", alias=params["alias"])):
        raise ErrorResponse(
            "A value list with that alias exists already.", code="resource_already_exists", param="alias"
        )
    made = state.draft("radar.value_list", params)
    made.update(created_by="owner@example.com", item_type=params.get("item_type", "string"))
    made["list_items"]["url"] = f"/v1/radar/value_list_items?value_list={made['id']}"
    return state.objects.add(made)


@operation("radar.value_list_items.create")
def create_value(context: OperationContext) -> Object:
    """A value in a list, once."""
    state, params = context.state, context.params
    values = state.objects.get("radar.value_list", params["value_list"], "value_list")
    if any(True for _ in state.objects.all("radar.value_list_item", value_list=values["id"], value=params["value"])):
        raise ErrorResponse("The value is in the list already.", code="resource_already_exists", param="value")
    item = state.create("radar.value_list_item", params, created_by="owner@example.com")
    items = values["list_items"]
    state.objects.update(values, list_items={**items, "data": [item, *items["data"]]})
    return item
