"""XML from strangers: well-formed or refused, no entities, no files, no network, no huge trees."""

from __future__ import annotations

from lxml import etree

from collectors.base import CollectError
from store.records import FailureKind

PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    recover=False,
    remove_comments=True,
    remove_pis=True,
)


def parse_xml(body: bytes) -> etree._Element:
    """The root of a UTF-8 document; what stands before its first tag is passed over.

    XMLSyntaxError when it is not well-formed, CollectError when it declares entities.
    """
    if b"<!ENTITY" in body:
        raise CollectError(FailureKind.DRIFT, "a document that declares entities is refused")
    return etree.fromstring(body[max(body.find(b"<"), 0) :], PARSER)
