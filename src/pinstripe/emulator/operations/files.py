"""Uploaded files: their name and size; their content is not stored.

https://docs.stripe.com/file-upload
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.file_links import create_file_link
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_param

FILE_TYPES = ("csv", "docx", "gif", "jpg", "pdf", "png", "svg", "txt", "xls", "xlsx")


@operation("files.create")
def create(context: OperationContext) -> Object:
    """Create a file, and a link to it if ``file_link_data`` requires it."""
    state, upload = context.state, context.upload
    if upload is None:
        raise missing_param("file")
    extension = upload.name.rpartition(".")[2].lower()
    file = state.draft("file")
    file.update(
        filename=upload.name,
        purpose=context.params["purpose"],
        size=len(upload.content),
        title=None,
        type=extension if extension in FILE_TYPES else None,
        url=f"{state.base_url}/v1/files/{file['id']}/contents",
        expires_at=None,
    )
    state.objects.add(file)
    state.events.emit("created", file)
    if (link_data := context.params.get("file_link_data")) and link_data.get("create"):
        create_file_link(state, file["id"], link_data)
    return file
