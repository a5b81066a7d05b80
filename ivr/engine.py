"""The menu as a pure step function: what a caller did, and what is to be done next.

No caller meets a dead end or a circle: too many wrong or missing keys, or too many steps, lead to a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.facts.dialplan import StepResult
from core.ids import LineId
from ivr.flow import Flow, Menu, Repeat, Tell, ToLine, ToMenu, ToStaff

LANGUAGE_NODE = "language"
TELL_AGAIN, TELL_PERSON = "1", "2"
"""Keys after an announcement; the prompt `after_tell` names them."""


@dataclass(frozen=True, slots=True)
class Started:
    """The call was answered."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to `CheckHours`."""

    open: bool


@dataclass(frozen=True, slots=True)
class Digit:
    key: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No key within the time that was asked for."""


Input = Started | Checked | Digit | Silence


@dataclass(frozen=True, slots=True)
class Prompt:
    """A named prompt in one language."""

    language: str
    name: str


@dataclass(frozen=True, slots=True)
class SetLanguage:
    language: str


@dataclass(frozen=True, slots=True)
class RecordStep:
    """For the durable record."""

    node: str
    key: str
    result: StepResult


@dataclass(frozen=True, slots=True)
class Play:
    """Say this to its end; keys are not heard meanwhile."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Announce:
    """Say this to its end; then the caller has been served, or referred to another number."""

    node: str
    prompt: Prompt
    refer_to: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Say these, stop at any key, then wait. Answered by `Digit` or `Silence`."""

    prompts: tuple[Prompt, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CheckHours:
    """Answered by `Checked`."""


@dataclass(frozen=True, slots=True)
class SayClosed:
    """Say why and until when the centre is closed."""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """The end: a person of this line."""

    line: LineId


@dataclass(frozen=True, slots=True)
class RingStaff:
    """The end: somebody of the directory, or else a person of this line."""

    extension: str
    line: LineId


@dataclass(frozen=True, slots=True)
class HangUp:
    """The end: nothing more to say."""


Action = (
    SetLanguage | RecordStep | Play | Announce | Ask | CheckHours | SayClosed | Enqueue | RingStaff | HangUp
)  # the last one of a step is Ask, CheckHours, Enqueue, RingStaff or HangUp


@dataclass(frozen=True, slots=True)
class AtDoor:
    """Before the first word."""


@dataclass(frozen=True, slots=True)
class AtLanguage:
    pass


@dataclass(frozen=True, slots=True)
class AtHours:
    """Waiting for `Checked`. `pressed` is a menu key given early, in the language step."""

    pressed: str | None = None


@dataclass(frozen=True, slots=True)
class AtMenu:
    menu: str


@dataclass(frozen=True, slots=True)
class AfterTell:
    tell: Tell


@dataclass(frozen=True, slots=True)
class Ended:
    pass


Place = AtDoor | AtLanguage | AtHours | AtMenu | AfterTell | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a caller stands."""

    place: Place
    language: str
    failures: int = 0
    """Wrong or missing keys in a row at this place."""
    steps: int = 0
    """Answers given in menus so far."""


Step = tuple[State, tuple[Action, ...]]


def at_start(flow: Flow) -> State:
    """The state before `Started`."""
    return State(place=AtDoor(), language=flow.languages[0])


def step(flow: Flow, state: State, given: Input) -> Step:
    """The next state and what to do, in order.

    Raises:
        ValueError: the input does not belong to the state (a fault in the caller of this function).
    """
    match state.place, given:
        case AtDoor(), Started():
            return _greet(flow, state)
        case AtLanguage(), Digit(key) if key in flow.language_keys:
            return _choose_language(flow, state, key)
        case AtLanguage(), Digit() | Silence():
            pressed = given.key if isinstance(given, Digit) else None
            moved = replace(state, place=AtHours(pressed))
            return moved, (SetLanguage(state.language), CheckHours())
        case AtHours(), Checked(False):
            return _ended(state), (SayClosed(), HangUp())
        case AtHours(None), Checked(True):
            return _ask_menu(flow, state, flow.start)
        case AtHours(str(key)), Checked(True):
            return step(flow, replace(state, place=AtMenu(flow.start)), Digit(key))
        case AtMenu() | AfterTell(), Digit() | Silence():
            counted = replace(state, steps=state.steps + 1)
            if isinstance(state.place, AtMenu):
                done = _at_menu(flow, counted, flow.menus[state.place.menu], given)
            else:
                done = _after_tell(flow, counted, state.place.tell, given)
            return _bounded(flow, counted, done)
        case _:
            raise ValueError(f"{given} does not belong to {state.place}")


def _ended(state: State) -> State:
    return replace(state, place=Ended())


def _greet(flow: Flow, state: State) -> Step:
    greeting = Play(Prompt(state.language, "greeting"))
    if not flow.language_keys:
        return replace(state, place=AtHours()), (greeting, SetLanguage(state.language), CheckHours())
    offers = tuple(Prompt(language, "language") for language in flow.language_keys.values())
    return replace(state, place=AtLanguage()), (greeting, Ask(offers, flow.language_timeout_s))


def _choose_language(flow: Flow, state: State, key: str) -> Step:
    language = flow.language_keys[key]
    return replace(state, place=AtHours(), language=language), (
        RecordStep(LANGUAGE_NODE, key, StepResult.CHOICE),
        SetLanguage(language),
        Play(Prompt(language, "greeting")),
        CheckHours(),
    )


def _ask_menu(flow: Flow, state: State, menu: str, *before: str) -> Step:
    names = (*before, flow.menus[menu].prompt)
    prompts = tuple(Prompt(state.language, name) for name in names)
    failures = state.failures if before else 0
    return replace(state, place=AtMenu(menu), failures=failures), (Ask(prompts, flow.digit_timeout_s),)


def _tell(flow: Flow, state: State, tell: Tell) -> Step:
    more = Ask((Prompt(state.language, "after_tell"),), flow.digit_timeout_s)
    announce = Announce(tell.prompt, Prompt(state.language, tell.prompt), tell.refer_to)
    return replace(state, place=AfterTell(tell), failures=0), (announce, more)


def _to_person(state: State, line: LineId) -> Step:
    return _ended(state), (Play(Prompt(state.language, "connecting")), Enqueue(line))


def _recorded(record: RecordStep, done: Step) -> Step:
    return done[0], (record, *done[1])


def _failed(flow: Flow, state: State, node: str, given: Digit | Silence) -> tuple[RecordStep, State]:
    key = given.key if isinstance(given, Digit) else ""
    result = StepResult.INVALID if key else StepResult.SILENCE
    return RecordStep(node, key, result), replace(state, failures=state.failures + 1)


def _at_menu(flow: Flow, state: State, menu: Menu, given: Digit | Silence) -> Step:
    target = menu.choices.get(given.key) if isinstance(given, Digit) else None
    if target is None or isinstance(given, Silence):
        record, failed = _failed(flow, state, menu.id, given)
        if failed.failures >= flow.tries:
            return _recorded(record, _to_person(failed, flow.fallback_line))
        apology = "invalid" if record.result is StepResult.INVALID else "silence_retry"
        return _recorded(record, _ask_menu(flow, failed, menu.id, apology))
    if isinstance(target, Repeat):
        record = RecordStep(menu.id, given.key, StepResult.REPEAT)
        return _recorded(record, _ask_menu(flow, state, menu.id))
    record = RecordStep(menu.id, given.key, StepResult.CHOICE)
    match target:
        case ToLine(line):
            return _recorded(record, _to_person(state, line))
        case ToStaff(extension, line):
            connecting = Play(Prompt(state.language, "connecting"))
            return _recorded(record, (_ended(state), (connecting, RingStaff(extension, line))))
        case ToMenu(name):
            return _recorded(record, _ask_menu(flow, state, name))
        case Tell():
            return _recorded(record, _tell(flow, state, target))


def _after_tell(flow: Flow, state: State, tell: Tell, given: Digit | Silence) -> Step:
    match given:
        case Silence():
            return _ended(state), (Play(Prompt(state.language, "goodbye")), HangUp())
        case Digit(key) if key == TELL_AGAIN:
            return _recorded(RecordStep(tell.prompt, key, StepResult.REPEAT), _tell(flow, state, tell))
        case Digit(key) if key == TELL_PERSON:
            return _recorded(
                RecordStep(tell.prompt, key, StepResult.CHOICE), _to_person(state, flow.fallback_line)
            )
        case Digit():
            record, failed = _failed(flow, state, tell.prompt, given)
            if failed.failures >= flow.tries:
                return _recorded(record, _to_person(failed, flow.fallback_line))
            prompts = (Prompt(state.language, "invalid"), Prompt(state.language, "after_tell"))
            return failed, (record, Ask(prompts, flow.digit_timeout_s))


def _bounded(flow: Flow, state: State, done: Step) -> Step:
    """`done`, unless the caller has answered often enough and would be asked again."""
    if isinstance(done[0].place, Ended) or state.steps < flow.max_steps:
        return done
    records = tuple(action for action in done[1] if isinstance(action, RecordStep))
    ended, actions = _to_person(state, flow.fallback_line)
    return ended, (*records, *actions)
