"""How people ask a person to do something, where the English model does not reach."""

from __future__ import annotations

ASKS: dict[str, tuple[str, ...]] = {
    "es": (
        r"\b(?:puede[ns]?|podr[ií]a[ns]?|podr[ií]ais|pod[eé]is|querr[ií]a[ns]?|le importar[ií]a|te importar[ií]a"
        r"|ser[ií]a posible|es posible)\b[^.]{0,120}\b\w+(?:ar|er|ir)(?:me|nos|le|les|lo|la)*\b",
        r"\b(?:por favor|favor de|rog(?:amos|ar[ií]a)|ruego|le[s]? (?:agradecer[ií]a|pido|solicito|ruego)|te "
        r"(?:agradecer[ií]a|pido|ruego)|agradecer[ií]a(?:mos)?|necesito que|necesitamos que|quisiera que|me "
        r"gustar[ií]a que|quiero que|hace falta que|solicito que|pido que)\b",
        r"\b(?:ll[aá]m[ae](?:n)?(?:me|nos)|ll[aá]mam[eé]|env[ií][ae](?:n)?(?:me|nos)|m[aá]nd[ae](?:n)?(?:me|nos)"
        r"|d[ií]ga(?:n)?(?:me|nos)|dime|conf[ií]rm[ae](?:n)?(?:me|nos)|av[ií]s[ae](?:n)?(?:me|nos)"
        r"|cont[aá]ct[ae](?:n)?(?:me|nos)|recu[eé]rd[ae](?:n)?(?:me|nos)|p[aá]s[ae](?:n)?(?:me|nos)"
        r"|h[aá]ga(?:n)?(?:me|nos)|resp[oó]nda(?:n)?(?:me|nos)|escr[ií]ba(?:n)?(?:me|nos)|h[aá]bleme|d[eé]me"
        r"|d[eé]nos)\b",
    ),
    "pt": (
        r"\b(?:pode[m]?|poderia[m]?|podes|podias|podia[m]?|consegue[m]?|conseguiria[m]?|seria poss[ií]vel|[eé] "
        r"poss[ií]vel|importa-se de|importava-se de)\b[^.]{0,120}\b\w+(?:ar|er|ir)(?:-me|-nos|-lhe)?\b",
        r"\b(?:por favor|favor|peço que|pedimos que|peço-lhe|solicito que|solicitamos|agradeço que|agradecia que"
        r"|agradecemos que|preciso que|precisamos que|gostaria que|quero que|necessito que|faça o favor)\b",
        r"\b(?:me )?(?:ligue|liga|telefone|contacte|contate|envie|mande|diga|confirme|avise|responda|retorne"
        r"|chame)(?:-me|-nos| para mim| pra mim|m-me)?\b(?=.*\b(?:me|nos|mim|para|-me|-nos|o |a |se )\b|-me|-nos)",
    ),
    "de": (
        r"\b(?:können|könnten|könntest|kannst|könnt|würden|würdest|würdet|wären|wärst|dürfte ich|dürften wir|darf "
        r"ich)\b[^.]{0,20}\b(?:sie|du|ihr|bitten|mal|mir|uns|jemand|wir|so)\b",
        r"\b(?:bitte|ich bitte (?:sie|um)|wir bitten (?:sie|um)|ich möchte sie bitten|ich brauche von ihnen|es wäre "
        r"(?:nett|schön|gut|super|hilfreich), wenn)\b(?! ?(?:schön|sehr)\b)",
        r"(?:^|[,;:.!]\s*|\bbitte\s+|\bund\s+)(?:rufen|ruf|schicken|schick|senden|sende|melden|melde|geben|gib"
        r"|teilen|sagen|sag|lassen|lass|kontaktieren|prüfen|bestätigen|antworten|erinnern|nehmen) (?:sie |dich "
        r"|sich |du )?(?:mich|mir|uns|bitte|sich|dich)\b",
    ),
    "fr": (
        r"\b(?:pouvez|pourriez|peux|pourrais|pourrait|voudriez|auriez|serait-il possible|est-il possible|est-ce "
        r"(?:que vous (?:pouvez|pourriez)|possible))\b[^.]{0,10}\b(?:-?vous|-?tu|-?on|possible|de|me|nous|que)\b",
        r"\b(?:s'il (?:vous|te) pla[iî]t|svp|stp|merci de|veuillez|je vous prie de|nous vous prions de|je vous "
        r"(?:demande|saurais gré)|j'aimerais que|j'ai besoin que|je souhaite(?:rais)? que|prière de|je vous "
        r"remercie de|ayez l'obligeance)\b",
        r"\b(?:appel(?:ez|le)|rappel(?:ez|le)|envo(?:yez|ie)|transmett(?:ez|s)|di(?:tes|s)|donn(?:ez|e)"
        r"|confirm(?:ez|e)|contact(?:ez|e)|fai(?:tes|s)|répond(?:ez|s)|téléphon(?:ez|e)|prév(?:enez|iens)"
        r"|inform(?:ez|e)|tenez)-(?:moi|nous)\b",
    ),
}

NOT_ASKS = (
    r"\b(?:no dude en|n[aã]o hesite em|n'hésitez pas|zögern sie nicht|si (?:tiene|necesita)[^.]{0,30}(?:duda"
    r"|pregunta|algo)|se (?:tiver|precisar)[^.]{0,30}(?:dúvida|algo)|bei (?:fragen|rückfragen)|si vous avez (?:des"
    r"|la moindre|une) question)\b",
    r"\b(?:disculpe[ns]?|desculpe|excusez|entschuldigen sie|perdone) (?:\w+ ){0,3}",
    # what they hand over is no errand
    r"^\W*(?:please |pls |kindly )?(?:find|see) (?!me\b|us\b)(?:(?!and\b)[\w']+ ){0,6}"
    r"(?:attached|enclosed|below|herewith)\b(?: (?!and\b|then\b|so\b|to\b)[\w']+){0,6}[.:!]*$",
)

CALL_STEMS = (
    "call",
    "ring",
    "phone",
    "llam",
    "llám",
    "telefon",
    "téléphon",
    "lig",
    "cham",
    "ruf",
    "appel",
    "coup de fil",
)

# Somebody is to ring the writer.
CALLS = (
    r"\b(?:call|ring|phone|telephone) (?:me|us)(?: back)?\b|\bgive (?:me|us) (?:a )?(?:quick )?(?:call|ring|buzz"
    r"|shout)\b|\b(?:can|could|would|will) (?:you|someone|somebody|anyone)(?: \w+){0,3} (?:call|ring|phone)\b"
    r"|\b(?:have|get|ask) (?:someone|somebody|him|her|them|\w+) (?:to )?(?:call|ring|phone) (?:me|us)\b"
    r"|\b(?:schedule|arrange|set up|book|have) (?:a |another )?(?:quick |short )?(?:phone |conference |video )?call\b",
    r"\bll[aá]m[ae](?:n)?(?:me|nos)\b|\b(?:puede|podr[ií]a|puedes|podr[ií]as|pueden)[^.]{0,25}(?:llamar(?:me|nos)?"
    r"|telefonear(?:me|nos)?)\b|\b(?:que me|que nos) llam(?:e|en|es)\b|devu[eé]lvame la llamada",
    r"\b(?:me lig\w+|lig(?:ue|a)-?(?:me|nos)?\b|ligue para|telefone-(?:me|nos)|liga(?:r)?-?me|me telefon\w+|me "
    r"cham[ae]|retorne a (?:minha )?(?:ligação|chamada))|\b(?:pode|poderia|podes|podia)[^.]{0,25}(?:ligar"
    r"|telefonar)(?:-me|-nos)?\b",
    r"\b(?:rufen sie (?:mich|uns)|ruf (?:mich|uns)|(?:mich|uns) [^.?]{0,50}?(?:an|zurück)(?:zu)?rufen|rückruf|um "
    r"(?:einen )?anruf|zurückrufen|telefonisch (?:melden|kontaktieren))\b",
    r"\b(?:appel(?:ez|le)|rappel(?:ez|le)|téléphon(?:ez|e))-(?:moi|nous)\b|\b(?:m'|nous |me )(?:r?appeler"
    r"|téléphoner)\b|passez-moi un coup de fil",
)
