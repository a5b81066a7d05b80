"""Digest, session descriptions, G.711, RTP and RTCP, each against what its standard says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.ends.digest import Credentials, authorization, best_challenge, parse_challenge
from demo.ends.g711 import decode, encode
from demo.ends.rtp import (
    DTMF_KEYS,
    ReceptionStatistics,
    RtpPacket,
    SenderReport,
    dtmf_payload,
    parse_dtmf,
    parse_rtcp,
    parse_rtp,
    report_block,
)
from demo.ends.sdp import AudioDescription, NoCommonMedia, answer_to, parse_sdp
from demo.ends.sip_message import MalformedSip

pytestmark = pytest.mark.unit


# RFC 2617 §3.5 and RFC 7616 §3.9.1
@pytest.mark.parametrize(
    ("challenge", "secret", "cnonce", "response"),
    [
        (
            'Digest realm="testrealm@host.com", qop="auth,auth-int", '
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
            "Circle Of Life",
            "0a4f113b",
            "6629fae49393a05397450978507c4ef1",
        ),
        (
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
            "Circle of Life",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
            "Circle of Life",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
    ],
)
def test_digest_answers_the_standards_examples(
    challenge: str, secret: str, cnonce: str, response: str
) -> None:
    value = authorization(
        parse_challenge(challenge),
        Credentials("Mufasa", secret),
        method="GET",
        uri="/dir/index.html",
        cnonce=cnonce,
    )
    assert f'response="{response}"' in value
    assert "nc=00000001" in value


def test_an_algorithm_we_cannot_do_is_passed_over() -> None:
    unknown = 'Digest realm="r", nonce="n", algorithm=ROT13'
    with pytest.raises(MalformedSip):
        best_challenge([unknown])
    assert best_challenge([unknown, 'Digest realm="r", nonce="n"']).algorithm == "MD5"


def test_credentials_do_not_show_their_secret() -> None:
    assert "hush" not in repr(Credentials("101", "hush"))


def test_descriptions_are_read_back() -> None:
    ours = AudioDescription(host="127.0.0.1", port=4000, dtmf=96, direction="sendonly", session=5, version=2)
    again = parse_sdp(ours.render())
    assert (again.host, again.port, again.payloads, again.dtmf, again.direction) == (
        "127.0.0.1",
        4000,
        (0, 8),
        96,
        "sendonly",
    )


def test_an_answer_holds_one_codec_of_the_offer_and_mirrors_the_direction() -> None:
    offer = AudioDescription(host="1.2.3.4", port=6, payloads=(8, 0), dtmf=110, direction="sendonly")
    answer = answer_to(offer, AudioDescription(host="127.0.0.1", port=4000))
    assert (answer.payloads, answer.dtmf, answer.direction) == ((8,), 110, "recvonly")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0\r\n",
        b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 9\r\n",
        b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=video 4000 RTP/AVP 0\r\n",
    ],
)
def test_descriptions_without_our_audio_are_refused(body: bytes) -> None:
    with pytest.raises(NoCommonMedia):
        parse_sdp(body)


@pytest.mark.parametrize("payload", [0, 8])
def test_every_code_word_is_decoded_and_encoded_back(payload: int) -> None:
    codes = bytes(range(256))
    back = decode(encode(decode(codes, payload), payload), payload)
    assert np.array_equal(back, decode(codes, payload))


@pytest.mark.parametrize(("payload", "silence", "loudest"), [(0, 0xFF, 32124), (8, 0xD5, 32256)])
def test_g711_has_the_standards_levels(payload: int, silence: int, loudest: int) -> None:
    assert abs(int(decode(bytes([silence]), payload)[0])) <= 8
    assert int(decode(bytes(range(256)), payload).max()) == loudest


@given(
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=200),
    st.booleans(),
)
def test_rtp_packets_are_read_back(
    kind: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool
) -> None:
    packet = RtpPacket(
        payload_type=kind,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=payload,
        marker=marker,
    )
    assert parse_rtp(packet.pack()) == packet


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data: bytes) -> None:
    parse_rtp(data)
    parse_rtcp(data, 1)
    parse_dtmf(data)


def test_keys_have_the_codes_of_rfc_4733() -> None:
    assert [dtmf_payload(key, 160, end=False)[0] for key in "019*#"] == [0, 1, 9, 10, 11]
    for key in DTMF_KEYS:
        assert parse_dtmf(dtmf_payload(key, 960, end=True)) == (key, True)


def _packet(sequence: int, ssrc: int = 9) -> RtpPacket:
    return RtpPacket(
        payload_type=0, sequence=sequence & 0xFFFF, timestamp=sequence * 160, ssrc=ssrc, payload=b""
    )


def test_lost_packets_are_counted_over_the_wrap_of_the_sequence() -> None:
    statistics = ReceptionStatistics()
    for sequence in [65533, 65534, 65536, 65537, 65540]:
        statistics.add(_packet(sequence), sequence * 0.02)
    assert statistics.lost == 3
    assert statistics.fraction_lost() == 3 * 256 // 8
    assert statistics.fraction_lost() == 0
    statistics.add(_packet(5, ssrc=10), 2000.0)
    statistics.add(_packet(7, ssrc=10), 2000.04)
    assert statistics.lost == 4, "losses of an earlier source stay counted"


def test_a_report_answered_at_once_gives_the_round_trip() -> None:
    statistics = ReceptionStatistics()
    statistics.add(_packet(1, ssrc=5), 1.0)
    sender = SenderReport(ssrc=5, at=1_700_000_000.0, timestamp=1, packets=1, octets=160)
    seen = parse_rtcp(sender.pack(b"", "a"), 7)
    assert seen is not None
    answer = SenderReport(ssrc=7, at=1_700_000_000.2, timestamp=1, packets=1, octets=160)
    block = report_block(statistics, seen.middle_ntp, 0.15)
    back = parse_rtcp(answer.pack(block, "b"), 5)
    assert back is not None
    assert back.round_trip_s(1_700_000_000.25) == pytest.approx(0.1, abs=0.001)
