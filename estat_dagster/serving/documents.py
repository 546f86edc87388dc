"""What a GraphQL document would do, told from its syntax: nothing is executed."""

from __future__ import annotations

import functools
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

MOST_TOKENS, MOST_LETTERS = 20_000, 200_000


def operations(document: object) -> frozenset[OperationType] | None:
    """Return the kinds of operations that a document holds, whichever of them would be run; None: it is none."""
    return _operations(document) if isinstance(document, str) else None


@functools.lru_cache(maxsize=128)
def _operations(document: str) -> frozenset[OperationType] | None:
    """Return the operations of a document; the web UI asks with the same ones again and again, some of them long."""
    try:
        tree = parse(document, no_location=True, max_lexical_tokens=MOST_TOKENS, max_source_length=MOST_LETTERS)
    except (GraphQLError, RecursionError):
        return None
    return frozenset(node.operation for node in tree.definitions if isinstance(node, OperationDefinitionNode))


def is_reading(document: object) -> bool:
    """Whether a document only reads; a document that cannot be understood does not."""
    found = operations(document)
    return found is not None and OperationType.MUTATION not in found


def document_of(body: Any) -> object:
    """Return the document of a request's JSON; a list of requests, and a name instead of a document, have none."""
    return body.get("query") if isinstance(body, dict) else None
