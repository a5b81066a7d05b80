"""An entry's way: nothing is published without the city's approval, and what is published stays until the next is."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.errors import ToritsugiError
from faq_kb.article import Article, Content, State, differences
from faq_kb.workflow import (
    RULES,
    ChangeRequest,
    Move,
    RequestState,
    Role,
    answered,
    late,
    moved,
    new_article,
    taken_in,
)

pytestmark = pytest.mark.unit

PEOPLE = {Role.EDITOR: "編集", Role.REVIEWER: "点検", Role.CITY: "市", Role.OPERATOR: "受付"}


def step(article: Article, move: Move, role: Role, **more: object) -> Article:
    return moved(article, move, at=1.0, by=PEOPLE[role], role=role, **more)  # type: ignore[arg-type]


def first() -> Article:
    return new_article("q1", at=0.0, by="編集", role=Role.EDITOR)


def test_the_whole_way() -> None:
    article = first()
    for move, role, state in (
        (Move.SUBMIT, Role.EDITOR, State.REVIEW),
        (Move.REVIEW, Role.REVIEWER, State.APPROVAL),
        (Move.APPROVE, Role.CITY, State.APPROVED),
        (Move.PUBLISH, Role.EDITOR, State.PUBLISHED),
    ):
        article = step(article, move, role, due_at=50.0)
        assert article.state is state
    assert (article.published, article.due_at) == (1, None)
    article = step(article, Move.WRITE, Role.EDITOR)
    assert (article.state, article.latest, article.published) == (State.DRAFT, 2, 1)
    article = step(article, Move.RETIRE, Role.CITY, note="制度の廃止")
    assert (article.state, article.published) == (State.RETIRED, 0)
    assert [each.version for each in article.steps] == [1, 1, 1, 1, 1, 2, 2]


class Lives(RuleBasedStateMachine):
    """Any moves by any people in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.article = first()
        self.approved: set[int] = set()

    @rule(move=st.sampled_from(Move), role=st.sampled_from(Role), note=st.sampled_from(["", "理由"]))
    def try_it(self, move: Move, role: Role, note: str) -> None:
        before = self.article
        try:
            self.article = step(before, move, role, note=note)
        except ToritsugiError:
            assert self.article is before
            return
        start, goal, roles = RULES[move]
        assert before.state in start
        assert self.article.state is goal
        assert role in roles
        assert len(self.article.steps) == len(before.steps) + 1
        if move is Move.APPROVE:
            self.approved.add(self.article.latest)

    @invariant()
    def nothing_is_in_force_that_the_city_did_not_approve(self) -> None:
        assert self.article.published == 0 or self.article.published in self.approved

    @invariant()
    def versions_only_grow(self) -> None:
        numbers = [each.version for each in self.article.steps]
        assert numbers == sorted(numbers)
        assert self.article.published <= self.article.latest == numbers[-1]


TestLives = Lives.TestCase


def test_who_wrote_a_text_does_not_review_it() -> None:
    article = moved(first(), Move.SUBMIT, at=1.0, by="編集", role=Role.EDITOR)
    with pytest.raises(ToritsugiError, match="書いた人"):
        moved(article, Move.REVIEW, at=2.0, by="編集", role=Role.CITY)
    assert moved(article, Move.REVIEW, at=2.0, by="点検", role=Role.REVIEWER).state is State.APPROVAL


def test_sending_back_needs_a_reason_and_every_move_a_name() -> None:
    article = step(first(), Move.SUBMIT, Role.EDITOR)
    with pytest.raises(ToritsugiError, match="理由"):
        step(article, Move.SEND_BACK, Role.REVIEWER)
    with pytest.raises(ToritsugiError, match="だれが"):
        moved(article, Move.REVIEW, at=1.0, by=" ", role=Role.REVIEWER)


def test_a_file_brings_a_text_in_the_state_that_it_says() -> None:
    new = taken_in(None, "q1", State.PUBLISHED, at=1.0, by="編集", note="初期登録")
    assert (new.latest, new.published) == (1, 1)
    draft = taken_in(new, "q1", State.DRAFT, at=2.0, by="編集", note="改訂")
    assert (draft.latest, draft.published, draft.state) == (2, 1, State.DRAFT)
    assert taken_in(draft, "q1", State.RETIRED, at=3.0, by="編集", note="廃止").published == 0


def test_whose_turn_is_overdue() -> None:
    waiting = step(first(), Move.SUBMIT, Role.EDITOR, due_at=10.0)
    assert late([waiting], 9.0) == []
    assert late([waiting, first()], 11.0) == [waiting]


def test_a_request_ends_once_and_says_how() -> None:
    request = ChangeRequest(
        request_id="r1", article_id="q1", content="手数料が変わった", by="受付", opened_at=0.0, due_at=9.0
    )
    done = answered(request, RequestState.DONE, at=5.0, by="編集", result="版2で直した")
    assert (done.state, done.ended_at, done.ended_by) == (RequestState.DONE, 5.0, "編集")
    for asked, state, by, result in (
        (done, RequestState.DECLINED, "編集", "不要"),
        (request, RequestState.OPEN, "編集", "不要"),
        (request, RequestState.DONE, "", "不要"),
        (request, RequestState.DONE, "編集", " "),
    ):
        with pytest.raises(ToritsugiError):
            answered(asked, state, at=6.0, by=by, result=result)


def test_differences_are_told_sentence_by_sentence() -> None:
    old = Content(question="手数料は。", answer="無料です。本人が来てください。", forms=("いくら",))
    new = Content(question="手数料は。", answer="千円です。本人が来てください。", forms=("いくら", "費用"))
    found = {change.field: change for change in differences(old, new)}
    assert set(found) == {"answer", "forms"}
    assert (found["answer"].removed, found["answer"].added) == (("無料です。",), ("千円です。",))
    assert (found["forms"].removed, found["forms"].added) == ((), ("費用",))
    assert found["answer"].label == "回答"
    assert differences(old, old) == []


@pytest.mark.parametrize("text", ["無料です。 ", "無料です。\n", " 無料です。"])
def test_a_change_of_spaces_alone_is_told_too(text: str) -> None:
    assert differences(Content(question="q", answer="無料です。"), Content(question="q", answer=text))
