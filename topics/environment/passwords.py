"""A password that may be replaced in its file while the process runs."""

from typing import Self

from topics.environment import reader
from topics.environment.sections import KafkaSection


class Password(str):  # noqa: SLOT000 - it has attributes, and is made once
    """Kafka's password as it was when a client was made; `now` is what its file holds by now."""

    _section: KafkaSection
    _last: str

    @classmethod
    def of(cls, section: KafkaSection) -> Self:
        """Return the password of the settings by now; an empty one where there is none."""
        read = section.sasl_password.get_secret_value() if section.sasl_password is not None else ""
        found = cls(reader.current(section, "sasl_password") or read)
        found._section, found._last = section, str(found)
        return found

    @property
    def now(self) -> str:
        """The password for a new connection."""
        self._last = reader.current(self._section, "sasl_password") or self._last
        return self._last
