"""On whose behalf a token is requested."""

from __future__ import annotations

import enum


class ConsumerOrg(enum.Enum):
    """What `TokenRequest(consumer_org=…)` takes beside an organisation number."""

    OWN = "own"
    """The client's own organisation, whatever its setting `consumer_org` says."""
