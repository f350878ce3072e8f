"""How clients order, and how they ask about or change what they ordered, in five languages."""

from __future__ import annotations

from brain.reading.intent_words import Sayings

ORDER = Sayings(
    stems=(
        "go ahead, necesit, precis, benotig, besoin, il nous faut, "
        "nehmen, prenons, quedamos, ficamos, let's do, put us down, put me down, lancer, open, enter, "
        "order, purchase, buy, po, ship, send, deliver, supply, dispatch, take, have, pedir, pedido, encarg, "
        "orden, enví, envi, mand, suministr, sirv, despach, prepar, apúnt, quiero, quero, encomend, ordem, "
        "compra, forne, adquir, entreg, bestell, auftrag, liefer, schick, kauf, nehm, brauch, acheter, livrer, "
        "envoyer, expéd, fournir, prépar, peço"
    ),
    strong=(
        r"\b(?:let's|let us|we can|i can) (?:do|go (?:with|for)|take) (?:another )?\d+ |\bput (?:us|me) down for\b"
        r"|\b(?:we|i)(?:'d| would| will|'ll) (?:take|have) \d+ |\bwe take \d+ |go ahead with (?:the )?(?:\d+|order)"
        r"|\b(?:open|enter|start) (?:an?|the|this|a new) (?:\w+ )?order\b|official order|accept (?:this|the "
        r"following)[^.]{0,30}\border\b",
        r"\b(?:nos quedamos|me quedo|nos llevamos|me llevo|cogemos|tomamos) (?:con )?\d+ |\b(?:ficamos|fico|levamos"
        r"|vamos ficar) (?:com )?\d+ |podem? avan[cç]ar com|\b(?:wir nehmen|ich nehme|nehmen wir|nehme ich)(?: "
        r"\w+){0,2} \d+ |\b(?:nous prenons|je prends|on prend)(?: \w+)? \d+ |lancer la (?:commande|production)"
        r"|adelante con el pedido",
        r"(?:necesit(?:amos|o)|precis(?:amos|o)(?: de)?|(?:wir|ich) (?:brauchen?|ben[oö]tigen?)(?: \w+)?"
        r"|(?:nous avons|j'ai) besoin de|il nous faut) \d+ (?!(?:d[ií]as?|horas?|semanas?|mes|minutos?|anos?"
        r"|años?|tage"
        r"|stunden|wochen|monat|minuten|jours?|heures?|semaines?|mois|minutes|ans?|personas|pessoas|personen|leute"
        r"|personnes|euros?|eur|dolares)\b|%|€)\w",
        r"(?:like|want|wish|need|ready|going|happy|pleased|would love) to (?:\w+ )?(?:order|place (?:an?|the|this"
        r"|our|another|a new|my) (?:\w+ )?order|purchase|buy|reorder|re-order)\b|(?:place|placing|submit|submitting"
        r"|put in|put through|make) (?:an?|the|this|the following|our|my|another|a new|a repeat|a rush|a small|a "
        r"large) (?:\w+ )?order|(?:herewith|hereby) (?:we )?order|please (?:\w+ )?(?:order|book|process|accept"
        r"|enter|find|see|confirm|fulfil\w*|arrange)(?: \w+){0,5} (?:order|purchase order|po)\b|(?:i'd|we'd|i'll"
        r"|we'll|i will|we will) (?:\w+ )?(?:order|take|have|buy|purchase)(?: another)? (?:\d+|two|three|four|five"
        r"|six|ten) ",
        r"(?:please|kindly|could you|can you) (?:\w+ )?(?:send|ship|deliver|supply|dispatch|get) (?:me |us |out "
        r"|over )?(?:the following|\d+|another \d+|a dozen|one|two|three|four|five|six|seven|eight|nine|ten|twelve"
        r"|twenty) (?!(?:more )?(?:options|days|minutes|weeks|hours|copies of the (?:contract|invoice)|photos"
        r"|pictures|questions|links|names|dates|times))|(?:please |kindly )?(?:order|reorder|re-order) (?:the "
        r"following|as follows|\d+)|(?:same|repeat|usual|standing|regular) order|(?:attached|enclosed|below"
        r"|here)(?: \w+){0,4} (?:is|are|find|you will find|you'll find)(?: \w+){0,4} (?:purchase order|\bpo\b"
        r"|order)\b|(?:purchase order|\bpo\b) (?:attached|enclosed|below)|our (?:purchase )?order (?:for|no|number"
        r"|#)|\bpurchase order\b(?=.*\d)",
        r"(?:quiero|queremos|quisiera|quisi[eé]ramos|deseo|deseamos|necesito|necesitamos|me gustar[ií]a|nos "
        r"gustar[ií]a) (?:\w+ )?(?:pedir|hacer (?:un|el|este|otro) pedido|encargar|comprar|realizar un pedido"
        r"|ordenar)|(?:hago|hacemos|realizo|realizamos|paso|pasamos|adjunto|adjuntamos|confirmo|confirmamos"
        r"|env[ií]o|enviamos|les? paso) (?:\w+ ){0,3}(?:pedido|orden de compra)|(?:por favor|favor de|ruego"
        r"|rogamos)[,:]? (?:\w+ )?(?:env[ií]\w+|mand\w+|suministr\w+|sirv\w+|despach\w+|prepar\w+) (?:nos |me "
        r")?(?:\d+|lo siguiente|los siguientes|las siguientes|una|dos|tres|cuatro|cinco|diez)"
        r"|(?:env[ií]e(?:n)?(?:me|nos)|mánde(?:n)?(?:me|nos)|prepáre(?:n)?(?:me|nos)|apúnte(?:n)?(?:me|nos)) (?:por "
        r"favor )?(?:\d+|lo siguiente|una|dos|tres|cuatro|cinco|diez|las? |los )|(?:nuevo|siguiente|nuestro) "
        r"pedido\b|orden de compra|el pedido (?:habitual|de siempre)|pedido:",
        r"(?:quero|queremos|gostaria|gostar[ií]amos|desejo|desejamos|preciso|precisamos|queria|quer[ií]amos"
        r"|pretendo|pretendemos)(?: de)? (?:\w+ )?(?:encomendar|fazer (?:um|uma|o|a|outra|outro|nova|novo)? ?(?:\w+ "
        r")?(?:pedido|encomenda)|comprar|pedir \d+|adquirir)|(?:faço|fazemos|segue|seguem|envio|enviamos|confirmo"
        r"|confirmamos|anexo|em anexo) (?:\w+ ){0,4}(?:pedido|encomenda|ordem de compra|nota de encomenda)|(?:por "
        r"favor|favor|peço que|pedimos que|solicito que)[,:]? (?:\w+ )?(?:env\w+|mand\w+|forne[cç]\w+|entreg\w+"
        r"|prepar\w+|despach\w+)(?:-nos|-me| nos| me)? (?:\d+|o seguinte|os seguintes|as seguintes|uma?|duas|dois"
        r"|três|cinco|dez)|ordem de compra|(?:nova|nosso|nossa|novo) (?:encomenda|pedido)\b|(?:pedido|encomenda):",
        r"(?:hiermit |wir |ich |gern(?:e)? |würde[n]? |möchte[n]? |wollen |will )+(?:\w+ ){0,6}(?:bestellen"
        r"|bestelle|ordern|in auftrag geben|nachbestellen|beauftragen)\b|(?:möchte|möchten|würde|würden|wollen|will"
        r"|hätte|hätten)[^.]{0,120}\b(?:bestellen|bestellt|nachbestellen|ordern|aufgeben|kaufen|in auftrag geben)\b"
        r"|\bbestelle(?:n)? (?:ich|wir)\b|(?:anbei|im anhang|beigefügt|hier)[^.]{0,40}(?:bestellung|auftrag"
        r"|bestellschein)\b|bestellung aufgeben|(?:bitte )?(?:liefern|senden|schicken) sie (?:uns|mir)(?: \S+){0,4} "
        r"(?:\d+|folgende|die folgenden|ein|zwei|drei|vier|fünf|zehn)|(?:unsere|neue|folgende|meine) bestellung\b"
        r"|bitte (?:um )?(?:lieferung von|bestellen)|(?:nehmen|nehme|brauchen|bräuchten) (?:wir|ich)? ?(?:noch "
        r"|wieder )*\d+ (?:stück|kartons?|packungen|paletten|kisten|rollen|meter|kg)",
        r"(?:souhait\w+|voudr\w+|aimer\w+|désir\w+|veux|voulons|besoin de)(?: \w+)? (?:commander|passer (?:(?:une"
        r"|la|cette|notre|ma) (?:\w+ )?)?commande|acheter|recommander)|(?:je|nous) (?:vous )?(?:commande|commandons"
        r"|passe commande|passons commande|confirme la commande|confirmons (?:la|notre) commande)\b|(?:ci-joint"
        r"|veuillez trouver|voici|en pièce jointe)[^.]{0,40}(?:bon de commande|commande)\b|bon de commande|(?:merci "
        r"de|veuillez|pouvez-vous|pourriez-vous|prière de)(?: nous| me| m')? (?:livrer|envoyer|expédier|fournir"
        r"|préparer) (?:\w+ )?(?:\d+|les articles suivants|les produits suivants|ce qui suit|une?|deux|trois|quatre"
        r"|cinq|dix) (?!devis|tarif|offre|copie|facture|photos?)|(?:nouvelle|notre|suivante) commande\b|commande :",
    ),
    never=(
        r"(?:status|where|cancel\w*|chang\w*|track\w*|delay\w*|late|modif\w*|updat\w*|amend\w*|postpone"
        r"|reschedul\w*|confirm receipt|wrong|damaged|missing|estado|d[oó]nde|cancel|anul\w*|modific\w*|cambi\w*"
        r"|alter\w*|onde|stornier\w*|status|änder\w*|wo (?:ist|bleibt)|annul\w*|modifi\w*|\boù (?:est|en est)"
        r"|suivi)\b[^.]{0,40}\b(?:order|pedido|encomenda|bestellung|commande|po)\b",
        r"in order (?:to|that|for)|following information|\bto (?:place an? )?order\b[^.]{0,40}(?:you can|\bcall"
        r"|click|visit|please|go to|now)|place your order|order (?:now|today|here|online)|court order|work order"
        r"|out of order|order of (?:business|magnitude)|money order|restraining order|purchase order (?:process"
        r"|system|policy|terms)|(?:your|last|previous|recent|past|since the last|tu|su|seu|votre|ihre|dernière"
        r"|letzte) order (?:has|was|is|were|confirmation)|(?:thank|thanks|gracias|obrigad|merci|danke)\w* (?:\w+ "
        r"){0,4}(?:order|pedido|encomenda|commande|bestellung)|law and order|not (?:ready|going|able|planning)(?: "
        r"\w+)? to (?:order|buy|purchase)|(?:don't|do not|won't|will not|can't|cannot|no) (?:want|need|plan|wish"
        r"|wish to|want to) (?:to )?(?:order|buy|purchase)|before (?:we|i) (?:can )?(?:order|buy|purchase)|if (?:we"
        r"|i) (?:order|buy|purchase|were to|decide)|thinking (?:of|about) (?:ordering|buying)|might (?:order|buy)",
        # a no, a perhaps and a price that is haggled over are no order, and none of them may win a deal; the no is
        # one to the ordering: how and when not to send it, or that it goes without an invoice, is said of an order
        r"(?:n't|\bnot|\bcannot|\bnever|\bunable to) (?:(?!ship|sen[dt]|deliver|dispatch|invoic|bill|charg|split"
        r"|forget|wait|hesitat|delay)\w+ ){0,3}?(?:order(?:ing)?\b|buy|purchas(?:e|ing)\b|go ahead|proceed|(?:need"
        r"|take|have) \d|(?:send|ship|deliver|supply) (?:me |us )?(?:\d|the following))|\bwithout (?:ordering|buying"
        r"|purchasing)|too (?:expensive|dear|high|much)|half (?:\w+ )?price|(?<!thanks )(?<!thank you )\b(?:at|for"
        r"|with|given) (?:an? |any )?(?:lower|better|cheaper|reduced|another) (?:\w+ )?price|\bif (?:the|your"
        r"|you) (?:\w+ ){0,3}(?:price|lower|reduc|drop|could)|\bif only\b|\bunless\b",
        r"\b(?:no|nunca|tampoco|ni) (?!pedidos?\b)(?:(?!envi|mand|entreg|factur|despach|part|divid|olvid|tard|dud"
        r"|esper|demor)\w+ ){0,3}?(?:ped|encarg|compr|adelante con|hac\w* (?:\w+ ){0,2}(?:ped|encarg|compr)"
        r"|qued\w* con|(?:necesit|quer|cog|llev|tom|envi|mand|suministr|sirv|despach|prepar)\w* (?:nos |me )?\d)"
        r"|demasiad[oa] car|muy car[oa]|\bsi (?:el precio|los precios|baja|nos (?:hace|baja|deja)|hubiera|fuera)"
        r"|mitad (?:de |del )?precio|\bun (?:mejor|menor) precio|\bun precio (?:mejor|menor|mas bajo)",
        r"\b(?:nao|nunca|tampouco|nem) (?:(?!envi|mand|entreg|fatur|despach|part|divid|esque|demor"
        r"|esper)\w+ ){0,3}?(?:ped|encomend|compr|avanc|faz\w* (?:\w+ ){0,2}(?:ped|encomend|compr)|fic\w* com"
        r"|(?:precis|quer|lev|envi|mand|forne|entreg|despach|prepar)\w*(?:[ -](?:nos|me|de))? \d)|muito car[oa]"
        r"|\bse (?:o preco|os precos|baixa|nos|houver|fosse)|metade (?:do |de )?preco|\bum (?:melhor|menor) preco"
        r"|\bum preco (?:melhor|menor|mais baixo)",
        r"\bnichts? (?:(?!liefer|send|schick|versend|rechn|vergess|mit |vor )\w+ ){0,2}(?:bestell|kauf|nehm|order)"
        r"|\bkein\w* (?:(?!rechn|liefer)\w+ ){0,3}(?:bestell(?!best)|kauf|brauch)"
        r"|bestell\w* (?:\w+ ){0,4}nichts?(?: mehr)?\W*$|zu teuer|trop cher|\bne pas (?:command|achet|lanc|pass"
        r"|prendre)|\b(?:ne |n')(?:\w+ )?(?:(?:command|achet|pren|pass|lanc)\w* (?:\w+ )?(?:pas|plus|rien)\b"
        r"|(?:souhait|voul|veu|pouv|pourr|peu|desir|aimer|av|all)\w* (?:\w+ )?(?:pas|plus|rien) (?:(?!oubli|livr"
        r"|envoy|factur|attend)\w+ ){0,2}?(?:command(?:er|e)\b|achet|pass(?:er|e)\b|prendre|lancer))",
    ),
)

ORDER_UPDATE = Sayings(
    stems=(
        "push, move, bring, sabe, savez, kommt, "
        "status, update, news, progress, eta, information, track, where, when, has my, has our, cancel, change, "
        "modify, amend, postpone, delay, hold, reschedul, increas, reduc, add, push, bring, correct, revise, "
        "remov, lösch, datenbank, plus m', plus nous, vuelva, estado, situac, seguim, informac, noved, dónde, "
        "cuándo, cuando, anul, annul, cambi, aplaz, ampli, retras, adelant, andamento, rastre, previs, onde, "
        "alter, adiar, antecip, stand, liefer, sendung, wo, wann, bestell, auftrag, storn, statut, état, suivi, "
        "avancement, nouvel, où, quand, modifi, report, décal, parcel, ship"
    ),
    strong=(
        r"\b(?:push|move|bring|shift)(?: back| forward| out)? (?:my|our|the|this) (?:order|delivery|shipment"
        r"|installation)|\b(?:kommt|kommen) (?:die|meine|unsere) (?:lieferung|bestellung|ware)",
        r"(?:status|update|news|progress|eta|information|tracking)(?: \w+){0,4} (?:of|on|for|about|regarding)(?: "
        r"\w+){0,3} (?:order|po|shipment|delivery|parcel|package)|\b(?:where|when)(?: \w+){0,4} (?:my|our|the|this) "
        r"(?:\w+ )?(?:order|shipment|delivery|parcel|goods)\b|where(?:'s| is) (?:my|our) (?:\w+ )?package|(?:order"
        r"|shipment|delivery|parcel|package) (?:\S+ )?(?:status|tracking|eta)\b|\btracking (?:number|info|link)"
        r"|\btrack (?:my|our)\b|has (?:my|our|the) (?:order|shipment|parcel|package)(?: \S+){0,3} (?:shipped|been "
        r"(?:shipped|sent|dispatched)|left|gone out)|when (?:will|can|should|do)(?: \w+){0,6} (?:ship|arrive|be "
        r"delivered|be shipped|expect (?:delivery|the order|it|them))",
        r"\b(?:cancel|change|modify|amend|update|postpone|delay|hold|reschedule|increase|reduce|add to|push back"
        r"|bring forward|correct|revise)(?: \w+){0,5} (?:order|po|purchase order|delivery(?: date| address)?"
        r"|shipment|shipping address)\b|\b(?:order|po|delivery)(?: \S+){0,4} (?:be|to be) (?:cancell?ed|changed"
        r"|amended|postponed|delayed|moved|rescheduled|increased|reduced|sent to)|(?:add|remove)(?: \S+){0,6} (?:to"
        r"|from) (?:my|our|the|this) (?:order|po)\b",
        r"(?:estado|situaci[oó]n|seguimiento|informaci[oó]n|novedades)(?: \w+){0,4} (?:del?|sobre|de mi|de "
        r"nuestro)(?: \w+){0,2} (?:pedido|env[ií]o|entrega)|\b(?:d[oó]nde|cu[aá]ndo|para "
        r"cu[aá]ndo)\b[^.]{0,30}(?:pedido|env[ií]o|paquete|entrega|mercanc[ií]a)|(?:cancelar|anular|modificar"
        r"|cambiar|aplazar|ampliar|corregir|retrasar|adelantar)[^.]{0,25}(?:pedido|entrega|env[ií]o|direcci[oó]n de "
        r"(?:entrega|env[ií]o))|(?:cancelen?|anulen?|modifiquen?|cambien?)[^.]{0,20}(?:pedido|entrega)",
        r"(?:estado|status|situa[cç][aã]o|andamento|rastreio|rastreamento|previs[aã]o)(?: \w+){0,4} (?:d[aeo]"
        r"|sobre)(?: \w+){0,2} ?(?:pedido|encomenda|entrega|envio)|\b(?:onde|quando|para "
        r"quando)\b[^.]{0,30}(?:pedido|encomenda|entrega|mercadoria)|(?:cancelar|anular|modificar|alterar"
        r"|mudar|adiar|corrigir|antecipar)[^.]{0,25}(?:pedido|encomenda|entrega|morada de entrega|endere[cç]o de "
        r"entrega)",
        r"(?:status|stand|lieferstatus|sendungsverfolgung|liefertermin|sendungsnummer)[^.]{0,30}(?:bestellung"
        r"|lieferung|auftrag|sendung|\d)|\b(?:wo|wann)\b[^.]{0,30}(?:bestellung|lieferung|ware|paket|sendung"
        r"|auftrag|geliefert)|(?:bestellung|auftrag|lieferung|liefertermin|lieferadresse)[^.]{0,40}(?:stornieren"
        r"|ändern|verschieben|anpassen|erhöhen|reduzieren|zu stornieren|zu ändern|storniert|erweitern|korrigieren)"
        r"|(?:stornieren|storniere|ändern|ändere|verschieben)[^.]{0,30}(?:bestellung|auftrag|lieferung|liefertermin"
        r"|lieferadresse)",
        r"\b(?:statut|état|suivi|avancement|nouvelles)(?: \S+){0,4} (?:de|sur)(?: \S+){0,2} ?(?:commande|livraison"
        r"|colis|expédition)|\b(?:où|quand)\b[^.]{0,30}(?:commande|livraison|colis|livrée?)|(?:annuler|modifier"
        r"|changer|reporter|décaler|corriger|avancer)[^.]{0,25}(?:commande|livraison|adresse de livraison|date de "
        r"livraison)|numéro de suivi",
    ),
)
