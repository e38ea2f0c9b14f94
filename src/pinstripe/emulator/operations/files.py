"""Files, links to them, and what else is handed over: reports, keys. https://docs.stripe.com/file-upload"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._lists import embedded, filtered
from pinstripe.emulator.server.requests import Upload
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param

TYPES = ("csv", "docx", "gif", "jpg", "pdf", "png", "svg", "txt", "xls", "xlsx")


@life("files.create")
def create(ask: Ask) -> Object:
    """Keep a file: its name and size; what is in it is not needed."""
    world, upload = ask.world, ask.body
    if not isinstance(upload, Upload):
        raise missing_param("file")
    ending = upload.name.rpartition(".")[2].lower()
    made = world.draft("file")
    made.update(
        filename=upload.name, purpose=ask.params["purpose"], size=len(upload.content), title=None,
        type=ending if ending in TYPES else None, url=f"{world.base}/v1/files/{made['id']}/contents", expires_at=None,
    )  # fmt: skip
    world.keep(made)
    world.emit("created", made)
    if (data := ask.params.get("file_link_data")) and data.get("create"):
        _link(world, made["id"], data)
    return made


def _link(world: World, file: str, params: Object) -> Object:
    expires = params.get("expires_at")
    link = world.make(
        "file_link", params, file=file, expired=False, expires_at=world.now() if expires == "now" else expires
    )
    world.change(link, url=f"{world.base}/links/{link['id']}", expired=expires == "now")
    return link


@life("file_links.create")
def create_link(ask: Ask) -> Object:
    """An address of a file that everybody can open."""
    file = ask.world.get("file", ask.params["file"], "file")
    return _link(ask.world, file["id"], ask.params)


@life("file_links.update")
def update_link(ask: Ask) -> Object:
    """Let a link expire, at once or later."""
    world, params = ask.world, dict(ask.params)
    link = world.get("file_link", ask.target)
    fields: Object = {}
    if params.get("expires_at") == "now":
        params.pop("expires_at")
        fields = {"expires_at": world.now(), "expired": True}
    return world.update(link, params, **fields)


@includable("file", "links")
def links(world: World, file: Object) -> Object:
    """The links to a file."""
    data = list(world.every("file_link", file=file["id"]))
    return embedded(data, f"/v1/file_links?file={file['id']}")


@life("reporting.report_runs.create")
def run_report(ask: Ask) -> Object:
    """A report, done at once; its file is empty."""
    world, params = ask.world, ask.params
    run = world.draft("reporting.report_run", {"report_type": params["report_type"]})
    file = world.make(
        "file", None, filename=f"{run['id']}.csv", purpose="finance_report_run", size=0, type="csv", expires_at=None
    )
    run["parameters"] |= {
        name: value for name, value in (params.get("parameters") or {}).items() if name in run["parameters"]
    }
    run.update(status="succeeded", succeeded_at=world.now(), result=file, report_type=params["report_type"], error=None)
    world.keep(run)
    world.emit("succeeded", run)
    return run


@life("ephemeral_keys.create", "ephemeral_keys.delete")
def ephemeral(ask: Ask) -> Object:
    """A key of a customer's, for an hour."""
    world = ask.world
    if ask.row.verb == "DELETE":
        found = world.objects.get(ask.target)
        if found is None or found["object"] != "ephemeral_key":
            raise missing_object("ephemeral_key", ask.target)
        world.drop(found)
        return found
    if not ask.params.get("customer") and not ask.params.get("issuing_card"):
        raise missing_param("customer")
    made = world.draft("ephemeral_key")
    made.update(expires=world.now() + 3600, secret=f"ek_test_{world.new_id('secret', 32)}")
    made.pop("associated_objects", None)
    return world.keep(made)


@life("apps.secrets.find", "apps.secrets.delete_where")
def app_secret(ask: Ask) -> Object:
    """A secret of an app, by its name and scope: shown, or deleted."""
    world, params = ask.world, ask.params
    wanted = {name: value for name, value in params["scope"].items() if value is not None}
    for found in world.every("apps.secret", name=params["name"]):
        if all(found["scope"].get(name) == value for name, value in wanted.items()):
            if ask.row.verb == "GET":
                return (
                    {**found, "payload": world.hidden.get(f"payload:{found['id']}")}
                    if "payload" in (params.get("expand") or [])
                    else found
                )
            world.drop(found)
            return {**found, "deleted": True}
    raise missing_object("secret", params["name"])


@life("apps.secrets.create")
def create_app_secret(ask: Ask) -> Object:
    """Keep a secret of an app; one of the same name and scope is replaced."""
    world, params = ask.world, ask.params
    for found in list(world.every("apps.secret", name=params["name"])):
        if found["scope"]["type"] == params["scope"]["type"] and found["scope"].get("user") == params["scope"].get(
            "user"
        ):
            world.drop(found)
    made = world.draft("apps.secret", {name: value for name, value in params.items() if name != "payload"})
    made.pop("deleted", None)
    made.pop("payload", None)
    world.hide(f"payload:{made['id']}", params["payload"])
    return world.keep(made)


@includable("apps.secret", "payload")
def payload(world: World, secret: Object) -> str | None:
    """What is secret."""
    found: str | None = world.hidden.get(f"payload:{secret['id']}")
    return found


@filtered("apps.secret", "scope")
def _is_in_scope(secret: Object, scope: Object) -> bool:
    return all(secret["scope"].get(name) == value for name, value in scope.items() if value is not None)


@filtered("radar.value_list", "contains")
def _contains(found: Object, part: str) -> bool:
    return any(part in item["value"] for item in found["list_items"]["data"])


@life("radar.value_lists.delete")
def delete_value_list(ask: Ask) -> Object:
    """Delete a list of values, and what is in it."""
    world = ask.world
    found = world.get("radar.value_list", ask.target)
    for item in list(world.every("radar.value_list_item", value_list=found["id"])):
        world.bury(item)
    return world.bury(found)


@life("radar.value_lists.create")
def create_value_list(ask: Ask) -> Object:
    """A list of values; its alias is its own."""
    world, params = ask.world, ask.params
    if any(True for _ in world.every("radar.value_list", alias=params["alias"])):
        raise Refusal("A value list with that alias exists already.", code="resource_already_exists", param="alias")
    made = world.draft("radar.value_list", params)
    made.update(created_by="owner@example.com", item_type=params.get("item_type", "string"))
    made["list_items"]["url"] = f"/v1/radar/value_list_items?value_list={made['id']}"
    return world.keep(made)


@life("radar.value_list_items.create")
def create_value(ask: Ask) -> Object:
    """A value in a list, once."""
    world, params = ask.world, ask.params
    values = world.get("radar.value_list", params["value_list"], "value_list")
    if any(True for _ in world.every("radar.value_list_item", value_list=values["id"], value=params["value"])):
        raise Refusal("The value is in the list already.", code="resource_already_exists", param="value")
    item = world.make("radar.value_list_item", params, created_by="owner@example.com")
    items = values["list_items"]
    world.change(values, list_items={**items, "data": [item, *items["data"]]})
    return item
