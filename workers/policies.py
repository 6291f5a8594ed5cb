"""How long each step may take, and how often it is tried."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig

STEP_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=5,
    # Another attempt would meet the same answer.
    non_retryable_error_types=("InvalidCampaignError", "NoAudienceError", "MailRefusedError", "EndpointRefusedError"),
)

UNTIL_KAFKA_TAKES_IT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=0,
)
"""Without end: an outage of Kafka delays a run, it must not fail one."""

ANNOUNCE = ActivityConfig(start_to_close_timeout=timedelta(seconds=45), retry_policy=UNTIL_KAFKA_TAKES_IT)

INVOICE_STEP = ActivityConfig(start_to_close_timeout=timedelta(minutes=1), retry_policy=STEP_RETRIES)

CAMPAIGN_VALIDATE = ActivityConfig(start_to_close_timeout=timedelta(minutes=5), retry_policy=STEP_RETRIES)
CAMPAIGN_RECORD = ActivityConfig(start_to_close_timeout=timedelta(minutes=2), retry_policy=STEP_RETRIES)

# The long ones tell that they are alive, so that a worker that dies is noticed before their time is up.
HEARTBEAT_TIMEOUT = timedelta(seconds=30)
CAMPAIGN_GENERATE = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=15), heartbeat_timeout=HEARTBEAT_TIMEOUT, retry_policy=STEP_RETRIES
)
CAMPAIGN_PUBLISH = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10), heartbeat_timeout=HEARTBEAT_TIMEOUT, retry_policy=STEP_RETRIES
)
