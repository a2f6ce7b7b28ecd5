"""UUIDs of names as texts: the library's own, whatever the namespace and the name."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from cone.kit.uuids import uuid5_text


@given(namespace=st.uuids(), name=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_it_is_the_librarys(namespace: UUID, name: str) -> None:
    assert uuid5_text(namespace.bytes, name) == str(uuid5(namespace, name))
