"""What a model's mail may say that somebody did, as positive lists: of all other deeds only records and people tell."""

from __future__ import annotations

import re
from collections.abc import Iterator


def _words(told: str) -> frozenset[str]:
    return frozenset(told.split())


# Deeds that give nothing away, as each language tells of them, spelled as by `letters.plain`.
_KNOWN = {
    "en": _words(
        "addressed answered anybody anyone appreciated asked based caught changed checked colleague concerned "
        "considered contacted decided delighted delivered disappointed discussed e-mailed emailed enjoyed everybody "
        "everyone excited expected followed gathered greeted happened he heard helped honored honoured hoped i "
        "indeed interested involved it learned lived looked loved mailed mentioned missed moved need needed nobody "
        "noticed one or page person planned pleased reached realised realized received related replied reviewed "
        "seemed settled shared she somebody someone sounded started stayed stopped supposed talked team thanked "
        "that they this tired touched tried used valued wanted we welcomed what which who wished wondered worked "
        "you"
    ),
    "es": _words(
        "agradecemos alguien ambos animos apreciamos atendemos avanzamos ayudado ayudamos ayudemos cambiado "
        "comentado comentamos compartido completamos comprendemos conocemos considerado contado contamos contestado "
        "conversamos creemos cuidamos cumplimos damos debamos debemos decidida decidido dejamos deseamos dicho ella "
        "encantada encantado encontrado entendemos entregada entregado entregamos equipo escribimos escrito "
        "esperamos estado estamos extremos faltado fueramos funcionado gustado habiamos hablado hablamos hablemos "
        "hacemos hagamos hayamos hecho hicimos hubieramos ido interesada interesado lamentamos le leida leido "
        "leimos llamamos llegado llevamos lo maximos mencionado minimos mismos nadie necesitamos nos notado "
        "ocurrido parecido pasado pedimos pensado perdida perdido podamos podemos podido preferimos preguntado "
        "preguntamos proximos pudieramos que quedado quedamos queremos querido quien quienes recibida recibido "
        "recibimos respondido resultado retomamos retomemos revisada revisado revisamos sabemos salido se seguimos "
        "sentimos sepamos servido si sido sigamos solemos solicitamos somos sucedido supimos surgido tenemos "
        "tengamos tenido terminos todos tomado tomamos trabajado trabajamos tratado tratamos tu ultimos usted "
        "ustedes valoramos vamos veamos vemos vimos visto"
    ),
    "pt": _words(
        "achei acontecido acreditamos adorariamos adorei agradecemos aguardarei ajudado ajudamos ajudemos alguem "
        "animos apreciamos atendemos avancamos chamamos chegado comentado comentamos comentei compartilhado "
        "completamos compreendemos conhecemos considerado contado contamos continuamos conversamos conversei "
        "costumamos cuidamos cumprimos damos decidida decidido deixamos deixarei deixei desejamos devemos dito ela "
        "ele encontrado entendemos entregada entregamos enviei equipe escrevemos escrito esperamos esperei estado "
        "estamos estarei extremos facamos falado falamos falei falemos faltado fazemos feito ficado ficamos ficarei "
        "fiquei fizemos fossemos funcionado gostado gostamos gostarei gostariamos gostei haviamos ido interessada "
        "interessado lamentamos lembrei lemos levamos lhe lida lido mandei maximos mencionado mesmos minimos mudado "
        "ninguem nos notado notei obrigada obrigado ocorrido parecido passado pedimos pensado pensei perdida "
        "perdido perguntado perguntamos perguntei podemos poderiamos podido possamos precisamos precisei preferimos "
        "proximos pudessemos que quem queremos querido ramos recebemos recebida recebido respondido retomamos "
        "retomemos revisada revisado revisamos sabemos saibamos saido se seguimos senhor senhora sentimos servido "
        "sido sigamos solicitamos somos soubemos surgido temos tenhamos tentei termos tido todos tomamos trabalhado "
        "trabalhamos tratado tratamos ultimos valorizamos vamos vejamos vemos vimos visto voce voces voltarei"
    ),
}

_LITTLE = r"(?:\w+ly |just |also |even |not |never |ever |all |both |always |recently |since |much |so )*"
_OF_US = (
    r"(\w{2,}(?:amos|emos|imos)(?<!aramos)(?<!eramos)(?<!riamos)(?<!bamos)(?<!avamos)(?<!ssemos)"
    r"(?<!aremos)(?<!eremos)(?<!iremos))"
)
"""What we do or did, and not what we would or might."""
_TOLD = {
    "en": (
        rf"(?:i|we)(?: have|'ve| had|'d)? {_LITTLE}(\w+ed|gave|given|paid|put|cut|bought|sold|won|lent|signed)",
        rf"(?:your|the|this|its?|my|our|everything)(?: \w+){{0,2}} (?:is|are|was|were|has been|have been)"
        rf" {_LITTLE}(\w{{2,}}ed|given|paid|cut|bought|sold|won)",
        r"(\w+) (?:says|said|pays|paid|asks|wants|told|orders|ordered|bought|buys|recommends|agrees)",
        r"(?:my|our|the) (boss|chief|board|management|director|owner|counsel|legal|police|authorities)",
    ),
    "es": (
        _OF_US,
        r"(?:he|hemos|ha|han|fue|fueron|queda|quedan|quedo) (?:ya |bien |muy |todo )*"
        r"(\w{2,}[aei]d[oa]s?|escrito|hecho)",
        r"(\w+) (?:dice|dijo|paga|pago|pidio|quiere|compra|compro|recomienda)",
        r"(?:mi|nuestro|nuestra|el|la|departamento)"
        r" (jefe|jefa|gerencia|dueno|duena|junta|directiva|juridico|policia)",
    ),
    "pt": (
        _OF_US,
        r"(?:foi|foram|fica|ficam|tem sido|temos|tenho) (?:ja |bem |muito |tudo )*(\w{2,}[aei]d[oa]s?|escrito|feito)",
        r"(\w{3,}ei(?<!arei)(?<!erei)(?<!irei))",
        r"(\w+) (?:diz|disse|paga|pagou|pediu|quer|compra|comprou|recomenda)",
        r"(?:meu|minha|nosso|nossa|o|a) (chefe|gerencia|diretoria|direcao|dono|dona|juridico|policia)",
    ),
}
_PATTERNS = {
    language: tuple(re.compile(rf"(?<![\w'-]){each}(?!\w)") for each in told) for language, told in _TOLD.items()
}


def untold(plain: str, language: str) -> Iterator[str]:
    """The deeds in a text that are among none of these, with who did them: "we have slashed" is one."""
    chosen = language if language in _PATTERNS else "en"
    for pattern in _PATTERNS[chosen]:
        yield from (hit[0] for hit in pattern.finditer(plain) if hit[1] not in _KNOWN[chosen])
