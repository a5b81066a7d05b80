"""Messages survive the wire, and what is no message is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.ends.sip_message import (
    Address,
    Headers,
    MalformedSip,
    SipRequest,
    SipResponse,
    SipUri,
    parse_address,
    parse_message,
    parse_uri,
    serialise,
    split_outside,
)

pytestmark = pytest.mark.unit

TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz-0123456789", min_size=1, max_size=12)
VALUE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40).map(
    lambda text: " ".join(text.split())
)
DISPLAY = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@st.composite
def headers(draw: st.DrawFn, method: str) -> Headers:
    needed = [
        ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1"),
        ("From", "<sip:a@127.0.0.1>;tag=1"),
        ("To", "<sip:b@127.0.0.1>"),
        ("Call-ID", draw(TOKEN)),
        ("CSeq", f"{draw(st.integers(0, 2**31))} {method}"),
    ]
    extra = draw(st.lists(st.tuples(TOKEN.map(lambda name: f"X-{name}"), VALUE), max_size=5))
    return Headers.of(needed + extra)


@st.composite
def messages(draw: st.DrawFn) -> SipRequest | SipResponse:
    method = draw(st.sampled_from(["INVITE", "BYE", "REGISTER", "NOTIFY"]))
    fields, body = draw(headers(method)), draw(st.binary(max_size=200))
    if draw(st.booleans()):
        return SipRequest(method=method, uri="sip:b@127.0.0.1:5070", headers=fields, body=body)
    status = draw(st.integers(100, 699))
    return SipResponse(status=status, reason=draw(VALUE), headers=fields, body=body)


@given(messages())
def test_what_is_written_is_read_back(message: SipRequest | SipResponse) -> None:
    again = parse_message(serialise(message))
    assert type(again) is type(message)
    assert again.start_line == message.start_line
    assert again.body == message.body
    assert again.headers.get("Content-Length") == str(len(message.body))
    kept = tuple(pair for pair in again.headers.fields if pair[0] != "Content-Length")
    assert kept == message.headers.fields


@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(MalformedSip):
        parse_message(data)


@given(messages(), st.integers(0, 400))
def test_a_message_cut_short_is_refused(message: SipRequest | SipResponse, cut: int) -> None:
    data = serialise(message)
    kept = data[: min(cut, len(data) - 1)]
    with pytest.raises(MalformedSip):
        parse_message(kept)


@given(DISPLAY, st.sampled_from(["sip:1@h", "sip:h;transport=udp", "sip:a@1.2.3.4:5;lr"]), TOKEN)
def test_addresses_keep_name_uri_and_tag(display: str, uri: str, tag: str) -> None:
    address = Address(uri, display).with_tag(tag)
    again = parse_address(str(address))
    assert (again.uri, again.display, again.tag) == (uri, display, tag)


@pytest.mark.parametrize(
    ("text", "uri", "display", "tag"),
    [
        ("sip:a@b;tag=x", "sip:a@b", "", "x"),
        ('"山田 <太郎>" <sip:090@h>;tag=y', "sip:090@h", "山田 <太郎>", "y"),
        ("Anonymous <sip:anonymous@anonymous.invalid>", "sip:anonymous@anonymous.invalid", "Anonymous", ""),
        ('"a\\"b" <sip:c@d>', "sip:c@d", 'a"b', ""),
    ],
)
def test_addresses_as_they_come(text: str, uri: str, display: str, tag: str) -> None:
    address = parse_address(text)
    assert (address.uri, address.display, address.tag) == (uri, display, tag)


def test_compact_and_folded_headers_are_understood() -> None:
    data = (
        b"OPTIONS sip:a@h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\nf: <sip:b@h>;tag=1\r\n"
        b"t: <sip:a@h>\r\ni: 77\r\nCSeq: 4 OPTIONS\r\nSubject: one\r\n two\r\nl: 0\r\n\r\n"
    )
    message = parse_message(data)
    assert message.headers.get("Call-ID") == "77"
    assert message.headers.get("subject") == "one two"


def test_lists_are_taken_apart_only_between_values() -> None:
    fields = Headers.of([("Record-Route", '<sip:a;lr>, "x,y" <sip:b,c;lr>'), ("record-route", "<sip:d>")])
    assert fields.all("Record-Route") == ("<sip:a;lr>", '"x,y" <sip:b,c;lr>', "<sip:d>")
    assert split_outside('a;b="c;d"', ";") == ["a", 'b="c;d"']


def test_a_display_name_cannot_smuggle_a_header() -> None:
    text = str(Address("sip:a@h", 'x"\r\nRoute: <sip:evil>'))
    assert "\r" not in text
    assert "\n" not in text


@pytest.mark.parametrize("text", ["http://a", "sip:", "sip:a@", "sip:@h", "sip:a@h:x"])
def test_bad_uris_are_refused(text: str) -> None:
    with pytest.raises(MalformedSip):
        parse_uri(text)


def test_uris_are_written_as_read() -> None:
    uri = parse_uri("sip:090;phone-context=x@127.0.0.1:5070;transport=udp")
    assert (uri.host, uri.port) == ("127.0.0.1", 5070)
    assert str(SipUri("1", "h", 5, ";lr")) == "sip:1@h:5;lr"
