"""What a conversation says, in a few values, each with the sentences that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from speech.complaint import complaint_signs
from speech.conversation import Sentence
from speech.questions import questions
from speech.summary import summary
from speech.topics import TAG_NAMES, tags

METHOD = "rules-1"
"""Changes whenever the same conversation would give another record."""
LANGUAGES = frozenset({"ja"})
"""Languages whose conversations can be understood."""


def understood(conversation: Sequence[Sentence]) -> dict[str, Any]:
    """`summary`, `tags`, `questions` and `complaint` as JSON values."""

    def told(places: Iterable[int]) -> list[dict[str, Any]]:
        return [
            {"side": sentence.side, "start_s": sentence.start_s, "text": sentence.text}
            for sentence in (conversation[place] for place in places)
        ]

    signs = complaint_signs(conversation)
    return {
        "summary": told(summary(conversation)),
        "tags": [
            {
                "tag": tag.tag,
                "name": TAG_NAMES[tag.tag],
                "points": tag.points,
                "sentences": told(tag.sentences),
            }
            for tag in tags(conversation)
        ],
        "questions": told(questions(conversation)),
        "complaint": {
            "complaint": signs.complaint,
            "points": signs.points,
            "sentences": told(signs.sentences),
        },
    }
