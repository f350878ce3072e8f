"""How people say that they are away, and how they say when they are back."""

from __future__ import annotations

AWAY = (
    r"out of (?:the |my )?office|\booo\b|\booto\b|on (?:annual |parental |maternity |paternity |sick |medical "
    r"|extended |family )?leave\b|on vacation|on (?:a )?holidays?\b|away from (?:the |my )?(?:office|desk|e-?mail"
    r"|work)",
    r"(?:currently|will be|am|i'll be) (?:away|travel?ling|out until|out from|out of|unavailable|off work|absent)"
    r"|limited access to (?:my )?e-?mail|\baway (?:until|from|on|till)\b|no access to (?:my )?e-?mail",
    r"fuera de (?:la |mi )?oficina|(?:estoy|estar[eé]|encuentro|encontrar[eé]) (?:fuera|ausente|de vacaciones|de "
    r"baja|de viaje|de permiso)|\bausente\b|\bausencia\b|de vacaciones|no estar[eé] disponible",
    r"fora do (?:escrit[oó]rio|gabinete|local)|(?:estou|estarei|encontro-me|vou estar) (?:fora|ausente|de f[eé]rias"
    r"|em f[eé]rias|de licen[cç]a|em viagem)|aus[eê]ncia|(?:de|em) f[eé]rias|ausente",
    r"nicht im (?:b[uü]ro|haus|dienst)|im urlaub|au(?:ß|ss)er haus|abwesen(?:d|heit)|nicht erreichbar|\burlaub(?:s"
    r"|sbedingt)?\b|dienstreise|in elternzeit|krankheitsbedingt|nicht am (?:arbeits)?platz",
    r"absente?s? (?:du bureau|jusqu|du|de|pour|actuellement|le)|en (?:vacances|cong[eé]s?|d[eé]placement|arr[eê]t)"
    r"|(?:suis|serai) (?:actuellement |pr[eé]sentement )?(?:absente?|en (?:cong|vac)|hors)|absence (?:du bureau"
    r"|prolong)|hors du bureau|message d'absence",
    r"fuori (?:ufficio|sede)|in ferie|sono assente|sar[oò] assente|\bafwezig|niet (?:op kantoor|aanwezig)"
    r"|\bvakantie\b|\bsemester\b|p[aå] ferie|ikke p[aå] kontoret|poissa|lomalla|urlop\w*|nieobecn\w+|dovolen\w+"
    r"|szabads[aá]g\w*|в отпуске|отсутств\w+|не буду в офисе",
    r"(?:office|we|shop|business|store|company) (?:is|are|will be|remains?) closed|closed (?:for|from|until|due to)"
    r"|(?:oficina|empresa|tienda)s? (?:\w+ )?cerrad\w+|cerrad[oa]s? (?:por|del|hasta)|encerrad[oa]s? (?:para|por|de"
    r"|at[eé])|geschlossen|ferm[eé]e?s? (?:pour|du|jusqu)",
    r"不在|外出中|休暇|夏季休業|假期|休假|外出|부재중|휴가|izinde|izinli|ofis dışı",
)  # fmt: skip

# Before the day of return.
BACK = (
    r"(?:be |am |i'll be )?back(?: (?:in|at) (?:the |my )?(?:office|work|desk))?(?: again)?(?: on| by| from| "
    r"starting)?|return(?:ing)?(?: to (?:the |my )?(?:office|work|desk))?(?: again)?(?: on| by| from)?|(?:in"
    r"|reachable|available) again(?: on| from)?|resume(?: work)?(?: on)?|will be in(?: the office)?(?: again)? on"
    r"|re-?open(?:s|ing)?(?: again)?(?: on)?",
    r"(?:regres\w+|vuelv\w+|volv\w+|retorn\w+|reincorpor\w+|de vuelta|de regreso|incorporar[eé]|estar[eé] de "
    r"(?:vuelta|regreso)|disponible (?:de nuevo|nuevamente)|atender[eé]\b[^.\n]{0,40}?)(?: a (?:la |mi )?oficina| "
    r"al (?:trabajo|despacho))?(?: de nuevo)?(?: a partir del?)?(?: el)?(?: d[ií]a)?",
    r"(?:regress\w+|volt\w+|retorn\w+|de volta|estarei de volta|dispon[ií]vel novamente)(?: ao (?:escrit[oó]rio"
    r"|trabalho|gabinete))?(?: novamente)?(?: a partir de| a partir do dia| no dia| em| no| na| dia| a| à)*",
    r"(?:wieder (?:f[uü]r sie )?(?:im (?:b[uü]ro|haus|dienst|einsatz)|erreichbar|zur[uü]ck|da|verf[uü]gbar"
    r"|pers[oö]nlich|anwesend|zu erreichen)?|zur[uü]ck(?:kehren)?|r[uü]ckkehr|ab(?: dem)?)(?: bin ich)?(?: am| ab| "
    r"ab dem| vom)*",
    r"(?:(?:de |mon )?retour|reviens|reviendrai|rentre(?:rai)?|reprendrai?|revenir|disponible à nouveau|à nouveau "
    r"(?:disponible|joignable)|joignable)(?: au (?:bureau|travail))?(?: à (?:compter|partir) du?)?(?: le| du)?",
)  # fmt: skip

# After the day of return: "on May 5 I will be back", "am 5. Mai bin ich wieder".
BACK_AFTER = (
    r"(?:i (?:will|shall) (?:be back|return)|i'll be back|bin ich wieder|stehe ich|wieder (?:f[uü]r sie "
    r")?(?:erreichbar|da|im b[uü]ro|zur[uü]ck|zur verf[uü]gung)|volver[eé]|regresar[eé]|estarei de volta|je serai "
    r"de retour|zur[uü]ck)"
)

# Before the last day of absence.
UNTIL = (
    r"until|till|thru|through|up to|to and including|til",
    r"hasta(?: el| el d[ií]a)?|al d[ií]a|at[eé](?: o dia| ao dia| dia| a| ao)?|bis(?: zum| einschlie(?:ß|ss)lich| "
    r"inkl\.?| inklusive| einschl\.)*|jusqu'?(?:au|à|en)(?: (?:et y compris le|inclus))?",
)

# Between the first and the last day of absence.
RANGE = (
    r"(?:\s*(?:-|–|—|to|and|al|a|ao|até|hasta|bis|bis zum|au|through|thru|until|e|et|y|und)\s*(?:el |the |dia |o "
    r"dia |zum |le |day )?)"
)
INCLUSIVE = (
    r"through|thru|inclusive|incl\.|inklusive|einschlie(?:ß|ss)lich|inclus|incluido|incluído|compris|and including"
)
