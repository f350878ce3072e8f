"""Words that mark the end of a mail: how people take their leave, what they call their work and their firms."""

from __future__ import annotations

CLOSINGS = (
    r"(?:(?:best|kind|warm|warmest|kindest|many|with(?: (?:best|kind|warm))?) )?(?:regards?|wishes|thanks)(?: (?:in "
    r"advance|again|and (?:best|kind) regards|so much|a lot))?",
    r"best|cheers|sincerely(?: yours)?|yours (?:sincerely|truly|faithfully)|thank you(?: (?:very much|in advance"
    r"|again|so much|for your \w+))?|respectfully|cordially|take care|thx|rgds|br|all the best|talk soon",
    r"(?:un )?(?:cordial )?saludos?(?: cordial(?:es)?)?(?: atentos)?|atentamente|atte\.?|(?:muchas )?gracias(?: "
    r"(?:de antemano|por adelantado|y saludos))?|un abrazo|cordialmente|quedo (?:atent[oa]|a la espera).*|reciba un "
    r"cordial saludo",
    r"(?:com os melhores |melhores )?cumprimentos|atenciosamente|att\.?|(?:muito )?obrigad[oa](?: (?:desde já|pela "
    r"atenção))?|abra[cç]os?|cordialmente|grat[oa]|um abraço",
    r"(?:bien |très )?cordialement|(?:meilleures|sincères|bien cordiales|cordiales|respectueuses) salutations"
    r"|salutations(?: distinguées| cordiales)?|bien à (?:vous|toi)|merci(?: (?:d'avance|beaucoup|par avance"
    r"|encore))?|amicalement|sincèrement|je vous prie .*|veuillez .*",
    r"(?:mit )?(?:freundlichen|besten|herzlichen|vielen|lieben|schönen|viele|beste|liebe|herzliche|freundliche"
    r"|schöne)[mn]? ?(?:grü(?:ß|ss)en?|gruß|gruss|dank)(?: (?:im voraus|aus \w+))?|mfg|lg|vg|danke(?: (?:im voraus"
    r"|schön|dir|ihnen))?|hochachtungsvoll|gruß|grüße",
    r"cordiali saluti|distinti saluti|saluti|grazie(?: mille)?|met vriendelijke groet(?:en)?|groet(?:en|jes)?|mvh"
    r"|med vänlig(?:a)? hälsning(?:ar)?|vänliga hälsningar|med venlig hilsen|vennlig hilsen|hilsen|pozdrawiam|z "
    r"poważaniem|с уважением|з повагою|ystävällisin terveisin",
)

TITLES = (
    r"\b(?:C[EFTOIM]O|CHRO|CPO|C[RSD]O|[ES]?VP|AVP|GM|MD)\b",
    r"\b(?:chief|officer|president|vice[- ]president|chair(?:man|woman|person)?|director|managing|manager"
    r"|supervisor|coordinator|co-ordinator|administrator|assistant|associate|analyst|engineer|architect|developer"
    r"|designer"
    r"|consultant|advisor|adviser|specialist|representative|executive|accountant|controller|treasurer|secretary"
    r"|clerk|buyer|purchaser|purchasing|procurement|planner|attorney|lawyer|counsel|paralegal|partner|founder"
    r"|co-?founder|owner"
    r"|principal|professor|lecturer|researcher|scientist|technician|foreman|superintendent|broker|agent|realtor"
    r"|underwriter|loan officer|processor|appraiser|inspector|head of|lead|editor|journalist|producer|recruiter"
    r"|trader|sales|marketing|operations)\b",
    r"\b(?:gerente|director[a]?|jefe|jefa|responsable|encargad[oa]|asistente|ayudante|comprador[a]?|compras|ventas"
    r"|ingenier[oa]|abogad[oa]|contador[a]?|consultor[a]?|coordinador[a]?|administrador[a]?|soci[oa]|fundador[a]?"
    r"|presidente|vicepresidente|analista|técnico|comercial)\b",
    r"\b(?:diretor[a]?|gestor[a]?|chefe|engenheir[oa]|advogad[oa]|comprador[a]?|vendas|coordenador[a]?|sóci[oa]"
    r"|assistente|analista|supervisor[a]?|encarregad[oa])\b",
    r"\b(?:directeur|directrice|responsable|chef|cheffe|ingénieure?|avocate?|comptable|acheteu[rs]e?|achats"
    r"|assistante?|conseill(?:er|ère)|consultante?|gérante?|président(?:e)?|commerciale?|chargée? d[e'])\b",
    r"\w*(?:geschäftsführer(?:in)?|leiter(?:in)?|leitung|vorstand|prokurist(?:in)?|einkauf|einkäufer(?:in)?"
    r"|vertrieb|verkauf|ingenieur(?:in)?|berater(?:in)?|assistent(?:in)?|sachbearbeiter(?:in)?|rechtsanwalt"
    r"|rechtsanwältin|buchhaltung|projektleiter(?:in)?|referent(?:in)?)\b",
)

COMPANIES = (
    r"\b(?:inc\.?|incorporated|llc|l\.l\.c\.|llp|l\.l\.p\.|lp|ltd\.?|limited|plc|corp\.?|corporation|co\.|company"
    r"|group|holdings?|partners|associates|solutions|services|industries|enterprises|technologies|systems"
    r"|international|consulting|logistics|bank|university|institute|foundation"
    r"|gmbh(?: & co\.? kg)?|ag|kg|ohg|e\.k\.|ug|s\.?a\.?(?: de c\.?v\.?)?|s\.?l\.?u?\.?|s\.?r\.?l\.?|s\.?p\.?a\.?"
    r"|s\.?a\.?r\.?l\.?|sas|s\.a\.s\.?|eurl|sasu|ltda\.?|lda\.?|eireli|s/a|b\.?v\.?|n\.?v\.?|ab|as|oy|a/s|aps|sp\. "
    r"z o\.o\.|pty|gruppe|groupe|grupo|construcciones|transportes)(?=$|[\s,|.)])",
)

STREETS = (
    r"\b\d{1,6}[A-Za-z]?,? (?:[NSEW]\.? )?(?:[\w.'’]+ ){1,4}(?:st(?:reet)?|ave(?:nue)?|rd|road|blvd|boulevard"
    r"|dr(?:ive)?|ln|lane|way|ct|court|pl(?:aza|ace)?|pkwy|parkway|hwy|highway|sq(?:uare)?|terrace|circle|cir|suite"
    r"|loop|row|close|crescent)\b",
    r"\b(?:calle|c/|avda?\.?|avenida|av\.|plaza|paseo|carrera|cra\.?|carretera|ctra\.?|rua|r\.|travessa|praça"
    r"|alameda|rodovia|estrada|rue|boulevard|bd|place|allée|chemin|quai|impasse|via|viale|piazza|corso) "
    r"(?:[\w.'’ªº]+[ ,]+){1,6}\d{1,5}",
    r"\b\d{1,5}(?: ?(?:bis|ter))?,? (?:rue|avenue|av\.?|boulevard|bd|place|allée|chemin|quai|impasse|route)\b",
    r"\b[A-ZÄÖÜ][\w.äöüß-]*(?:stra(?:ße|sse)|str\.|weg|platz|allee|gasse|ring|ufer|damm|straat|laan|gade|vej|gatan"
    r"|vägen)\s*\d{1,4}",
    r"\b(?:p\.? ?o\.? box|apartado(?: postal)?|postfach|caixa postal|boîte postale|bp) \d+",
)

POSTAL = (
    r"\b[A-Z]{2}\.? \d{5}(?:-\d{4})?\b",
    r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b",
    r"\b(?:[A-Z]{1,2}-)?\d{4,5}(?:-\d{3})? [A-ZÄÖÜÉ][\w'’äöüéèêáíóúñç-]+",
    r"\b\d{5}-\d{3}\b",
)
