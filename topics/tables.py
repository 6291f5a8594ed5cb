"""The tables: every domain, command, event and topic of the contract. Everything else is derived from them."""

from topics import campaign, invoice, lead, lifecycle, replies, spec
from topics.lifecycle import State
from topics.replies import ReplyOutcome
from topics.spec import CommandSpec, Domain, EventSpec, Topic

INVOICE = Domain(
    name="invoice",
    commands=(
        CommandSpec("invoice.process", invoice.InvoiceProcess, key="invoice_id"),
        CommandSpec("invoice.approve", invoice.InvoiceApprove, key="invoice_id"),
        CommandSpec("invoice.cancel", invoice.InvoiceCancel, key="invoice_id"),
    ),
    events=(
        EventSpec("invoice.validated", invoice.InvoiceValidated, "invoice.events", key="invoice_id"),
        EventSpec("invoice.approval_requested", invoice.InvoiceApprovalRequested, "invoice.events", key="invoice_id"),
        EventSpec("invoice.approved", invoice.InvoiceApproved, "invoice.events", key="invoice_id"),
        EventSpec("invoice.rejected", invoice.InvoiceRejected, "invoice.events", key="invoice_id"),
        EventSpec("invoice.sent", invoice.InvoiceSent, "invoice.events", key="invoice_id"),
        EventSpec("invoice.recorded", invoice.InvoiceRecorded, "invoice.events", key="invoice_id"),
        EventSpec("invoice.cancelled", invoice.InvoiceCancelled, "invoice.events", key="invoice_id"),
    ),
)

CAMPAIGN = Domain(
    name="campaign",
    commands=(
        CommandSpec("campaign.create", campaign.CampaignCreate, key="campaign_id"),
        CommandSpec("campaign.approve", campaign.CampaignApprove, key="campaign_id"),
        CommandSpec("campaign.cancel", campaign.CampaignCancel, key="campaign_id"),
    ),
    events=(
        EventSpec("campaign.created", campaign.CampaignCreated, "campaign.events", key="campaign_id"),
        EventSpec(
            "campaign.content_generated", campaign.CampaignContentGenerated, "campaign.events", key="campaign_id"
        ),
        EventSpec(
            "campaign.approval_requested", campaign.CampaignApprovalRequested, "campaign.events", key="campaign_id"
        ),
        EventSpec("campaign.approved", campaign.CampaignApproved, "campaign.events", key="campaign_id"),
        EventSpec("campaign.rejected", campaign.CampaignRejected, "campaign.events", key="campaign_id"),
        EventSpec("campaign.published", campaign.CampaignPublished, "campaign.events", key="campaign_id"),
        EventSpec("campaign.cancelled", campaign.CampaignCancelled, "campaign.events", key="campaign_id"),
    ),
)

LEAD = Domain(
    name="lead",
    commands=(CommandSpec("lead.score", lead.LeadScore, key="lead_id"),),
    events=(
        EventSpec("lead.scored", lead.LeadScored, "lead.events", key="lead_id"),
        EventSpec("lead.qualified", lead.LeadQualified, "lead.events", key="lead_id"),
    ),
)

DOMAINS: tuple[Domain, ...] = (INVOICE, CAMPAIGN, LEAD)

COMMANDS: dict[str, CommandSpec] = {command.name: command for domain in DOMAINS for command in domain.commands}
"""Commands by their CloudEvents type."""

EVENTS: dict[str, EventSpec] = {event.name: event for domain in DOMAINS for event in domain.events}
"""Domain events by their CloudEvents type."""

LIFECYCLE_MODELS: dict[str, type[lifecycle.WorkflowStarted]] = {
    **{state.event_type: lifecycle.WorkflowEnded for state in State},
    State.STARTED.event_type: lifecycle.WorkflowStarted,
    State.COMPLETED.event_type: lifecycle.WorkflowCompleted,
}
"""Data of the lifecycle events by their CloudEvents type; one lifecycle topic a domain."""

REPLY_MODELS: dict[str, type[replies.Reply]] = {
    outcome.event_type: replies.DoneReply if outcome is ReplyOutcome.DONE else replies.Reply for outcome in ReplyOutcome
}
"""Data of the replies by their CloudEvents type."""

REPLIES_TOPIC = "bridge.replies"


def domain_topics(domain: Domain) -> tuple[Topic, ...]:
    """Return every topic of a domain: commands, dead letters, events, lifecycle."""
    commands = tuple(spec.command_topic(command.name) for command in domain.commands)
    dead_letters = tuple(spec.dead_letter_topic(topic.name) for topic in commands)
    events = tuple(spec.event_topic(name) for name in dict.fromkeys(event.topic for event in domain.events))
    return (*commands, *dead_letters, *events, spec.lifecycle_topic(domain.name + spec.LIFECYCLE_SUFFIX))


TOPICS: tuple[Topic, ...] = (
    *(topic for domain in DOMAINS for topic in domain_topics(domain)),
    spec.reply_topic(REPLIES_TOPIC),
)
"""Every topic of the contract but the feed's, whose name has the group id."""
