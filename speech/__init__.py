"""Speech: prompts made from text, and text made from recordings.

Recogniser and synthesiser libraries are known in one module each; everything else meets them through `speech.ports`.
"""
