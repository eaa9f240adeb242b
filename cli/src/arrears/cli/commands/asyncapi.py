"""The AsyncAPI document: every topic, who says what on it, and how a message looks."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from arrears.cli.client.installation import STAGES
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.topics import FOR_EVER, event_topic, feed_topic

CONTENT_TYPE: Final = "application/cloudevents+json"
_TEXT: Final = {"type": "string"}
_ATTRIBUTES: Final[Mapping[str, Any]] = {
    "specversion": {"const": "1.0"},
    "id": _TEXT,
    "source": _TEXT,
    "time": {"type": "string", "format": "date-time"},
}
_OWN_ATTRIBUTES: Final[Mapping[str, Any]] = {
    "subject": {**_TEXT, "description": "Case, loan or borrower."},
    "partitionkey": {**_TEXT, "description": "Borrower; the key of the record."},
    "tenant": _TEXT,
    "stream": _TEXT,
    "streamversion": {"type": "integer", "minimum": 1},
    "prevhash": {**_TEXT, "description": "SHA-256 of the event before it in its stream."},
    "businessday": {"type": "string", "format": "date"},
    "recordedtime": {"type": "string", "format": "date-time"},
    "correlationid": _TEXT,
    "causationid": _TEXT,
}


def asyncapi_text(wire_names: list[str]) -> str:
    """Messages lie in `events/<wire name>.json` beside the document."""
    channels = {FEED_TOPIC: _channel(FEED_TOPIC, wire_names)}
    channels |= {
        f"arrears.{name}.v1": _channel(f"arrears.{name}.v1", wire_names) for name in STAGES
    }
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Arrears",
            "version": "1",
            "description": "What the services may rely on. Every event of a service is on its "
            "topic, whole; those that are not listed here may change faster.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": {
            **{
                f"{name}-says": {
                    "action": "send",
                    "channel": _ref("channels", f"arrears.{name}.v1"),
                }
                for name in STAGES
            },
            "intake-hears-the-bank": {
                "action": "receive",
                "channel": _ref("channels", FEED_TOPIC),
            },
        },
        "components": {"messages": {name: _message(name) for name in wire_names}},
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _channel(topic: str, wire_names: list[str]) -> dict[str, Any]:
    feed = topic == FEED_TOPIC
    prefix = "corebanking." if feed else topic.removesuffix("v1")
    known = feed_topic() if feed else event_topic(topic.split(".")[1])
    return {
        "address": topic,
        "messages": {
            name: _ref("components/messages", name)
            for name in wire_names
            if name.startswith(prefix)
        },
        "bindings": {
            "kafka": {
                **({} if feed else {"partitions": known.partitions}),
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": FOR_EVER if not feed else known.retention_ms,
                },
            }
        },
    }


def _message(name: str) -> dict[str, Any]:
    attributes = {**_ATTRIBUTES, "type": {"const": name}, "data": {"$ref": f"events/{name}.json"}}
    if name.startswith("arrears."):
        attributes |= _OWN_ATTRIBUTES
    return {
        "name": name,
        "contentType": CONTENT_TYPE,
        "payload": {
            "type": "object",
            "properties": attributes,
            "required": sorted(attributes),
        },
    }


def _ref(place: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{place}/{name}"}
