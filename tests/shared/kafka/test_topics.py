"""What the topics are made with."""

from arrears.shared.kafka.topics import FOR_EVER, MS_PER_DAY, event_topic, feed_topic, wanted_config


def test_the_feed_is_forgotten_within_a_day_of_its_retention() -> None:
    """A record goes with its whole segment, and one of a broker's default takes in a week."""
    feed = wanted_config(feed_topic(4, 2).retention_ms, 1)
    assert (feed["retention.ms"], feed["segment.ms"]) == (str(2 * MS_PER_DAY), str(MS_PER_DAY))


def test_events_are_kept_for_ever() -> None:
    events = wanted_config(event_topic("intake").retention_ms, 1)
    assert events["retention.ms"] == str(FOR_EVER)
    assert "segment.ms" not in events
