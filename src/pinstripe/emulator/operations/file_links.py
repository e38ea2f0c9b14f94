"""Links to files, which anyone can open.

https://docs.stripe.com/api/file_links
"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object


def create_file_link(state: AccountState, file_id: str, params: Object) -> Object:
    """Create a link to a file."""
    expires_at = params.get("expires_at")
    expired = expires_at == "now"
    link = state.create(
        "file_link",
        params,
        file=file_id,
        expired=expired,
        expires_at=state.clock.now() if expired else expires_at,
    )
    state.objects.update(link, url=f"{state.base_url}/links/{link['id']}")
    return link


@operation("file_links.create")
def create(context: OperationContext) -> Object:
    """Create a link to a file."""
    file = context.state.objects.get("file", context.params["file"], "file")
    return create_file_link(context.state, file["id"], context.params)


@operation("file_links.update")
def update(context: OperationContext) -> Object:
    """Change a link; ``expires_at`` may be ``now``."""
    state, params = context.state, dict(context.params)
    link = state.objects.get("file_link", context.target_id)
    fields: Object = {}
    if params.get("expires_at") == "now":
        params.pop("expires_at")
        fields = {"expires_at": state.clock.now(), "expired": True}
    return state.apply_update(link, params, **fields)


@includable("file", "links")
def links_of_file(state: AccountState, file: Object) -> Object:
    """Return the links to a file."""
    links = list(state.objects.all("file_link", file=file["id"]))
    return embedded_list(links, f"/v1/file_links?file={file['id']}")
