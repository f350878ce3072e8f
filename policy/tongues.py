"""Which of the languages that we write a text is in, by its commonest small words; pure text in, a guess out."""

from __future__ import annotations

import re
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+")
_SMALL = {
    "en": "the of and to in is you that it for on are with as be this have from or by we can your if will would there "
          "please thanks regards our me my do has been at hi hello dear any know just how so let",
    "es": "la el en y los del se las por un para con una su al lo como más pero le ya este esta cuando muy sin también "
          "hay nos si es usted ustedes nuestro nuestra hola saludos gracias que cómo estimado estimada buenos días",
    "pt": "o e do da em um para com não uma os no na por mais as dos como mas ao das seu sua ou muito nos está você "
          "vocês nosso nossa olá obrigado obrigada abraço atenciosamente se que tudo bem prezado prezada bom dia são",
    "de": "der die und den von zu das mit sich des auf für ist im nicht ein eine als auch es wir sie ihr haben "
          "wird bei",
    "fr": "le les des et est une dans que pour qui sur avec vous nous ce cette votre notre au aux pas plus "
          "bonjour merci",
    "it": "il di che un per una sono con non del della anche più ma gli le ha questo vostro nostro grazie buongiorno",
}  # fmt: skip
_KNOWN = {language: frozenset(words.split()) for language, words in _SMALL.items()}

FEWEST_WORDS = 8
_OTHER_SCRIPTS = re.compile(r"[\u0370-\u1fff\u2c00-\ud7ff\uf900-\ufdff\ufe70-\ufeff]")


def is_in(text: str, language: str) -> bool:
    """Whether a text may be in a language; too few words are in any, and no other script is in one of ours."""
    if _OTHER_SCRIPTS.search(text):
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < FEWEST_WORDS:
        return True
    counts = Counter({each: sum(word in known for word in words) for each, known in _KNOWN.items()})
    return counts[language] > 0 and counts[language] >= max(counts.values())
