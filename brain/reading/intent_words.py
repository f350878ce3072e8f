"""How clients order, ask for prices, complain and wish to be left alone, in five languages.

Each saying is a pattern over one sentence in lower case. `strong` settles it, `never` rules it out; a sentence
without any of `stems` is not even looked at, because most sentences are about something else.
"""

from __future__ import annotations

from typing import NamedTuple


class Sayings(NamedTuple):
    """The patterns of one intent."""

    stems: tuple[str, ...]
    strong: tuple[str, ...]
    never: tuple[str, ...] = ()


UNSUBSCRIBE = Sayings(
    stems=(
        "subscri", "suscri", "list", "remov", "lösch", "datenbank", "plus m'", "plus nous", "vuelva", "delete", "opt", "stop", "quit", "cease", "refrain", "discontinue",
        "contact", "e-mail", "email", "messag", "don't", "do not", "no longer", "not interested", "alone", "database",
        "lose my", "baja", "inscri", "recib", "enviar", "envíe", "envie", "enviem", "manden", "escrib", "elimin",
        "borr", "sair", "descad", "receb", "deixe", "pare", "abmeld", "melden", "austrag", "tragen", "abbestell",
        "streich", "newsletter", "werbung", "nachricht", "schreib", "kontakt", "verteiler", "abonn", "retir",
        "supprim", "enlev", "cess", "arrêt", "recevoir", "plus de", "unsub", "mailing", "saqu", "sacar", "nehmen",
        "record",
    ),  # fmt: skip
    strong=(
        r"^\W*(?:please |pls |kindly )?(?:unsubscribe|remove|opt[- ]?out|stop)(?: me| us)?(?: please| now| immediately| thanks?(?: you)?)?\W*$",
        r"(?:please|pls|kindly|want to|like to|wish to|need to|must|could you|can you|would you|asked you to|just) (?:\w+ )?unsubscribe (?:me|us|this (?:e-?mail )?address|my (?:e-?mail )?address|from|\S+@\S+)",
        r"\b(?:unsubscribe|de-?list|opt) (?:me|us|this address|my (?:e-?mail|address))\b",
        r"(?:remove|delete|take|get|drop|strike) (?:me|us|my (?:name|e-?mail|address|details|contact)(?: address| details| info\w*)?|this (?:e-?mail )?address|our (?:name|address|e-?mail)(?: address)?|\S+@\S+) (?:off|out of|from) (?:of )?(?:your|this|the|any|all)?(?: \w+){0,3} ?(?:list|database|mailing|distribution|records|system|campaign|e-?mails)",
        r"(?:stop|quit|cease|refrain from|discontinue) (?:\w+ )?(?:sending|e-?mailing|contacting|writing(?: to)?|messaging|spamming|bothering|mailing) (?:me|us|these|this|any|your|out|such|more|so many|to this)",
        r"(?:do not|don't|never|no longer|not) (?:\w+ )?(?:contact|e-?mail|write(?: to)?|message|send|mail|bother|spam)(?: (?:to )?(?:me|us|these|this address|any (?:more|further)|this kind))(?: \w+){0,4}(?: again| any ?more| in future| in the future| further|$|\W|e-?mails|messages|mailings|offers|newsletters)",
        r"(?:no longer|don't|do not|not) (?:wish|want|like|care|need|interested in)(?: to)?(?: (?:receive|receiving|get|getting|hear|hearing|be contacted|be emailed|be on))",
        r"\bopt(?:ing)?[- ]?(?:me )?out\b(?! of (?:the )?(?:meeting|deal|project|contract))|(?:cancel|end|terminate|stop) (?:my|our|the|this) (?:e-?mail |newsletter |mailing )?(?:subscription|newsletter|e-?mails|mailings?)",
        r"leave (?:me|us) alone|not interested,? (?:so )?(?:please )?(?:stop|remove|don't|do not)|lose my (?:e-?mail|address)|off (?:your|this|the) (?:mailing |e-?mail |distribution )?list,? please",
        r"(?:d[eé](?:me|nme|nos)|dar(?:me|nos)|darse|desea|quiero|quisiera|solicito|favor de dar|ruego)[^.]{0,20}(?:de baja|la baja)|\bbaja\b[^.]{0,25}(?:list|suscrip|bolet|correos|newsletter)|^\W*(?:de )?baja\W*$|cancel\w* (?:mi|la|nuestra) suscripción|desuscrib\w+|des-?suscribir\w*",
        r"(?:no (?:quiero|queremos|deseo|deseamos|me interesa)|ya no (?:quiero|queremos|deseo|deseamos)|dejen? de|deje de|no (?:me|nos) (?:env[ií]en?|manden?|escriban?|contacten?)|no (?:me |nos )?(?:vuelvan?|vuelva) a)[^.]{0,20}(?:recibir|enviar\w*|mandar\w*|escribir\w*|contactar\w*|m[aá]s\b|correos|emails|publicidad)",
        r"(?:elimin\w+|borr\w+|quit\w+|sac\w+|retir\w+)[^.]{0,30}(?:de (?:su|la|esta|sus|vuestra) (?:lista|base de datos|bbdd)|de (?:sus|las) (?:listas|envíos))",
        r"(?:remov\w+|retir\w+|tir\w+|exclu\w+|apag\w+|elimin\w+)[^.]{0,35}(?:d[ae] (?:sua|vossa|lista|base|mailing|suas listas)|da lista|das listas|de sua lista)|descadastr\w+|desinscrev\w+|cancel\w+ (?:a |minha |a minha |nossa )+(?:inscri|assinatura|subscri)\w+|^\W*(?:sair|descadastrar|remover)\W*$",
        r"(?:não (?:quero|queremos|desejo|desejamos|pretendo|tenho interesse em)|deixem? de|pare[mn]? de|parar de|não (?:me|nos) (?:env\w+|mand\w+|contact\w+))[^.]{0,20}(?:receber|enviar\w*|mandar\w*|contactar\w*|contatar\w*|e-?mails|mensagens|mais)",
        r"(?:abmelden|austragen|abbestellen|streichen|entfernen|löschen|nehmen)[^.]{0,40}(?:newsletter|verteiler|liste|adressliste|mailingliste|datenbank)|(?:newsletter|verteiler|liste|mailingliste|adresse)[^.]{0,40}(?:abmelden|austragen|abbestellen|streichen|entfernen|löschen|nehmen|abzumelden|auszutragen|zu streichen|zu löschen)|^\W*(?:bitte )?abmelden\W*$|nehmen sie mich (?:bitte )?(?:aus|von)|tragen sie mich (?:bitte )?(?:\w+ )*aus|streichen sie (?:mich|uns|meine)|melden sie mich (?:bitte )?(?:\w+ )*ab",
        r"(?:keine|nicht mehr|nie wieder|aufhören)[^.]{0,40}(?:e-?mails?|mails?|werbung|nachrichten|newsletter|anschreiben|kontaktieren|angeschrieben)[^.]{0,30}(?:mehr|schicken|senden|erhalten|bekommen|zusenden|zu|$|\W)|(?:schreiben|kontaktieren|schicken|senden) sie (?:mir|mich|uns) (?:bitte )?(?:nicht|nie|keine)(?: mehr| wieder)?",
        r"(?:désabonn\w+|désinscri\w+|desabonn\w+|desinscri\w+)(?:[- ](?:moi|nous))?|(?:retir\w+|supprim\w+|enlev\w+|ray\w+|ôt\w+)[- ](?:moi|nous|mon adresse|notre adresse|mon (?:e-?mail|mail|nom))[^.]{0,20}(?:de (?:votre|vos|la|cette)|liste|fichier|base)",
        r"(?:merci|prière|veuillez)(?: de)? ne plus (?:m'|nous |me )?(?:envoyer|écrire|contacter|adresser)|(?:ne (?:veux|souhaite|souhaitons|voulons|désire|désirons) (?:plus|pas)|cessez|arrêtez|merci de ne plus|ne (?:me|nous) (?:envoyez|contactez|écrivez))[^.]{0,25}(?:recevoir|envoyer|contacter|écrire|m'envoyer|nous envoyer|plus|de mails|d'e-?mails|vos (?:mails|e-?mails|messages|publicités))",
    ),
    never=(
        r"(?:don't|do not|didn't|did not|never|not) (?:want to |mean to |wish to |intend to )?(?:be )?(?:unsubscribe|remove[d]? me|opt[- ]?out|take me off)",
        r"(?:click|clic|klick|cliquez|haga|pulse|clique) (?:\w+ )?(?:here|below|aquí|hier|ici|aqui|sur|en)|to unsubscribe[,:]|if you (?:no longer |don't |do not )?(?:wish|want|would)|unsubscribe (?:link|button|page|option|rate|process|footer|feature|function\w*|requests?)",
        r"(?:how|where|why|when|do|does|can) (?:do|does|can|could|would|did)?\s*(?:we|our|customers?|clients?|users?|they|people|subscribers) (?:\w+ )?(?:unsubscribe|opt)|still (?:want|like) to receive|(?:keep|put|add) (?:me|us) (?:on|to)|si (?:no desea|ya no)|wenn sie (?:keine|nicht)|si vous ne (?:souhaitez|voulez)|se não (?:quiser|desejar)",
        r"(?:those|anyone|people|someone|persons|users|everyone|anybody) (?:who|that)|we (?:strongly )?(?:oppose|are strongly)|you (?:will|can|may|have)[^.]{0,30}opt|(?:go|visit|reply|write)[^.]{0,40}(?:http|to:)|(?:sorry|apolog)\w* .{0,30}unsubscrib|unsubscribed (?:by mistake|by accident|accidentally)|(?:customer|client|user|member)s? (?:who |that )?(?:have |has )?unsubscrib|no (?:quiero|deseo) (?:darme|dar) de baja|nicht (?:vom|aus dem) (?:newsletter|verteiler) (?:abmelden|streichen)",
    ),
)

COMPLAINT = Sayings(
    stems=(
        "complain", "disappoint", "dissatisf", "unhappy", "upset", "frustrat", "angry", "annoyed", "displeas",
        "unsatisf", "fed up", "let down", "not at all", "happy", "satisf", "pleased", "accept", "impress", "ridicul",
        "outrag", "joke", "disgrace", "good enough", "appall", "terrible", "awful", "horrible", "worst", "shame",
        "pathetic", "lousy", "atrocious", "shoddy", "damag", "broken", "defect", "faulty", "crack", "smash", "torn",
        "incomplet", "wrong", "incorrect", "leak", "unus", "scratch", "dent", "mould", "mold", "spoil", "refund",
        "money back", "compens", "replac", "time", "still", "yet", "never", "haven't", "hasn't", "charg", "bill",
        "lost", "waste", "rip", "let us", "messed", "screwed", "queja", "quejar", "reclam", "decepcion", "insatisf",
        "descont", "molest", "enfad", "disgust", "inacept", "pésim", "pesim", "vergonz", "lament", "inadmis",
        "intoler", "rot", "dañ", "partid", "errad", "errón", "defectuos", "equivocad", "estropead", "golpead", "erróne", "todav", "aún", "aun",
        "sigo", "seguimos", "reembols", "devoluci", "content", "conforme", "cobrad", "queixa", "desapont", "chatead",
        "aborrec", "desilud", "inaceit", "vergonhos", "absurdo", "quebrad", "danific", "estragad", "avariad", "ainda",
        "exij", "beschwer", "reklam", "beanstand", "mängel", "enttäusch", "unzufried", "verärg", "zufried", "sauer",
        "inakzept", "unversch", "katastroph", "unzumut", "frechheit", "unmöglich", "hinnehm", "beschäd", "defekt",
        "kaputt", "falsch", "unvollst", "mangelhaft", "zerbroch", "zerkratzt", "immer noch", "noch immer",
        "bis heute", "weiterhin", "erstatt", "geld", "schadens", "ersatz", "doppelt", "réclam", "plainte", "plaindre",
        "déçu", "mécont", "insatisfait", "contrari", "fâch", "inacceptable", "inadmissible", "scandal", "honteux",
        "déplor", "cass", "endommag", "défect", "abîm", "incompl", "erron", "mauvais", "toujours", "encore",
        "rembours", "dédommag", "factur", "débit",
    ),  # fmt: skip
    strong=(
        r"(?:file|make|lodge|raise|register|submit|formal|official|have) (?:a |an |this |my |our )?(?:\w+ )?complaint\b|(?:i am|i'm|we are|we're) (?:writing to )?complain|want to complain|complaint (?:about|regarding|against)",
        r"\b(?:very|extremely|really|so|deeply|quite|most|totally|absolutely|utterly|rather|pretty|bitterly)(?: \w+)? (?:disappoint\w+|dissatisf\w+|unhappy|upset|frustrat\w+|angry|annoyed|displeased|unsatisf\w+|fed up|let down)|not (?:at all )?(?:happy|satisfied|pleased|acceptable|impressed|what (?:we|i) (?:ordered|paid|agreed)) (?:with|about|at|by|$|\W)|this is (?:simply |just |totally |completely )?(?:unacceptable|ridiculous|outrageous|a joke|a disgrace|not good enough)",
        r"\b(?:unacceptable|appalling|disgraceful|terrible|awful|horrible|worst|shameful|pathetic|lousy|atrocious|shoddy)\b(?: \w+){0,4} ?(?:service|experience|quality|support|delay|treatment|product|communication|company|job|work|response)",
        r"(?:order|delivery|item|shipment|parcel|box|product|goods|unit|report|invoice)s?(?: \w+)? (?:is|was|are|were) (?:\w+ )?(?:wrong|incorrect)\b|(?:arrived|came|delivered|received|got|sent|was|were|is|are) (?:\w+ ){0,4}(?:damaged|broken|defective|faulty|cracked|smashed|torn|incomplete|leaking|unusable|scratched|dented|mouldy|moldy|spoiled)",
        r"\b(?:wrong|incorrect|damaged|broken|defective|faulty) (?:item|items|product|products|order (?!of)|size|colou?r|model|part|parts|goods|quantity|address|unit|units|report|shipment|parcel|invoice amount)",
        r"(?:want|demand|expect|insist on|request|require|give me|like)(?: \w+){0,3} (?:refund|money back|compensation|replacement)|(?:third|fourth|fifth|3rd|4th|2nd|nth|last) time (?:i|we)(?:'ve| have)? (?:\w+ )?(?:write|written|call|called|ask|asked|contact|contacted|complain\w*|report\w*|chas\w*)",
        r"(?:still|yet) (?:\w+ )?(?:not|n't|no one|nobody)(?: \w+){0,3} (?:received|arrived|delivered|been delivered|heard|answered|resolved|fixed|refunded|shipped|replied)|(?:have|has)n't (?:\w+ )?(?:received|arrived|been (?:delivered|fixed|resolved|refunded))(?: \w+){0,6} (?:still|yet|despite|although|promised|weeks?|days?)|never (?:arrived|received|delivered|showed up|turned up|got|heard back|came)",
        r"(?:overcharged|double[- ]charged|charged (?:us |me )?(?:twice|double|too much)|billed (?:us |me )?twice|lost (?:our|my) (?:order|parcel|package)|waste of (?:time|money)|rip[- ]?off|let us down|messed up|screwed up (?:our|my|the))",
        r"\b(?:queja|reclamaci[oó]n|reclamo|reclamar|quejarme|quejarnos)\b|(?:muy|totalmente|profundamente|bastante|realmente|sumamente) (?:decepcionad|insatisfech|descontent|molest|enfadad|disgustad)\w+|\b(?:inaceptable|p[eé]simo|p[eé]sima|vergonzos[oa]|lamentable|inadmisible|intolerable)\b|(?:lleg[oó]|llegaron|ha llegado|han llegado|recib\w+|vino|est[aá]n?) (?:\w+ ){0,4}(?:roto|rota|rotos|rotas|dañad\w+|defectuos\w+|incomplet\w+|equivocad\w+|estropead\w+|mal estado|golpead\w+)|(?:producto|art[ií]culo|pedido|modelo|talla) (?:equivocad|err[oó]ne|incorrect|defectuos|dañad)\w+|(?:todav[ií]a|a[uú]n|sigo|seguimos)(?: sin| no)[^.]{0,25}(?:recib|lleg|respuesta|entreg)\w*|(?:exijo|exigimos|quiero|solicito) (?:\w+ ){0,3}(?:reembolso|devoluci[oó]n|compensaci[oó]n)|no (?:estoy|estamos) (?:nada |para nada )?(?:content|satisfech|conforme)\w*|nos han cobrado (?:dos veces|de m[aá]s)",
        r"\b(?:reclama[cç][aã]o|reclamar|queixa)\b|(?:muito|extremamente|bastante|profundamente|totalmente) (?:decepcionad|insatisfeit|descontent|desapontad|chatead|aborrecid|desiludid)\w+|\b(?:inaceit[aá]vel|p[eé]ssim[oa]|vergonhos[oa]|lament[aá]vel|inadmiss[ií]vel|um absurdo)\b|(?:chegou|chegaram|veio|vieram|recebi|recebemos|est[aá]o?) (?:\w+ ){0,4}(?:quebrad|danificad|defeituos|com defeito|incomplet|errad|partid|estragad|avariad)\w*|(?:produto|artigo|pedido|modelo|item) (?:errad|danificad|defeituos|com defeito)\w*|ainda não[^.]{0,25}(?:receb|cheg|respond|entreg|foi)\w*|(?:exijo|exigimos|quero|solicito) (?:\w+ ){0,3}(?:reembolso|devolu[cç][aã]o|indeniza[cç][aã]o|estorno)|não (?:estou|estamos) (?:nada )?(?:satisfeit|content)\w*|cobrad\w+ (?:duas vezes|em duplicado|a mais)",
        r"\b(?:beschwerde|beschweren|reklamation|reklamieren|reklamiere|beanstand\w+|mängelrüge)\b|(?:sehr|äußerst|extrem|mehr als|zutiefst|wirklich|ziemlich|überhaupt nicht|gar nicht|nicht) (?:enttäuscht|unzufrieden|verärgert|zufrieden|sauer|frustriert)|\b(?:inakzeptabel|unverschämt|katastrophal|unzumutbar|frechheit|unmöglicher service|nicht hinnehmbar)\b|(?:beschädigt|defekt|kaputt|falsch|unvollständig|mangelhaft|zerbrochen|zerkratzt)(?:e|er|es|en)? (?:\w+ ){0,3}(?:geliefert|angekommen|erhalten|ware|artikel|lieferung|teile|produkt|gerät|modell)|(?:geliefert|angekommen|erhalten|ware|artikel|lieferung|teile|produkt|gerät|paket|sendung)[^.]{0,40}(?:beschädigt|defekt|kaputt|falsch|unvollständig|mangelhaft|zerbrochen|zerkratzt)|(?:immer noch|noch immer|bis heute|weiterhin) (?:nicht|kein\w*)[^.]{0,40}(?:erhalten|geliefert|angekommen|antwort|da|bekommen)|(?:fordere|verlange|erwarte|möchte)[^.]{0,25}(?:erstattung|rückerstattung|geld zurück|schadensersatz|ersatzlieferung)|doppelt (?:berechnet|abgebucht)",
        r"\b(?:réclamation|plainte|me plaindre|nous plaindre|porter plainte)\b|(?:très|extrêmement|vraiment|profondément|particulièrement|fort) (?:déçue?s?|mécontente?s?|insatisfaite?s?|contrariée?s?|fâchée?s?)|\b(?:inacceptable|inadmissible|scandaleux|lamentable|honteux|déplorable|intolérable)\b|(?:arrivée?s?|reçue?s?|livrée?s?|est|sont|était|étaient) (?:\w+ ){0,4}(?:cassée?s?|endommagée?s?|défectueu(?:x|se|ses)|abîmée?s?|incomplète?s?|erronée?s?)|(?:mauvais|mauvaise) (?:article|produit|taille|modèle|commande|référence|couleur|quantité)|(?:toujours|encore) (?:pas|rien|aucun\w*)[^.]{0,25}(?:reçu|livré|réponse|arrivé)\w*|(?:exige|exigeons|demande|demandons|souhaite) (?:\w+ ){0,4}(?:remboursement|dédommagement)|pas (?:du tout )?(?:satisfaite?s?|contente?s?)|facturée? (?:deux fois|en double)|débitée? deux fois",
    ),
    never=(
        r"no complaints?|not (?:a|here to) complain|without (?:any )?(?:complaint|problem|issue)s?|no (?:problem|issue|worries)|(?:not|n't|never) (?:at all )?(?:disappoint|unhappy|upset)|far from (?:disappoint|unhappy)|(?:not|never) (?:been )?(?:damaged|broken|faulty)|ninguna queja|sin (?:ning[uú]n )?problema|nenhuma reclama|sem (?:nenhum )?problema|keine? (?:beschwerde|beanstandung|problem)|aucune? (?:plainte|réclamation|problème)|pas de problème|complaint (?:policy|procedure|form|department|process|handling)|if (?:you|there) (?:are|is|have|were)(?: \w+){0,3} (?:unhappy|complain|problem|damaged|disappoint|not satisfied)|glad|delighted|no queja",
    ),
)

QUOTE = Sayings(
    stems=(
        "quot", "rfq", "rfp", "price", "pricing", "estimat", "proposal", "bid", "rate", "cost", "charge", "much",
        "fee", "presupuest", "cotiz", "cuánto", "cuanto", "qué precio", "que precio", "precio", "tarif", "oferta",
        "orçament", "orcament", "cotaç", "cotac", "cotar", "quanto", "qual", "preço", "preco", "valor", "proposta",
        "angebot", "preis", "anfrage", "kost", "staffel", "offert", "wieviel", "wie viel", "devis", "prix", "combien", "quel",
        "offre", "chiffrage",
    ),  # fmt: skip
    strong=(
        r"\b(?:request for (?:a )?(?:quote|quotation|proposal)|rfq|rfp|quote request|price (?:list|request|enquiry|inquiry)|request (?:a|your) (?:quote|quotation|price))\b",
        r"\b(?:send|give|provide|get|have|need|like|want|share|submit|prepare|offer|forward|e-?mail|obtain|appreciate|looking for|request\w*|asking for|require|work up|put together|could i|can i|can we|may i|may we|could we) (?:me |us |you |to |receive |have |get |see |over |back |through |with |for |an? |the |your |our |some |any |in |on |best |current |latest |updated |revised |new |formal |written |detailed |possible |quick |rough |free |trade |full |both ){0,7}(?:quotes?|quotation|estimate|pricing|price ?list|prices?|proposal|cost estimate|bid|rate card|rates)\b(?! of)",
        r"(?:how much (?:would|will|do|does|is|are|for|to|per|it|you)\b(?! of)|what (?:is|are|would|'s|will|do|does)(?: \w+){0,5} (?:price|cost|charge|rate|fee|quote)s?\b|what would (?:it|that|you) (?:cost|charge)|\b(?:price|pricing|cost|rate)s? (?:for|of|on|per) (?:\w+ ){0,4}(?:\d+ )?(?:units?|pieces|pcs|boxes|copies|licen[cs]es)|can you (?:quote|price)|(?:please|kindly|could you|would you) (?:quote|price) (?!me on)|\bquote (?:us|me) (?:for|on|a|your|the)\b)",
        r"(?:presupuest|cotizaci[oó]n|cotizar|cot[ií]ce|cotizarnos)\w*|(?:cu[aá]nto (?:cuesta|cuestan|vale|valen|costar[ií]a|saldr[ií]a|ser[ií]a|cobran)|qu[eé] precio|(?:precio|precios|tarifa|tarifas|lista de precios) (?:para|de|por|del|actualizad))|(?:env[ií]\w+|facilit\w+|pas\w+|mand\w+|dar\w*|solicit\w+|necesit\w+|indic\w+) (?:\w+ ){0,6}(?:precios?|tarifas?|oferta|presupuesto)\b",
        r"\b(?:or[cç]amentos?|cota[cç][aã]o|cota[cç][oõ]es|cotar|or[cç]ar)\b|(?:quanto (?:custa|custam|fica|ficaria|custaria|sai|é|cobram)|qual (?:é |seria |o )*(?:o )?(?:pre[cç]o|valor)|(?:pre[cç]o|pre[cç]os|tabela de pre[cç]os) (?:para|de|por))|(?:envi\w+|fornec\w+|pass\w+|mand\w+|solicit\w+|precis\w+|inform\w+|indic\w+) (?:\w+ ){0,6}(?:pre[cç]os?|valor(?:es)?|proposta)\b",
        r"\b(?:angebots?anfrage|preisanfrage|anfrage (?:über|für|zu|bezüglich)|kostenvoranschlag|preisliste|preisauskunft)\w*|(?:unterbreiten|zusenden|senden|schicken|machen|erstellen|bitte um|bitten um|benötigen|brauchen|hätten? gerne?|wünsche|erbitte|anbieten|kalkulieren|nennen|mitteilen|erhalten)[^.]{0,60}\b(?:angebot|\w*preise?|kosten|offerte)\b|\b(?:angebot|offerte|\w*preise?)\b[^.]{0,60}(?:unterbreiten|zusenden|zukommen|senden|schicken|machen|erstellen|nennen|mitteilen|erhalten|anbieten|bekommen)|(?:was|wie ?viel) (?:kostet|kosten|würde|würden|kommt|verlangen)|bitten? (?:\w+ ){0,4}um (?:ein |ihr |ihre |eine )?(?:\w+ )?(?:angebot|offerte|preis)",
        r"\b(?:devis|demande de prix|cotation|tarifs? pour|chiffrage)\b|(?:combien (?:coût\w*|cout\w*|vaut|valent|ça|cela|pour|est-ce)|quel (?:est|serait) (?:le|votre|votre meilleur) (?:prix|tarif|coût)|quels (?:sont|seraient) (?:les|vos) (?:prix|tarifs))|(?:envoy\w+|fai\w+ parvenir|transmett\w+|communiqu\w+|donn\w+|souhait\w+|aimer\w+|besoin|demand\w+|établir|adress\w+|proposer) (?:\S+ ){0,7}(?:prix|tarifs?|offre|devis)\b",
    ),
    never=(
        r"(?:according to|as per|per|as in|según|conforme a?|gemäß|laut|selon|suivant) (?:\w+ ){0,3}(?:quote|quotation|offer|presupuesto|oferta|cotización|orçamento|proposta|angebot|devis|offre)\b|(?:thanks?(?: you)? (?:very much |so much )?for|received|reviewed|gracias por|obrigad[oa] pel[oa]|merci (?:beaucoup )?(?:pour|de votre)|dank für)(?: \w+){0,5} (?:quote|quotation|estimate|proposal|pricing|presupuesto|cotizaci[oó]n|or[cç]amento|angebot|devis|offre|oferta|proposta)\b(?!.*\b(?:revise|update|new|another|also)\b)",
        r"(?:no longer|don't|do not|not) need (?:a |the |your )?(?:quote|estimate|pricing)|(?:accept|approve|agree|go ahead|proceed)\w*(?: \w+){0,4} (?:quote|quotation|estimate|proposal|presupuesto|or[cç]amento|angebot|devis)|(?:quote|quotation|estimate|proposal) (?:is |has been |was )?(?:accepted|approved|expired|attached|fine|ok|too)|(?:attached|here) (?:is|are) (?:\w+ ){0,3}(?:quote|quotation|estimate|pricing|price)|\bquote of the day\b|quote from|price (?:increase|change|went|has gone)|as per (?:your |the )?(?:quote|quotation)|at any (?:price|cost|rate)|worth the price|our prices|exchange rate|interest rate",
    ),
)

ORDER = Sayings(
    stems=(
        "order", "purchase", "buy", "po", "ship", "send", "deliver", "supply", "dispatch", "take", "have", "pedir",
        "pedido", "encarg", "comprar", "orden", "enví", "envi", "mand", "suministr", "sirv", "despach", "prepar",
        "apúnt", "quiero", "quero", "encomend", "ordem", "compra", "forne", "adquir", "entreg", "bestell", "auftrag",
        "nachbestell", "ordern", "liefer", "schick", "kauf", "nehm", "brauch", "beauftrag", "commande", "command",
        "acheter", "livrer", "envoyer", "expéd", "fournir", "prépar", "peço",
    ),  # fmt: skip
    strong=(
        r"(?:like|want|wish|need|ready|going|happy|pleased|would love) to (?:\w+ )?(?:order|place (?:an?|the|this|our|another|a new|my) (?:\w+ )?order|purchase|buy|reorder|re-order)\b|(?:place|placing|submit|submitting|put in|put through|make) (?:an?|the|this|the following|our|my|another|a new|a repeat|a rush|a small|a large) (?:\w+ )?order|(?:herewith|hereby) (?:we )?order|please (?:\w+ )?(?:order|book|process|accept|enter|find|see|confirm|fulfil\w*|arrange)(?: \w+){0,5} (?:order|purchase order|po)\b|(?:i'd|we'd|i'll|we'll|i will|we will) (?:\w+ )?(?:order|take|have|buy|purchase)(?: another)? (?:\d+|two|three|four|five|six|ten) ",
        r"(?:please|kindly|could you|can you) (?:\w+ )?(?:send|ship|deliver|supply|dispatch|get) (?:me |us |out |over )?(?:the following|\d+|another \d+|a dozen|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty) (?!(?:more )?(?:options|days|minutes|weeks|hours|copies of the (?:contract|invoice)|photos|pictures|questions|links|names|dates|times))|(?:please |kindly )?(?:order|reorder|re-order) (?:the following|as follows|\d+)|(?:same|repeat|usual|standing|regular) order|(?:attached|enclosed|below|here)(?: \w+){0,4} (?:is|are|find|you will find|you'll find)(?: \w+){0,4} (?:purchase order|\bpo\b|order)\b|(?:purchase order|\bpo\b) (?:attached|enclosed|below)|our (?:purchase )?order (?:for|no|number|#)|\bpurchase order\b(?=.*\d)",
        r"(?:quiero|queremos|quisiera|quisi[eé]ramos|deseo|deseamos|necesito|necesitamos|me gustar[ií]a|nos gustar[ií]a) (?:\w+ )?(?:pedir|hacer (?:un|el|este|otro) pedido|encargar|comprar|realizar un pedido|ordenar)|(?:hago|hacemos|realizo|realizamos|paso|pasamos|adjunto|adjuntamos|confirmo|confirmamos|env[ií]o|enviamos|les? paso) (?:\w+ ){0,3}(?:pedido|orden de compra)|(?:por favor|favor de|ruego|rogamos)[,:]? (?:\w+ )?(?:env[ií]\w+|mand\w+|suministr\w+|sirv\w+|despach\w+|prepar\w+) (?:nos |me )?(?:\d+|lo siguiente|los siguientes|las siguientes|una|dos|tres|cuatro|cinco|diez)|(?:env[ií]e(?:n)?(?:me|nos)|mánde(?:n)?(?:me|nos)|prepáre(?:n)?(?:me|nos)|apúnte(?:n)?(?:me|nos)) (?:por favor )?(?:\d+|lo siguiente|una|dos|tres|cuatro|cinco|diez|las? |los )|(?:nuevo|siguiente|nuestro) pedido\b|orden de compra|el pedido (?:habitual|de siempre)|pedido:",
        r"(?:quero|queremos|gostaria|gostar[ií]amos|desejo|desejamos|preciso|precisamos|queria|quer[ií]amos|pretendo|pretendemos)(?: de)? (?:\w+ )?(?:encomendar|fazer (?:um|uma|o|a|outra|outro|nova|novo)? ?(?:\w+ )?(?:pedido|encomenda)|comprar|pedir \d+|adquirir)|(?:faço|fazemos|segue|seguem|envio|enviamos|confirmo|confirmamos|anexo|em anexo) (?:\w+ ){0,4}(?:pedido|encomenda|ordem de compra|nota de encomenda)|(?:por favor|favor|peço que|pedimos que|solicito que)[,:]? (?:\w+ )?(?:env\w+|mand\w+|forne[cç]\w+|entreg\w+|prepar\w+|despach\w+)(?:-nos|-me| nos| me)? (?:\d+|o seguinte|os seguintes|as seguintes|uma?|duas|dois|três|cinco|dez)|ordem de compra|(?:nova|nosso|nossa|novo) (?:encomenda|pedido)\b|(?:pedido|encomenda):",
        r"(?:hiermit |wir |ich |gern(?:e)? |würde[n]? |möchte[n]? |wollen |will )+(?:\w+ ){0,6}(?:bestellen|bestelle|ordern|in auftrag geben|nachbestellen|beauftragen)\b|(?:möchte|möchten|würde|würden|wollen|will|hätte|hätten)[^.]{0,120}\b(?:bestellen|bestellt|nachbestellen|ordern|aufgeben|kaufen|in auftrag geben)\b|\bbestelle(?:n)? (?:ich|wir)\b|(?:anbei|im anhang|beigefügt|hier)[^.]{0,40}(?:bestellung|auftrag|bestellschein)\b|bestellung aufgeben|(?:bitte )?(?:liefern|senden|schicken) sie (?:uns|mir)(?: \S+){0,4} (?:\d+|folgende|die folgenden|ein|zwei|drei|vier|fünf|zehn)|(?:unsere|neue|folgende|meine) bestellung\b|bitte (?:um )?(?:lieferung von|bestellen)|(?:nehmen|nehme|brauchen|bräuchten) (?:wir|ich)? ?(?:noch |wieder )*\d+ (?:stück|kartons?|packungen|paletten|kisten|rollen|meter|kg)",
        r"(?:souhait\w+|voudr\w+|aimer\w+|désir\w+|veux|voulons|besoin de)(?: \w+)? (?:commander|passer (?:(?:une|la|cette|notre|ma) (?:\w+ )?)?commande|acheter|recommander)|(?:je|nous) (?:vous )?(?:commande|commandons|passe commande|passons commande|confirme la commande|confirmons (?:la|notre) commande)\b|(?:ci-joint|veuillez trouver|voici|en pièce jointe)[^.]{0,40}(?:bon de commande|commande)\b|bon de commande|(?:merci de|veuillez|pouvez-vous|pourriez-vous|prière de)(?: nous| me| m')? (?:livrer|envoyer|expédier|fournir|préparer) (?:\w+ )?(?:\d+|les articles suivants|les produits suivants|ce qui suit|une?|deux|trois|quatre|cinq|dix) (?!devis|tarif|offre|copie|facture|photos?)|(?:nouvelle|notre|suivante) commande\b|commande :",
    ),
    never=(
        r"(?:status|where|cancel\w*|chang\w*|track\w*|delay\w*|late|modif\w*|updat\w*|amend\w*|postpone|reschedul\w*|confirm receipt|wrong|damaged|missing|estado|d[oó]nde|cancel|anul\w*|modific\w*|cambi\w*|alter\w*|onde|stornier\w*|status|änder\w*|wo (?:ist|bleibt)|annul\w*|modifi\w*|\boù (?:est|en est)|suivi)\b[^.]{0,40}\b(?:order|pedido|encomenda|bestellung|commande|po)\b",
        r"in order (?:to|that|for)|following information|\bto (?:place an? )?order\b[^.]{0,40}(?:you can|\bcall|click|visit|please|go to|now)|place your order|order (?:now|today|here|online)|court order|work order|out of order|order of (?:business|magnitude)|money order|restraining order|purchase order (?:process|system|policy|terms)|(?:your|last|previous|recent|past|since the last|tu|su|seu|votre|ihre|dernière|letzte) order (?:has|was|is|were|confirmation)|(?:thank|thanks|gracias|obrigad|merci|danke)\w* (?:\w+ ){0,4}(?:order|pedido|encomenda|commande|bestellung)|law and order|not (?:ready|going|able|planning)(?: \w+)? to (?:order|buy|purchase)|(?:don't|do not|won't|will not|can't|cannot|no) (?:want|need|plan|wish|wish to|want to) (?:to )?(?:order|buy|purchase)|before (?:we|i) (?:can )?(?:order|buy|purchase)|if (?:we|i) (?:order|buy|purchase|were to|decide)|thinking (?:of|about) (?:ordering|buying)|might (?:order|buy)",
    ),
)

ORDER_UPDATE = Sayings(
    stems=(
        "status", "update", "news", "progress", "eta", "information", "track", "where", "when", "has my", "has our",
        "cancel", "change", "modify", "amend", "postpone", "delay", "hold", "reschedul", "increas", "reduc", "add",
        "push", "bring", "correct", "revise", "remov", "lösch", "datenbank", "plus m'", "plus nous", "vuelva", "estado", "situac", "seguim", "informac", "noved", "dónde",
        "donde", "cuándo", "cuando", "anul", "annul", "modific", "cambi", "aplaz", "ampli", "retras", "adelant", "andamento",
        "rastre", "previs", "onde", "quando", "alter", "adiar", "antecip", "stand", "liefer", "sendung", "wo", "wann",
        "bestell", "auftrag", "storn", "statut", "état", "suivi", "avancement", "nouvel", "où", "quand", "modifi",
        "report", "décal", "shipp", "parcel", "ship",
    ),  # fmt: skip
    strong=(
        r"(?:status|update|news|progress|eta|information|tracking)(?: \w+){0,4} (?:of|on|for|about|regarding)(?: \w+){0,3} (?:order|po|shipment|delivery|parcel|package)|\b(?:where|when)(?: \w+){0,4} (?:my|our|the|this) (?:\w+ )?(?:order|shipment|delivery|parcel|goods)\b|where(?:'s| is) (?:my|our) (?:\w+ )?package|(?:order|shipment|delivery|parcel|package) (?:\S+ )?(?:status|tracking|eta)\b|\btracking (?:number|info|link)|\btrack (?:my|our)\b|has (?:my|our|the) (?:order|shipment|parcel|package)(?: \S+){0,3} (?:shipped|been (?:shipped|sent|dispatched)|left|gone out)|when (?:will|can|should|do)(?: \w+){0,6} (?:ship|arrive|be delivered|be shipped|expect (?:delivery|the order|it|them))",
        r"\b(?:cancel|change|modify|amend|update|postpone|delay|hold|reschedule|increase|reduce|add to|push back|bring forward|correct|revise)(?: \w+){0,5} (?:order|po|purchase order|delivery(?: date| address)?|shipment|shipping address)\b|\b(?:order|po|delivery)(?: \S+){0,4} (?:be|to be) (?:cancell?ed|changed|amended|postponed|delayed|moved|rescheduled|increased|reduced|sent to)|(?:add|remove)(?: \S+){0,6} (?:to|from) (?:my|our|the|this) (?:order|po)\b",
        r"(?:estado|situaci[oó]n|seguimiento|informaci[oó]n|novedades)(?: \w+){0,4} (?:del?|sobre|de mi|de nuestro)(?: \w+){0,2} (?:pedido|env[ií]o|entrega)|\b(?:d[oó]nde|cu[aá]ndo|para cu[aá]ndo)\b[^.]{0,30}(?:pedido|env[ií]o|paquete|entrega|llega|mercanc[ií]a)|(?:cancelar|anular|modificar|cambiar|aplazar|ampliar|corregir|retrasar|adelantar)[^.]{0,25}(?:pedido|entrega|env[ií]o|direcci[oó]n de (?:entrega|env[ií]o))|(?:cancelen?|anulen?|modifiquen?|cambien?)[^.]{0,20}(?:pedido|entrega)",
        r"(?:estado|status|situa[cç][aã]o|andamento|rastreio|rastreamento|previs[aã]o)(?: \w+){0,4} (?:d[aeo]|sobre)(?: \w+){0,2} ?(?:pedido|encomenda|entrega|envio)|\b(?:onde|quando|para quando)\b[^.]{0,30}(?:pedido|encomenda|entrega|chega|mercadoria)|(?:cancelar|anular|modificar|alterar|mudar|adiar|corrigir|antecipar)[^.]{0,25}(?:pedido|encomenda|entrega|morada de entrega|endere[cç]o de entrega)",
        r"(?:status|stand|lieferstatus|sendungsverfolgung|liefertermin|sendungsnummer)[^.]{0,30}(?:bestellung|lieferung|auftrag|sendung|\d)|\b(?:wo|wann)\b[^.]{0,30}(?:bestellung|lieferung|ware|paket|sendung|auftrag|geliefert)|(?:bestellung|auftrag|lieferung|liefertermin|lieferadresse)[^.]{0,40}(?:stornieren|ändern|verschieben|anpassen|erhöhen|reduzieren|zu stornieren|zu ändern|storniert|erweitern|korrigieren)|(?:stornieren|storniere|ändern|ändere|verschieben)[^.]{0,30}(?:bestellung|auftrag|lieferung|liefertermin|lieferadresse)",
        r"\b(?:statut|état|suivi|avancement|nouvelles)(?: \S+){0,4} (?:de|sur)(?: \S+){0,2} ?(?:commande|livraison|colis|expédition)|\b(?:où|quand)\b[^.]{0,30}(?:commande|livraison|colis|livrée?)|(?:annuler|modifier|changer|reporter|décaler|corriger|avancer)[^.]{0,25}(?:commande|livraison|adresse de livraison|date de livraison)|numéro de suivi",
    ),
)
