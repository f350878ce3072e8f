"""Which language a text is in, from its commonest small words; None when there is too little to tell."""

from __future__ import annotations

import re
from functools import cache

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SMALL: dict[str, str] = {
    "en": (
        "the of and to in is you that it for on are with as i be this have from or by not but what we can your if "
        "will would there please thanks regards our me my do was has been at hi hello dear all any know let just "
        "attached an he she they them their his her us its had were did does which who when where how why than then "
        "about into after before more some many get got go going need needs want expect hope send sent call called "
        "make made see back up out now new today tomorrow week let's don't i'm i'll i'd i've it's that's what's we'll "
        "we're you're you'll can't won't haven't isn't doesn't didn't could should may might must am early soon "
        "away until due "
        "monday tuesday wednesday thursday friday saturday sunday update discuss save extra previous"
    ),
    "es": (
        "de la que el en y los del se las por un para con no una su al lo como más pero sus le ya o este sí porque "
        "esta entre cuando muy sin sobre también me hasta hay donde han quien gracias hola estimado puede podría "
        "pueden llamarme llámeme el jueves lunes viernes mañana ustedes nuestro presupuesto recibir quiero correo "
        "estoy buenos días unas todo deje cuánto necesitaría saludo felices saludos usted favor es pedido "
        "necesito necesitamos nos"
    ),
    "pt": (
        "de que e do da em um para com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou "
        "ser quando muito há nos já está eu também só pelo pela até isso pode podem ligar ligue às na minha meu "
        "quero receber estou fora nossa vossa sexta quinta segunda enviar ainda você nosso obrigado obrigada olá "
        "encomenda férias preço qual gostaria gostaríamos agradecia favor orçamento boas toda vossa dia bom "
        "prezados cumprimentos "
        "você é pedido preciso precisamos enviem produto proposta conforme veio são"
    ),
    "de": (
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er "
        "hat dass sie nach wird bei einer um am sind noch wie einem über so zum haben nur oder aber vor zur bis "
        "mehr durch ich wir bitte danke können könnten unsere unser ihr keine kein wieder möchte möchten bis heute "
        "meine bestellung vielen bleibt wo würden ihnen zum hallo sehr geehrte grüße ihre mich bin mir uns"
    ),
    "fr": (
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ou son "
        "aux mais comme nous vous je cette si leur y été à très bonjour merci pouvez pourriez ma mon notre nos vos "
        "souhaite suis jusqu'au commande toujours aucune cordialement votre notre être voudrais désinscrire arrêtez "
        "envoyer m'envoyer l' d' j'ai c'est suis veuillez"
    ),
    "it": (
        "di e il la che in un a per è una sono con non del si da come le dei più ma al ha i lo nel della anche mi "
        "grazie buongiorno saluti vostro nostro cordiali gli alla questo siamo"
    ),
    "nl": (
        "de het een van en in is dat op te zijn met voor niet aan er om ook als dan maar bij uit nog wel naar heeft "
        "hebben wij ik u je groet bedankt graag deze wordt kunnen"
    ),
    "sv": (
        "och att det i en som är på av för med den till inte har om ett men jag var vi så kan från eller hej tack "
        "hälsningar"
    ),
    "da": "og i at det en den til er som på de med af for ikke der var et har om jeg vi men hej tak hilsen kan",
    "no": "og i det er på til en som for av at med han ikke de var jeg vi har hei takk hilsen kan fra",
    "pl": "i w na z do się nie to że o jest jak po od za dla ale czy przez są dzień dobry dziękuję pozdrawiam proszę",
    "fi": "ja on ei että se oli hän mutta kun myös niin ovat kiitos terveisin hei olen",
    "cs": "a je v se na že to s z do o jako za by ale dobrý den děkuji pozdravem prosím",
    "tr": "ve bir bu için ile de da çok olarak daha var olan merhaba teşekkürler",
}  # fmt: skip
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("uk", re.compile(r"[іїєґІЇЄҐ]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_LETTERS = {
    "ñ": "es",
    "¿": "es",
    "¡": "es",
    "ã": "pt",
    "õ": "pt",
    "ß": "de",
    "œ": "fr",
    "ł": "pl",
    "ő": "hu",
    "ű": "hu",
    "ř": "cs",
    "ě": "cs",
    "ş": "tr",
    "ı": "tr",
    "ğ": "tr",
}
# Of equals the first is told, in every process alike.
_IN_ORDER = tuple(dict.fromkeys((*_SMALL, *_LETTERS.values())))


@cache
def _weights() -> dict[str, dict[str, float]]:
    table: dict[str, list[str]] = {}
    for language, words in _SMALL.items():
        for word in dict.fromkeys(words.split()):
            table.setdefault(word, []).append(language)
    # A word of many languages says little.
    return {word: dict.fromkeys(languages, 1.0 / len(languages)) for word, languages in table.items()}


def guess(text: str) -> str | None:
    """ISO 639-1 code of the likeliest language."""
    sample = text[:1_200]
    words = _WORD.findall(sample.lower())
    letters = sum(map(len, words))
    if letters < 2:
        return None
    for language, script in () if sample.isascii() else _SCRIPTS:
        if len(script.findall(sample)) > letters * (0.02 if language in ("ja", "uk") else 0.25):
            return language
    scores: dict[str, float] = {}
    table = _weights()
    for word in words:
        if word in table:
            for language, weight in table[word].items():
                scores[language] = scores.get(language, 0.0) + weight
    for char, language in () if sample.isascii() else _LETTERS.items():
        if char in sample:
            scores[language] = scores.get(language, 0.0) + 1.0
    if not scores:
        return None
    best = max(_IN_ORDER, key=lambda language: scores.get(language, 0.0))
    return best if scores[best] >= min(1.0, 0.05 * len(words)) else None
