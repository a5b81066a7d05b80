"""Security keys and passkeys (WebAuthn) as second factor, by py_webauthn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core.errors import ToritsugiError
from services.desk_ports import SecurityKey, User

_REFUSED = "セキュリティキーを確かめられませんでした"


def _known(keys: Sequence[SecurityKey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential)) for key in keys]


def registration_options(
    user: User, keys: Sequence[SecurityKey], *, host: str, centre: str
) -> tuple[dict[str, Any], str]:
    """What the browser needs to make a new credential, and the challenge to remember (base64url)."""
    options = generate_registration_options(
        rp_id=host,
        rp_name=f"取次 {centre}",
        user_name=user.name,
        user_id=user.name.encode(),
        user_display_name=user.display,
        exclude_credentials=_known(keys),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told, bytes_to_base64url(options.challenge)


def registered(
    answer: dict[str, Any], challenge: str, *, host: str, origin: str, user: str, label: str, now: float
) -> SecurityKey:
    """The new key. Raises ToritsugiError when the answer does not fit the challenge."""
    try:
        done = verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host,
            expected_origin=origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as problem:
        raise ToritsugiError(_REFUSED, where="セキュリティキー", cure="もう一度試す") from problem
    return SecurityKey(
        credential=bytes_to_base64url(done.credential_id),
        user=user,
        public_key=bytes_to_base64url(done.credential_public_key),
        sign_count=done.sign_count,
        label=label,
        created_at=now,
    )


def sign_in_options(keys: Sequence[SecurityKey], *, host: str) -> tuple[dict[str, Any], str]:
    """What the browser needs to sign with one of these keys, and the challenge to remember (base64url)."""
    options = generate_authentication_options(
        rp_id=host, allow_credentials=_known(keys), user_verification=UserVerificationRequirement.PREFERRED
    )
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told, bytes_to_base64url(options.challenge)


def signed(
    answer: dict[str, Any], challenge: str, keys: Sequence[SecurityKey], *, host: str, origin: str
) -> SecurityKey | None:
    """The key that signed, with its new counter; None when nothing fits."""
    key = next((each for each in keys if each.credential == answer.get("id")), None)
    if key is None or not challenge:
        return None
    try:
        done = verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return replace(key, sign_count=done.new_sign_count)
