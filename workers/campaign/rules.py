"""What a sound campaign must keep to, beyond what its model says. Pure."""

from topics.campaign import CampaignCreate, Channel


class InvalidCampaignError(Exception):
    """The campaign contradicts itself; its text says how."""


def check(campaign: CampaignCreate) -> None:
    """Raise `InvalidCampaignError` if the campaign cannot be run."""
    if campaign.ends_on < campaign.starts_on:
        raise InvalidCampaignError(
            f"Campaign {campaign.campaign_id} ends on {campaign.ends_on}, before it starts on {campaign.starts_on}: "
            "send it again with an end that is not before the start."
        )


def channels(campaign: CampaignCreate) -> tuple[Channel, ...]:
    """Return the campaign's channels in order, each once."""
    return tuple(dict.fromkeys(campaign.channels))
