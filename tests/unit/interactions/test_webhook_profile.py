"""`[[interactions.webhooks]]`: only addresses that nobody on the way can read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from interactions.profile import EventKind, InteractionsSection, WebhookSection

pytestmark = pytest.mark.unit

BASE = {
    "categories": [{"id": "card", "name_ja": "カード"}],
    "retention_days": {"recordings": 1, "transcripts": 1, "calls": 1, "caller_numbers": 1},
}


@pytest.mark.parametrize("url", ["https://example.jp/x", "http://127.0.0.1:8000/x", "http://localhost/x"])
def test_a_private_address_is_taken(url: str) -> None:
    webhook = WebhookSection(id="bi", url=url)
    assert (webhook.events, webhook.personal_data) == (tuple(EventKind), False)


@pytest.mark.parametrize(
    "url",
    ["http://example.jp/x", "ftp://example.jp", "https://u:p@example.jp", "https://", "https://a:x/", "x"],
)
def test_another_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        WebhookSection(id="bi", url=url)


def test_a_name_stands_once_and_synonyms_are_pairs_at_least() -> None:
    webhook = {"id": "bi", "url": "https://example.jp/x"}
    InteractionsSection.model_validate({**BASE, "webhooks": [webhook], "synonyms": [["再発行", "再交付"]]})
    with pytest.raises(ValidationError, match="二つ"):
        InteractionsSection.model_validate({**BASE, "webhooks": [webhook, webhook]})
    with pytest.raises(ValidationError):
        InteractionsSection.model_validate({**BASE, "synonyms": [["再発行"]]})
