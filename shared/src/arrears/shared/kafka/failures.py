"""Kafka's errors in words that the runtime knows, which may not import a driver.

ConnectionError: try again later. PermissionError and Unfit: somebody must change something.
"""

import asyncio

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from arrears.shared.kafka import chatter


class Unfit(ValueError):
    """The broker, or a topic on it, is not as it must be: somebody must change something."""


class NoTopic(LookupError):
    """The topic is not there."""


_DENIED = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


def is_told_to_stop(error: BaseException) -> bool:
    """Whether we ourselves were cancelled. The library lets cancellations of its own escape."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return not isinstance(error, Exception)


def plain(error: BaseException, doing: str, servers: str) -> Exception:
    """The exception to raise instead of aiokafka's, with what we were doing and where."""
    said = str(error) or type(error).__name__
    if isinstance(error, _DENIED):
        return PermissionError(f"Kafka at {servers} denies {doing}: {said}")
    if isinstance(error, _TOO_LARGE):
        return Unfit(f"{doing}: a record is larger than the broker takes: {said}")
    if isinstance(error, (TimeoutError, asyncio.CancelledError)):
        return ConnectionError(f"Kafka at {servers} does not answer: {doing}")
    if isinstance(error, KafkaConnectionError):
        return ConnectionError(f"Kafka at {servers}, {doing}: {chatter.latest() or said}")
    if isinstance(error, (KafkaError, OSError)):
        return ConnectionError(f"Kafka at {servers}, {doing}: {said}")
    return RuntimeError(f"{doing}: {said}")
