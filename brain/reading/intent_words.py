"""How clients ask for prices, complain and wish to be left alone, in five languages.

Each saying is a pattern over one sentence in lower case. `strong` settles it, `never` rules it out; a sentence
without any of `stems` is not even looked at, because most sentences are about something else.
"""

from __future__ import annotations

from typing import NamedTuple


class Sayings(NamedTuple):
    """The patterns of one intent."""

    stems: str
    """Comma between each."""
    strong: tuple[str, ...]
    never: tuple[str, ...] = ()


_OUR_MAIL = (
    r"(?:[\w'-]+ ){0,4}?(?:e-?mails?|mails?|mailings?|newsletters?|messages?|communications?|correspondence|updates?"
    r"|offers?|promotions?|adverts?|advertising|ads|marketing|spam|news|notifications?|alerts?|bulletins?|catalogues?"
    r"|catalogs?|reminders?|letters?|campaigns?|invitations?|announcements?|digests?|information|infos?|brochures?|material|stuff|junk)\b"
)

UNSUBSCRIBE = Sayings(
    stems=(
        "keine weiteren, keine angebote, signed up, bombard, "
        "subscri, suscri, list, remov, lösch, datenbank, plus m', plus nous, vuelva, delete, opt, stop, quit, "
        "cease, refrain, discontinue, contact, e-mail, email, messag, don't, do not, no longer, not interested, "
        "alone, database, lose my, baja, inscri, recib, enviar, envíe, envie, manden, escrib, elimin, borr, sair, "
        "descad, receb, deixe, pare, abmeld, melden, austrag, tragen, abbestell, streich, newsletter, werbung, "
        "nachricht, schreib, kontakt, verteiler, abonn, retir, supprim, enlev, cess, arrêt, recevoir, plus de, "
        "unsub, mailing, saqu, sacar, nehmen, record"
    ),
    strong=(
        r"keine (?:\w+ )?(?:angebote|infos|informationen|post|mailings|prospekte|newsletter)(?: \w+)? mehr|never "
        r"(?:signed|asked|opted)(?: \w+){0,5}[^.]{0,20}(?:stop|remove|unsub)|(?:no|não|nao) (?:me|nos) "
        r"(?:env[ií]en?|manden?|enviem|mandem) (?:m[aá]s|mais)|bombard\w+",
        r"^\W*(?:please |pls |kindly )?(?:unsubscribe|remove|opt[- ]?out|stop)(?: me| us)?(?: please| now| "
        r"immediately| thanks?(?: you)?)?\W*$",
        r"(?:please|pls|kindly|want to|like to|wish to|need to|must|could you|can you|would you|asked you to|just) "
        r"(?:\w+ )?unsubscribe (?:me|us|this (?:e-?mail )?address|my (?:e-?mail )?address|from|\S+@\S+)",
        r"\b(?:unsubscribe|de-?list|opt) (?:me|us|this address|my (?:e-?mail|address))\b",
        r"(?:remove|delete|take|get|drop|strike) (?:me|us|my (?:name|e-?mail|address|details|contact)(?: address| "
        r"details| info\w*)?|this (?:e-?mail )?address|our (?:name|address|e-?mail)(?: address)?|\S+@\S+) (?:off"
        r"|out of|from) (?:of )?(?:your|this|the|any|all)?(?: \w+){0,3} ?(?:list|database|mailing|distribution"
        r"|records|system|campaign|e-?mails)",
        r"(?:stop|quit|cease|refrain from|discontinue) (?:\w+ )?(?:sending|e-?mailing|contacting|writing(?: to)?"
        r"|messaging|spamming|bothering|mailing) (?:me|us|these|this|any|your|out|such|more|so many|to this)",
        r"(?:do not|don't|never|no longer|not) (?:\w+ )?(?:contact|e-?mail|write(?: to)?|message|send|mail|bother"
        r"|spam)(?: (?:to )?(?:me|us|these|this address|any (?:more|further)|this kind))(?: \w+){0,4}(?: again| any "
        r"?more| in future| in the future| further|$|\W|e-?mails|messages|mailings|offers|newsletters)",
        # whoever doesn't want to get the wrong part, to be on hold or to hear excuses still wants our mail
        r"(?:no longer|don't|do not|not) (?:wish|want|like|care|need|interested in)(?: to)? (?:receiv(?:e|ing)"
        rf"(?! the (?!{_OUR_MAIL}))|gett?(?:ing)? (?:{_OUR_MAIL}|(?:these|this|them|those|such|any|it)\b)"
        r"|hear(?:ing)?(?: (?:anything|any ?more|more|again))?(?: from|[ \t]*(?:$|[.!,;]))|be contacted|be emailed"
        r"|be on (?:\w+ ){0,3}(?:list|mailing|database|distribution|newsletter|e-?mail))",
        r"\bopt(?:ing)?[- ]?(?:me )?out\b(?! of (?:the )?(?:meeting|deal|project|contract))|(?:cancel|end|terminate"
        r"|stop) (?:my|our|the|this) (?:e-?mail |newsletter |mailing )?(?:subscription|newsletter|e-?mails|mailings?)",
        r"leave (?:me|us) alone|not interested,? (?:so )?(?:please )?(?:stop|remove|don't|do not)|lose my "
        r"(?:e-?mail|address)|off (?:your|this|the) (?:mailing |e-?mail |distribution )?list,? please",
        r"(?:d[eé](?:me|nme|nos)|dar(?:me|nos)|darse|desea|quiero|quisiera|solicito|favor de dar"
        r"|ruego)[^.]{0,20}(?:de baja|la baja)|\bbaja\b[^.]{0,25}(?:list|suscrip|bolet|correos|newsletter)"
        r"|^\W*(?:de )?baja\W*$|cancel\w* (?:mi|la|nuestra) suscripción|desuscrib\w+|des-?suscribir\w*",
        r"(?:no (?:quiero|queremos|deseo|deseamos|me interesa)|ya no (?:quiero|queremos|deseo|deseamos)|dejen? de"
        r"|deje de|no (?:me|nos) (?:env[ií]en?|manden?|escriban?|contacten?)|no (?:me |nos )?(?:vuelvan?|vuelva) "
        r"a)[^.]{0,20}(?:recibir|enviar\w*|mandar\w*|escribir\w*|contactar\w*|m[aá]s\b|correos|emails|publicidad)",
        r"(?:elimin\w+|borr\w+|quit\w+|sac\w+|retir\w+)[^.]{0,30}(?:de (?:su|la|esta|sus|vuestra) (?:lista|base de "
        r"datos|bbdd)|de (?:sus|las) (?:listas|envíos))",
        r"(?:remov\w+|retir\w+|tir\w+|exclu\w+|apag\w+|elimin\w+)[^.]{0,35}(?:d[ae] (?:sua|vossa|lista|base|mailing"
        r"|suas listas)|da lista|das listas|de sua lista)|descadastr\w+|desinscrev\w+|cancel\w+ (?:a |minha |a "
        r"minha |nossa )+(?:inscri|assinatura|subscri)\w+|^\W*(?:sair|descadastrar|remover)\W*$",
        r"(?:não (?:quero|queremos|desejo|desejamos|pretendo|tenho interesse em)|deixem? de|pare[mn]? de|parar de"
        r"|não (?:me|nos) (?:env\w+|mand\w+|contact\w+))[^.]{0,20}(?:receber|enviar\w*|mandar\w*|contactar\w*"
        r"|contatar\w*|e-?mails|mensagens|mais)",
        r"(?:abmelden|austragen|abbestellen|streichen|entfernen|löschen|nehmen)[^.]{0,40}(?:newsletter|verteiler"
        r"|liste|adressliste|mailingliste|datenbank)|(?:newsletter|verteiler|liste|mailingliste"
        r"|adresse)[^.]{0,40}(?:abmelden|austragen|abbestellen|streichen|entfernen|löschen|nehmen|abzumelden"
        r"|auszutragen|zu streichen|zu löschen)|^\W*(?:bitte )?abmelden\W*$|nehmen sie mich (?:bitte )?(?:aus|von)"
        r"|tragen sie mich (?:bitte )?(?:\w+ )*aus|streichen sie (?:mich|uns|meine)|melden sie mich (?:bitte "
        r")?(?:\w+ )*ab",
        r"(?:keine|nicht mehr|nie wieder|aufhören)[^.]{0,40}(?:e-?mails?|mails?|werbung|nachrichten|newsletter"
        r"|anschreiben|kontaktieren|angeschrieben)[^.]{0,30}(?:mehr|schicken|senden|erhalten|bekommen|zusenden|zu|$"
        r"|\W)|(?:schreiben|kontaktieren|schicken|senden) sie (?:mir|mich|uns) (?:bitte )?(?:nicht|nie|keine)(?: "
        r"mehr| wieder)?",
        r"(?:désabonn\w+|désinscri\w+|desabonn\w+|desinscri\w+)(?:[- ](?:moi|nous))?|(?:retir\w+|supprim\w+"
        r"|enlev\w+|ray\w+|ôt\w+)[- ](?:moi|nous|mon adresse|notre adresse|mon (?:e-?mail|mail|nom))[^.]{0,20}(?:de "
        r"(?:votre|vos|la|cette)|liste|fichier|base)",
        r"(?:merci|prière|veuillez)(?: de)? (?:bien vouloir )?(?:me |m'|nous )?(?:retirer|supprimer|enlever"
        r"|désinscrire"
        r"|désabonner|rayer)[^.]{0,30}(?:liste|fichier|base de|diffusion|newsletter)",
        r"(?:merci|prière|veuillez)(?: de)? ne plus (?:m'|nous |me )?(?:envoyer|écrire|contacter|adresser)|(?:ne "
        r"(?:veux|souhaite|souhaitons|voulons|désire|désirons) (?:plus|pas)|cessez|arrêtez|merci de ne plus|ne "
        r"(?:me|nous) (?:envoyez|contactez|écrivez))[^.]{0,25}(?:recevoir|envoyer|contacter|écrire|m'envoyer|nous "
        r"envoyer|plus|de mails|d'e-?mails|vos (?:mails|e-?mails|messages|publicités))",
    ),
    never=(
        r"(?:don't|do not|didn't|did not|never|not) (?:want to |mean to |wish to |intend to )?(?:be "
        r")?(?:unsubscribe|remove[d]? me|opt[- ]?out|take me off)",
        r"(?:click|clic|klick|cliquez|haga|pulse|clique) (?:\w+ )?(?:here|below|aquí|hier|ici|aqui|sur|en)|to "
        r"unsubscribe[,:]|if you (?:no longer |don't |do not )?(?:wish|want|would)|unsubscribe (?:link|button|page"
        r"|option|rate|process|footer|feature|function\w*|requests?)",
        r"(?:how|where|why|when|do|does|can) (?:do|does|can|could|would|did)?\s*(?:we|our|customers?|clients?"
        r"|users?|they|people|subscribers) (?:\w+ )?(?:unsubscribe|opt)|still (?:want|like) to receive|(?:keep|put"
        r"|add) (?:me|us) (?:on|to)|si (?:no desea|ya no)|wenn sie (?:keine|nicht)|si vous ne (?:souhaitez|voulez)"
        r"|se não (?:quiser|desejar)",
        r"(?:those|anyone|people|someone|persons|users|everyone|anybody) (?:who|that)|we (?:strongly )?(?:oppose"
        r"|are strongly)|you (?:will|can|may|have)[^.]{0,30}opt|(?:go|visit|reply|write)[^.]{0,40}(?:http|to:)"
        r"|(?:sorry|apolog)\w* .{0,30}unsubscrib|unsubscribed (?:by mistake|by accident|accidentally)|(?:customer"
        r"|client|user|member)s? (?:who |that )?(?:have |has )?unsubscrib|no (?:quiero|deseo|queremos"
        r"|deseamos) (?:darme|darnos|dar) de baja"
        r"|nicht (?:vom|aus dem) (?:newsletter|verteiler) (?:abmelden|streichen)",
    ),
)

COMPLAINT = Sayings(
    stems=(
        "nobody, no one, fed up, sick of, rude, losing, nadie, harta, harto, llev, educad, otra vez, ninguem, fart, "
        "espera, niemand, reicht, warte, unfreundlich, zu spat, personne, assez, marre, attend, retard, "
        "complain, disappoint, upset, frustrat, angry, annoyed, displeas, fed up, let down, not at all, happy, "
        "satisf, pleased, accept, impress, ridicul, outrag, joke, disgrace, good enough, appall, terrible, awful, "
        "horrible, worst, shame, pathetic, lousy, atrocious, shoddy, damag, broken, defect, faulty, crack, smash, "
        "torn, wrong, incorrect, leak, unus, scratch, dent, mould, mold, spoil, refund, money back, compens, "
        "replac, time, still, yet, never, haven't, hasn't, charg, bill, lost, waste, rip, let us, messed, "
        "screwed, queja, reclam, decepcion, descont, molest, enfad, disgust, inacept, pésim, pesim, vergonz, "
        "lament, inadmis, intoler, rot, dañ, partid, errad, errón, equivocad, estropead, golpead, todav, aún, "
        "aun, sigo, seguimos, reembols, devoluci, content, conforme, cobrad, queixa, desapont, chatead, aborrec, "
        "desilud, inaceit, vergonhos, absurdo, quebrad, danific, estragad, avariad, ainda, exij, beschwer, "
        "reklam, beanstand, mängel, enttäusch, verärg, zufried, sauer, inakzept, unversch, katastroph, unzumut, "
        "frechheit, unmöglich, hinnehm, beschäd, defekt, kaputt, falsch, unvollst, mangelhaft, zerbroch, "
        "zerkratzt, immer noch, noch immer, bis heute, weiterhin, erstatt, geld, schadens, ersatz, doppelt, "
        "réclam, plainte, plaindre, déçu, mécont, contrari, fâch, scandal, honteux, déplor, cass, endommag, "
        "défect, abîm, incompl, erron, mauvais, toujours, encore, rembours, dédommag, factur, débit"
    ),
    strong=(
        r"\b(?:nobody|no one|no-one|not one person)(?: \w+){0,3} (?:back to (?:me|us)|answer\w*|repl\w+|respond\w*"
        r"|help\w*|cares?|bothered|called|told)",
        r"\b(?:i'm|i am|we're|we are) (?:\w+ )?(?:fed up|sick of|tired of|done with)|\b(?:late|delayed|broken) "
        r"(?:yet )?again\b|\b(?:was|were) (?:\w+ )?(?:rude|impolite|unprofessional|unhelpful)|losing (?:customers"
        r"|clients|business|money) because",
        r"\bnadie (?:me |nos |ha |nos ha |me ha )?(?:d[aio]\w*|contest\w+|respond\w+|ayud\w+|soluci\w+|hace|hizo"
        r"|llam\w+|atiend\w+)|\bhart[oa]s?\b|(?:llevo|llevamos) (?:\w+ ){0,4}(?:semanas|d[ií]as|meses|horas) "
        r"(?:esperando|sin)|maleducad|otra vez (?:tarde|roto|mal|con retraso)",
        r"\bningu[eé]m (?:me |nos )?(?:resolve\w*|respond\w+|ajud\w+|atend\w+|faz|fez|lig\w+|diz|disse)"
        r"|\bfart[oa]s?\b|h[aá] (?:\w+ ){1,3}(?:semanas|dias|meses|horas) (?:[aà] espera|sem)|mal[- ]?educad|outra "
        r"vez (?:atrasad|errad)",
        r"\bniemand (?:\w+ ){0,3}?(?:k[uü]mmert|antwort\w+|reagier\w+|meldet|hilft|erreich\w+|ruft)|(?:mir|uns) "
        r"reicht es|es reicht (?:mir|uns)|(?:warte|warten)(?: \w+){0,2} (?:seit|schon)(?: \w+){0,3} (?:wochen|tagen"
        r"|monaten|stunden)|unfreundlich|(?:schon )?wieder (?:zu sp[aä]t|falsch|kaputt|defekt)",
        r"\bpersonne ne (?:\w+ )?(?:fait|r[eé]pond\w*|s'occupe|r[eé]agit|m'aide|nous|me|s'est)|j'en ai (?:assez"
        r"|marre)|nous en avons (?:assez|marre)|(?:j'attends|nous attendons|attends)(?: \w+){0,2} depuis|(?:encore"
        r"|de nouveau) (?:en retard|cass[eé]|une erreur)|impoli|d[eé]sagr[eé]able",
        r"(?:file|make|lodge|raise|register|submit|formal|official|have) (?:a |an |this |my |our )?(?:\w+ "
        r")?complaint\b|(?:i am|i'm|we are|we're) (?:writing to )?complain|want to complain|complaint (?:about"
        r"|regarding|against)",
        r"\b(?:very|extremely|really|so|deeply|quite|most|totally|absolutely|utterly|rather|pretty|bitterly)(?: "
        r"\w+)? (?:disappoint\w+|dissatisf\w+|unhappy|upset|frustrat\w+|angry|annoyed|displeased|unsatisf\w+|fed up"
        r"|let down)|not (?:at all )?(?:happy|satisfied|pleased|acceptable|impressed|what (?:we|i) (?:ordered|paid"
        r"|agreed)) (?:with|about|at|by|$|\W)|this is (?:simply |just |totally |completely )?(?:unacceptable"
        r"|ridiculous|outrageous|a joke|a disgrace|not good enough)",
        r"\b(?:unacceptable|appalling|disgraceful|terrible|awful|horrible|worst|shameful|pathetic|lousy|atrocious"
        r"|shoddy)\b(?: \w+){0,4} ?(?:service|experience|quality|support|delay|treatment|product|communication"
        r"|company|job|work|response)",
        r"(?:order|delivery|item|shipment|parcel|box|product|goods|unit|report|invoice)s?(?: \w+)? (?:is|was|are"
        r"|were) (?:\w+ )?(?:wrong|incorrect)\b|(?:arrived|came|delivered|received|got|sent|was|were|is|are) (?:\w+ "
        r"){0,4}(?:damaged|broken|defective|faulty|cracked|smashed|torn|incomplete|leaking|unusable|scratched"
        r"|dented|mouldy|moldy|spoiled)",
        r"\b(?:wrong|incorrect|damaged|broken|defective|faulty) (?:item|items|product|products|order (?!of)|size"
        r"|colou?r|model|part|parts|goods|quantity|address|unit|units|report|shipment|parcel|invoice amount)",
        r"(?:want|demand|expect|insist on|request|require|give me|like)(?: \w+){0,3} (?:refund|money back"
        r"|compensation|replacement)|(?:third|fourth|fifth|3rd|4th|2nd|nth|last) time (?:i|we)(?:'ve| have)? (?:\w+ "
        r")?(?:write|written|call|called|ask|asked|contact|contacted|complain\w*|report\w*|chas\w*)",
        r"(?:still|yet) (?:\w+ )?(?:not|n't|no one|nobody)(?: \w+){0,3} (?:received|arrived|delivered|been "
        r"delivered|heard|answered|resolved|fixed|refunded|shipped|replied)|(?:have|has)n't (?:\w+ )?(?:received"
        r"|arrived|been (?:delivered|fixed|resolved|refunded))(?: \w+){0,6} (?:still|yet|despite|although|promised"
        r"|weeks?|days?)|never (?:arrived|received|delivered|showed up|turned up|got|heard back|came)",
        r"(?:overcharged|double[- ]charged|charged (?:us |me )?(?:twice|double|too much)|billed (?:us |me )?twice"
        r"|lost (?:our|my) (?:order|parcel|package)|waste of (?:time|money)|rip[- ]?off|let us down|messed up"
        r"|screwed up (?:our|my|the))",
        r"\b(?:queja|reclamaci[oó]n|reclamo|reclamar|quejarme|quejarnos)\b|(?:muy|totalmente|profundamente|bastante"
        r"|realmente|sumamente) (?:decepcionad|insatisfech|descontent|molest|enfadad|disgustad)\w+|\b(?:inaceptable"
        r"|p[eé]simo|p[eé]sima|vergonzos[oa]|lamentable|inadmisible|intolerable)\b|(?:lleg[oó]|llegaron|ha llegado"
        r"|han llegado|recib\w+|vino|est[aá]n?) (?:\w+ ){0,4}(?:roto|rota|rotos|rotas|dañad\w+|defectuos\w+"
        r"|incomplet\w+|equivocad\w+|estropead\w+|mal estado|golpead\w+)|(?:producto|art[ií]culo|pedido|modelo"
        r"|talla) (?:equivocad|err[oó]ne|incorrect|defectuos|dañad)\w+|(?:todav[ií]a|a[uú]n|sigo|seguimos)(?: sin| "
        r"no)[^.]{0,25}(?:recib|lleg|respuesta|entreg)\w*|(?:exijo|exigimos|quiero|solicito) (?:\w+ "
        r"){0,3}(?:reembolso|devoluci[oó]n|compensaci[oó]n)|no (?:estoy|estamos) (?:nada |para nada )?(?:content"
        r"|satisfech|conforme)\w*|nos han cobrado (?:dos veces|de m[aá]s)",
        r"\b(?:reclama[cç][aã]o|reclamar|queixa)\b|(?:muito|extremamente|bastante|profundamente|totalmente) "
        r"(?:decepcionad|insatisfeit|descontent|desapontad|chatead|aborrecid|desiludid)\w+|\b(?:inaceit[aá]vel"
        r"|p[eé]ssim[oa]|vergonhos[oa]|lament[aá]vel|inadmiss[ií]vel|um absurdo)\b|(?:chegou|chegaram|veio|vieram"
        r"|recebi|recebemos|est[aá]o?) (?:\w+ ){0,4}(?:quebrad|danificad|defeituos|com defeito|incomplet|errad"
        r"|partid|estragad|avariad)\w*|(?:produto|artigo|pedido|modelo|item) (?:errad|danificad|defeituos|com "
        r"defeito)\w*|ainda não[^.]{0,25}(?:receb|cheg|respond|entreg|foi)\w*|(?:exijo|exigimos|quero|solicito) "
        r"(?:\w+ ){0,3}(?:reembolso|devolu[cç][aã]o|indeniza[cç][aã]o|estorno)|não (?:estou|estamos) (?:nada "
        r")?(?:satisfeit|content)\w*|cobrad\w+ (?:duas vezes|em duplicado|a mais)",
        r"\b(?:beschwerde|beschweren|reklamation|reklamieren|reklamiere|beanstand\w+|mängelrüge)\b|(?:sehr|äußerst"
        r"|extrem|mehr als|zutiefst|wirklich|ziemlich|überhaupt nicht|gar nicht|nicht) (?:enttäuscht|unzufrieden"
        r"|verärgert|zufrieden|sauer|frustriert)|\b(?:inakzeptabel|unverschämt|katastrophal|unzumutbar|frechheit"
        r"|unmöglicher service|nicht hinnehmbar)\b|(?:beschädigt|defekt|kaputt|falsch|unvollständig|mangelhaft"
        r"|zerbrochen|zerkratzt)(?:e|er|es|en)? (?:\w+ ){0,3}(?:geliefert|angekommen|erhalten|ware|artikel"
        r"|lieferung|teile|produkt|gerät|modell)|(?:geliefert|angekommen|erhalten|ware|artikel|lieferung|teile"
        r"|produkt|gerät|paket|sendung)[^.]{0,40}(?:beschädigt|defekt|kaputt|falsch|unvollständig|mangelhaft"
        r"|zerbrochen|zerkratzt)|(?:immer noch|noch immer|bis heute|weiterhin) (?:nicht"
        r"|kein\w*)[^.]{0,40}(?:erhalten|geliefert|angekommen|antwort|da|bekommen)|(?:fordere|verlange|erwarte"
        r"|möchte)[^.]{0,25}(?:erstattung|rückerstattung|geld zurück|schadensersatz|ersatzlieferung)|doppelt "
        r"(?:berechnet|abgebucht)",
        r"\b(?:réclamation|plainte|me plaindre|nous plaindre|porter plainte)\b|(?:très|extrêmement|vraiment"
        r"|profondément|particulièrement|fort) (?:déçue?s?|mécontente?s?|insatisfaite?s?|contrariée?s?|fâchée?s?)"
        r"|\b(?:inacceptable|inadmissible|scandaleux|lamentable|honteux|déplorable|intolérable)\b|(?:arrivée?s?"
        r"|reçue?s?|livrée?s?|est|sont|était|étaient) (?:\w+ ){0,4}(?:cassée?s?|endommagée?s?|défectueu(?:x|se|ses)"
        r"|abîmée?s?|incomplète?s?|erronée?s?)|(?:mauvais|mauvaise) (?:article|produit|taille|modèle|commande"
        r"|référence|couleur|quantité)|(?:toujours|encore) (?:pas|rien|aucun\w*)[^.]{0,25}(?:reçu|livré|réponse"
        r"|arrivé)\w*|(?:exige|exigeons|demande|demandons|souhaite) (?:\w+ ){0,4}(?:remboursement|dédommagement)"
        r"|pas (?:du tout )?(?:satisfaite?s?|contente?s?)|facturée? (?:deux fois|en double)|débitée? deux fois",
    ),
    never=(
        r"no complaints?|not (?:a|here to) complain|without (?:any )?(?:complaint|problem|issue)s?|no (?:problem"
        r"|issue|worries)|(?:not|n't|never) (?:at all )?(?:disappoint|unhappy|upset)|far from (?:disappoint"
        r"|unhappy)|(?:not|never) (?:been )?(?:damaged|broken|faulty)|ninguna queja|sin (?:ning[uú]n )?problema"
        r"|nenhuma reclama|sem (?:nenhum )?problema|keine? (?:beschwerde|beanstandung|problem)|aucune? (?:plainte"
        r"|réclamation|problème)|pas de problème|complaint (?:policy|procedure|form|department|process|handling)|if "
        r"(?:you|there) (?:are|is|have|were)(?: \w+){0,3} (?:unhappy|complain|problem|damaged|disappoint|not "
        r"satisfied)|glad|delighted|no queja",
    ),
)

QUOTE = Sayings(
    stems=(
        "saldr, salir, coûter, tell us, tell me, rates, prices, "
        "quot, rfq, rfp, price, pricing, estimat, proposal, bid, rate, cost, charge, much, fee, presupuest, "
        "cotiz, cuánto, cuanto, precio, tarif, oferta, orçament, orcament, cotaç, cotac, cotar, quanto, qual, "
        "preço, preco, valor, proposta, angebot, preis, anfrage, kost, staffel, offert, wieviel, wie viel, devis, "
        "prix, combien, quel, offre, chiffrage"
    ),
    strong=(
        r"\b(?:tell|inform|advise|let)(?: me| us)? (?:know )?(?:of |about |what )?(?:your|the) (?:\w+ )?(?:prices?"
        r"|pricing|rates|fees?|charges?)\b|\byour (?:\w+ )?(?:fee|rate|charge|price)s?(?: \w+){0,2} (?:be|for)\b"
        r"|interested in (?:\w+ ){0,4}(?:prices?|pricing)|\bhow much (?:you|u) charge",
        r"\bcu[aá]nto (?:me |nos |te )?(?:saldr[ií]a|sale|costar[ií]a|cuesta|cobrar[ií]a|vale|ser[ií]a)|\bquanto "
        r"(?:me |nos )?(?:ficaria|fica|custaria|custa|sairia|cobra)|\bcombien (?:me |nous |vous )?(?:co[uû]ter\w+"
        r"|co[uû]te\w*|factur\w+|prenez|demandez)",
        r"\b(?:request for (?:a )?(?:quote|quotation|proposal)|rfq|rfp|quote request|price (?:list|request|enquiry"
        r"|inquiry)|request (?:a|your) (?:quote|quotation|price))\b",
        r"\b(?:send|give|provide|get|have|need|like|want|share|submit|prepare|offer|forward|e-?mail|obtain"
        r"|appreciate|looking for|request\w*|asking for|require|work up|put together|could i|can i|can we|may i|may "
        r"we|could we) (?:me |us |you |to |receive |have |get |see |over |back |through |with |for |an? |the |your "
        r"|our |some |any |in |on |best |current |latest |updated |revised |new |formal |written |detailed "
        r"|possible |quick |rough |free |trade |full |both ){0,7}(?:quotes?|quotation|estimate|pricing|price ?list"
        r"|prices?|proposal|cost estimate|bid|rate card|rates)\b(?! of)",
        r"(?:how much (?:would|will|do|does|is|are|for|to|per|it|you)\b(?! of)|what (?:is|are|would|'s|will|do"
        r"|does)(?: \w+){0,5} (?:price|cost|charge|rate|fee|quote)s?\b|what would (?:it|that|you) (?:cost|charge)"
        r"|\b(?:price|pricing|cost|rate)s? (?:for|of|on|per) (?:\w+ ){0,4}(?:\d+ )?(?:units?|pieces|pcs|boxes"
        r"|copies|licen[cs]es)|can you (?:quote|price)|(?:please|kindly|could you|would you) (?:quote|price) (?!me "
        r"on)|\bquote (?:us|me) (?:for|on|a|your|the)\b)",
        r"(?:presupuest|cotizaci[oó]n|cotizar|cot[ií]ce|cotizarnos)\w*|(?:cu[aá]nto (?:cuesta|cuestan|vale|valen"
        r"|costar[ií]a|saldr[ií]a|ser[ií]a|cobran)|qu[eé] precio|(?:precio|precios|tarifa|tarifas|lista de precios) "
        r"(?:para|de|por|del|actualizad))|(?:env[ií]\w+|facilit\w+|pas\w+|mand\w+|dar\w*|solicit\w+|necesit\w+"
        r"|indic\w+) (?:\w+ ){0,6}(?:precios?|tarifas?|oferta|presupuesto)\b",
        r"\b(?:or[cç]amentos?|cota[cç][aã]o|cota[cç][oõ]es|cotar|or[cç]ar)\b|(?:quanto (?:custa|custam|fica|ficaria"
        r"|custaria|sai|é|cobram)|qual (?:é |seria |o )*(?:o )?(?:pre[cç]o|valor)|(?:pre[cç]o|pre[cç]os|tabela de "
        r"pre[cç]os) (?:para|de|por))|(?:envi\w+|fornec\w+|pass\w+|mand\w+|solicit\w+|precis\w+|inform\w+|indic\w+) "
        r"(?:\w+ ){0,6}(?:pre[cç]os?|valor(?:es)?|proposta)\b",
        r"\b(?:angebots?anfrage|preisanfrage|anfrage (?:über|für|zu|bezüglich)|kostenvoranschlag|preisliste"
        r"|preisauskunft)\w*|(?:unterbreiten|zusenden|senden|schicken|machen|erstellen|bitte um|bitten um|benötigen"
        r"|brauchen|hätten? gerne?|wünsche|erbitte|anbieten|kalkulieren|nennen|mitteilen"
        r"|erhalten)[^.]{0,60}\b(?:angebot|\w*preise?|kosten|offerte)\b|\b(?:angebot|offerte"
        r"|\w*preise?)\b[^.]{0,60}(?:unterbreiten|zusenden|zukommen|senden|schicken|machen|erstellen|nennen"
        r"|mitteilen|erhalten|anbieten|bekommen)|(?:was|wie ?viel) (?:kostet|kosten|würde|würden|kommt|verlangen)"
        r"|bitten? (?:\w+ ){0,4}um (?:ein |ihr |ihre |eine )?(?:\w+ )?(?:angebot|offerte|preis)",
        r"\b(?:devis|demande de prix|cotation|tarifs? pour|chiffrage)\b|(?:combien (?:coût\w*|cout\w*|vaut|valent"
        r"|ça|cela|pour|est-ce)|quel (?:est|serait) (?:le|votre|votre meilleur) (?:prix|tarif|coût)|quels (?:sont"
        r"|seraient) (?:les|vos) (?:prix|tarifs))|(?:envoy\w+|fai\w+ parvenir|transmett\w+|communiqu\w+|donn\w+"
        r"|souhait\w+|aimer\w+|besoin|demand\w+|établir|adress\w+|proposer) (?:\S+ ){0,7}(?:prix|tarifs?|offre"
        r"|devis)\b",
    ),
    never=(
        r"(?:according to|as per|per|as in|según|conforme a?|gemäß|laut|selon|suivant) (?:\w+ ){0,3}(?:quote"
        r"|quotation|offer|presupuesto|oferta|cotización|orçamento|proposta|angebot|devis|offre)\b|(?:thanks?(?: "
        r"you)? (?:very much |so much )?for|received|reviewed|gracias por|obrigad[oa] pel[oa]|merci (?:beaucoup "
        r")?(?:pour|de votre)|dank für)(?: \w+){0,5} (?:quote|quotation|estimate|proposal|pricing|presupuesto"
        r"|cotizaci[oó]n|or[cç]amento|angebot|devis|offre|oferta|proposta)\b(?!.*\b(?:revise|update|new|another"
        r"|also)\b)",
        r"(?:acept|aceit|rechaz|recus|declin|reject|refus|turn(?:ed|ing)? down|aprob|aprov|aprueb)\w*(?: \w+){0,4} "
        r"(?:quot|estimat|proposal|presupuest|cotiza|oferta|orcament|cotac|propost)|(?:adelante|conforme?s?|de acuerdo"
        r"|de acordo|seguir|avancar) (?:con|com) (?:\w+ ){0,2}(?:presupuest|cotiza|oferta|orcament|cotac|propost)",
        r"(?:no longer|don't|do not|not) need (?:a |the |your )?(?:quote|estimate|pricing)|(?:accept|approve|agree"
        r"|go ahead|proceed)\w*(?: \w+){0,4} (?:quote|quotation|estimate|proposal|presupuesto|or[cç]amento|angebot"
        r"|devis)|(?:quote|quotation|estimate|proposal) (?:is |has been |was )?(?:accepted|approved|expired"
        r"|attached|fine|ok|too)|(?:attached|here) (?:is|are) (?:\w+ ){0,3}(?:quote|quotation|estimate|pricing"
        r"|price)|\bquote of the day\b|quote from|price (?:increase|change|went|has gone)|as per (?:your |the "
        r")?(?:quote|quotation)|at any (?:price|cost|rate)|worth the price|\bour prices|exchange rate|interest rate",
    ),
)
