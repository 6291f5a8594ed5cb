"""`bridge doctor` asks the mail server for what the workers will ask it."""

import pytest

from bridge import settings
from bridge.cli.examine import mail as examined
from bridge.cli.examine.finding import Status
from tests.servers.fixtures import Mail


@pytest.mark.parametrize(
    ("query", "expected"), [("", Status.OK), ("?starttls=no", Status.OK), ("?starttls", Status.FAIL)]
)
async def test_a_server_without_tls_is_well_only_where_the_workers_do_not_insist_on_it(
    mail: Mail, query: str, expected: Status
) -> None:
    (found,) = await examined.examine(settings.load({"WORKERS_SMTP_URL": f"{mail.url}{query}"}))
    assert found.status is expected
