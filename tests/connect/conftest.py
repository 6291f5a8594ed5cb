"""The secured Kafka of these tests."""

from tests.connect.secured import secured

__all__ = ["secured"]
