"""One spelling for every text that is searched: lower case, plain letters, nothing invisible, no look-alikes."""

from __future__ import annotations

import unicodedata

_LOOK_ALIKES = {
    # Cyrillic
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "ғ": "f", "һ": "h", "н": "h", "і": "i", "ї": "i",
    "ј": "j", "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t",
    "ц": "u", "ѵ": "v", "ԝ": "w", "х": "x", "у": "y", "з": "3", "б": "6",
    # Greek
    "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v", "ο": "o", "ρ": "p", "τ": "t",
    "υ": "u", "χ": "x", "ω": "w", "ϲ": "c", "ϳ": "j", "γ": "y", "σ": "o",
    # Armenian, Cherokee, Latin letters of their own
    "օ": "o", "ս": "u", "հ": "h", "ո": "n", "զ": "q", "ց": "g", "ı": "i", "ȷ": "j", "ɑ": "a", "ɡ": "g", "ɩ": "i",
    "ʟ": "l", "ɴ": "n", "ʀ": "r", "ꜱ": "s", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ᴋ": "k", "ᴍ": "m", "ᴏ": "o",
    "ᴘ": "p", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "ƅ": "b", "ø": "o", "đ": "d", "ł": "l", "ħ": "h",
}  # fmt: skip
_SPELLED_OUT = {
    "ß": "ss", "æ": "ae", "œ": "oe", "€": " eur ", "£": " gbp ", "¥": " jpy ", "₿": " btc ", "¢": " cents ",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "−": "-", "⁃": "-", "·": ".", "∙": ".", "․": ".", "。": ".",
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "⁄": "/", "∕": "/", "∶": ":", "：": ":", "＠": "@",
    "\u2028": "\n", "\u2029": "\n",
}  # fmt: skip
_ZEROS = (0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20)
_DIGITS = {chr(zero + value): str(value) for zero in _ZEROS for value in range(10)}
_TABLE = str.maketrans({**_LOOK_ALIKES, **_SPELLED_OUT, **_DIGITS})


def plain(text: str) -> str:
    """The text as a reader would hear it, in lower-case ASCII.

    Accents are taken off, full-width and look-alike letters become the ones they imitate, and what can't be seen
    (zero-width spaces, soft hyphens, direction marks) is gone, so that one pattern finds every disguise.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.lower().translate(_TABLE))
    # a letter with an accent of its own may only now have become a look-alike
    return folded.translate(_TABLE).encode("ascii", "ignore").decode()
