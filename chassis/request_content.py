"""The keyed digest of a request's content, by which a repeated request_id is known to be the same request."""

from google.protobuf.message import Message


def content(method: str, request: Message) -> bytes:
    """Return what is put under the index key: the method and the request, without why and by which id it was sent."""
    bare = type(request)()
    bare.CopyFrom(request)
    for field in ("access", "request_id"):
        if field in bare.DESCRIPTOR.fields_by_name:  # an item of a batch has neither
            bare.ClearField(field)
    return b"request|" + method.encode() + b"|" + bare.SerializeToString(deterministic=True)
