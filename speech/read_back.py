"""A prompt, read back by the recogniser: does a machine hear what the text says?

Nothing is masked here: prompts are the city's own words. Recordings of people go through `speech.transcript` instead.
"""

from __future__ import annotations

from pathlib import Path

from speech.audio import open_recording
from speech.gate import spoken_stretches
from speech.packing import chunk_audio, plan_chunks
from speech.ports import Recogniser


def read_back(path: Path, recogniser: Recogniser) -> str:
    """What `recogniser` hears in the prompt at `path`.

    Raises:
        AudioUnreadable: missing, empty or damaged.
    """
    recording = open_recording(path)
    plans = plan_chunks(spoken_stretches(recording), recogniser.window_s)
    words = (word for plan in plans for word in recogniser.transcribe(chunk_audio(recording, plan)))
    return "".join(word.text for word in words).strip()
