"""Out-of-office answers: recognised in a dozen languages, with the day of return where they name it."""

from __future__ import annotations

import re

from brain.reading.automatic import Automation

_AWAY = re.compile(
    r"out of (?:the |my )?office|\bOOO\b|on (?:annual |parental |maternity |paternity |sick |medical )?leave|on vacation|on holidays?|away from (?:the |my )?(?:office|desk|e-?mail)"
    r"|(?:currently|will be) (?:away|travell?ing|out|unavailable)|limited access to (?:my )?e-?mail|be back (?:in the office )?on|return(?:ing)? (?:to (?:the |my )?office )?on"
    r"|fuera de (?:la |mi )?oficina|estoy de vacaciones|estar[eé] (?:fuera|ausente|de vacaciones)|ausente|ausencia"
    r"|fora do (?:escrit[oó]rio|gabinete)|estou (?:de|em) f[eé]rias|estarei (?:fora|ausente|de f[eé]rias|em f[eé]rias)|aus[eê]ncia"
    r"|nicht im (?:b[uü]ro|haus)|im urlaub|au(?:ß|ss)er haus|abwesen(?:d|heit)|bin (?:ich )?(?:derzeit|zur zeit|momentan)? ?(?:nicht erreichbar|im urlaub)"
    r"|absent(?:e)? du bureau|en (?:vacances|cong[eé]s?)|je suis (?:actuellement )?absente?|je serai absente?|absence du bureau"
    r"|fuori (?:ufficio|sede)|in ferie|sono assente|afwezig|niet (?:op|aanwezig)|semester|p[aå] ferie|poissa|urlop\w*|nieobecn\w+|в отпуске|отсутств\w+|不在|外出中|休暇|假期|休假",
    re.IGNORECASE,
)


def is_absence(about: Automation, subject: str, text: str) -> bool:
    """An automatic answer that says its owner is away."""
    if not about.is_reply and not ("automatic" in about.flags and _AWAY.search(subject)):
        return False
    return bool(_AWAY.search(subject) or _AWAY.search(text[:3_000]))
