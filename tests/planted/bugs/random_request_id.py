"""Each delivery of a command gets a request id of its own."""

import dataclasses
import uuid

from bridge.command import BadRecord, Command, Record, Skipped
from bridge.intake.decode import Decoder
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    decode = Decoder.decode

    def decoded(self: Decoder, record: Record) -> Command | BadRecord | Skipped:
        found = decode(self, record)
        if not isinstance(found, Command):
            return found
        planting.met()
        return dataclasses.replace(found, request_id=str(uuid.uuid4()))

    planting.replace(Decoder, "decode", decoded)
