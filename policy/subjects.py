"""Subjects that a model's mail leaves alone: what is owed, agreed, under way, secret or anybody's fault; how to pay."""

from __future__ import annotations

from collections.abc import Mapping

# A pattern each, over words as `letters.plain` spells them; whole words only.
_MONEY: Mapping[str, str] = {
    "en": r"money|cash|billed|slashed|yours for|on (?:me|account)|all (?:that )?you paid|everything you paid|stock"
    r"|limits?|rounds?|credits?|debts?|owe[ds]?|forgiv\w+|(?:the|your|our|a|this) bills?|interest[- ]free|tenner"
    r"|fiver|quid"
    r"|dollars?|euros?|pounds|pence|cents?|invoices?|balance|budgets? of|shipping|postage|freight|surcharge\w*"
    r"|you(?:'ll| will)? save|buy (?:one|two|now|more)|knock\w* \w+|a (?:fifth|sixth|tenth)|one[- ](?:fifth|sixth"
    r"|tenth|third)"
    r"|throw in|(?:few|little) left|(?:this|an|our|special|limited) offers?|offers? (?:ends?|expires?)"
    r"|(?<!feel )(?<!are )(?<!be )(?<!'re )free"
    r"(?! (?:to|for|moment|hour|minute))",
    "es": r"dinero|efectivo|cobrar\w*|pago|regalad[oa]|anticipos?|existencias|limites?|a credito|todo lo que pago"
    r"|lo que pedimos|deudas?|intereses|abonad[oa]s?|importes?|dolares?|euros?|pesos?|reales|facturas?|saldos?"
    r"|por (?:nuestra|mi|su) cuenta|por cuenta de|corre por|(?:el|los) envios?|fletes?|portes|perdon(?:amos|aremos"
    r"|ado|ada)"
    r"|eximid[oa]s?|regal(?:o|os|amos|aremos)|un (?:vale|bono|cuarto|quinto|decimo)|(?:cuarto|quinto) menos|cupon\w*"
    r"|(?:esta|nuestra|una) oferta|ofertas?|mas economic[oa]|ahorr\w+|no (?:le )?cuesta nada",
    "pt": r"dinheiro|dividas?|cobrad[oa]s?|quitad[oa]s?|pagou|um sinal|adiantamentos?|estoques?|limites?|a credito"
    r"|o que pedimos|juros|creditamos|creditad[oa]s?|dolares?|euros?|pesos?|reais|faturas?|saldos?|boletos?"
    r"|por (?:nossa|minha|sua) conta|por conta da|fretes?|perdo(?:amos|ada|ado|aremos)|presentear\w*"
    r"|um (?:vale|bonus|quarto|quinto|decimo)|(?:quarto|quinto) a menos|cupo(?:m|ns)|(?:esta|nossa|uma) oferta|ofertas?"
    r"|economiz\w+|nao (?:lhe )?custa nada",
}
_AGREED: Mapping[str, str] = {
    "en": r"agreed|agreements?|written off|vouch\w*|(?:start|begin) the work|arranged|signed|accepted|approved"
    r"|reserved|(?:we|i) hold|valid (?:for )?longer|before your|holidays?|your claim|we report|add(?:ed)? (?:a"
    r"|another) line|it(?:'s| is) a deal|you have our \w+|consider (?:us|it|yourself)|count on (?:it|us|that)"
    r"|contracts?|clauses?|(?:we|i) (?:hereby )?(?:confirm|approve|authori[sz]e)\w*|release you|exempt\w*|shipped"
    r"|dispatch\w*|on (?:its|the|their) way|in transit|under way|yes,? (?:we|i) (?:do|will|can)"
    r"|sorted (?:it )?out for you"
    r"|before the (?:day|week|month|year)|by the (?:\w+th|first|second|third)|all is settled|taken care of",
    "es": r"trato hecho|doy fe|no nos deben?|arreglad[oa]s?|firmad[oa]|reservad[oa]|antes de sus?|vacaciones"
    r"|(?:anadimos|duplicad[oa]|ampliad[oa])|su solicitud|de acuerdo (?:con|en)|confirm(?:o|amos|ad[oa]s?)"
    r"|autoriz(?:o|amos|ad[oa]s?)|aprob(?:amos|ad[oa]s?)"
    r"|(?:ya|va|esta) (?:en camino|salio|enviad[oa])|va en camino|ha salido|fue enviad[oa]|contratos?|clausulas?"
    r"|acuerdos?"
    r"|antes de(?: que)? (?:acabe|termine|fin)|cuente con (?:ello|eso)|dalo por hecho|delo por hecho",
    "pt": r"negocio fechado|dou fe|nao nos devem?|arranjad[oa]s?|assin(?:ou|ad[oa])|reservad[oa]|antes das? suas?"
    r"|ferias|(?:acrescentamos|dobr(?:ei|amos)|aumentad[oa]|ampliad[oa])|aprovou|combinado|fechado|confirm(?:o|amos"
    r"|ad[oa]s?)|autoriz(?:o|amos|ad[oa]s?)|aprov(?:amos|ad[oa]s?)"
    r"|ja saiu|(?:esta|segue|vai|pedido) (?:ja )?a caminho|foi enviad[oa]|contratos?|clausulas?|acordos?"
    r"|antes que (?:acabe|termine)|pode contar com isso"
    r"|considere feito|tudo resolvido",
}
_BLAME: Mapping[str, str] = {
    "en": r"(?:mistakes?|errors?|fault|failure|negligence) (?:of|on) (?:ours?|us)|our (?:own )?(?:mistakes?|errors?"
    r"|failure"
    r"|negligence)|we (?:were|are) (?:wrong|negligent)|solicitors?|attorneys?|counsel|lawsuits?|tribunals?"
    r"|consequences|or else"
    r"|forced to|take steps|regret it|know where you|idiots?|stupid|fools?|sham(?:e|eful) on|competitors?|rivals?"
    r"|(?:take|takes) the blame|authorities|you must|failure to|be quick|hurry up|running out|(?:better|cheaper)"
    r" than (?:any|every|our|the)|best in the|market leader|certified|licensed|award\w*",
    "es": r"(?:errores|error|fallos?|faltas?|negligencia) (?:es |fue )?nuestr[oa]s?|nuestr[oa] (?:error|fallo"
    r"|negligencia)"
    r"|nos equivocamos|tribunal(?:es)?|consecuencias|o vera|sabemos donde|atengase|idiotas?|estupid\w*|verguenza"
    r"|competencia|rival(?:es)?|debe contestar|tiene que contestar|se agota\w*|competidor\w*|mejor que (?:nadie"
    r"|ningun\w*)|lider(?:es)?|certificad[oa]s?|premiad[oa]s?",
    "pt": r"(?:erros?|falhas?|negligencia) (?:e |foi )?noss[oa]s?|noss[oa] (?:erro|falha|negligencia)|erramos"
    r"|tribunal|tribunais"
    r"|consequencias|ou vera|sabemos onde|idiotas?|estupid\w*|vergonha|concorren\w+|rivais|rival|tem de responder"
    r"|deve responder|esta acabando|melhor que (?:ninguem|qualquer)|lider(?:es)?"
    r"|certificad[oa]s?|premiad[oa]s?",
}
_REACH: Mapping[str, str] = {
    "en": r"dial\w*|hotlines?|tax (?:number|id)\w*|maiden|antivirus|install\w*|(?:open|see) the files?|log ?ins?"
    r"|user ?names?|private mail\w*|personal mail\w*|our (?:new |other |own )?(?:numbers?|line|phone|telephone"
    r"|address|office|site|website)"
    r"|(?<!one )click\w*|passports?|date of birth|birth ?dates?|social security|identity cards?|id cards?"
    r"|driving licen[cs]e"
    r"|(?:copy|photo|picture|scan) of|(?<!country )(?<!postal )(?<!area )(?<!dialling )(?<!dialing )codes?|selfie"
    r"|(?:have been|are|were) (?:selected|chosen)|com|arroba"
    r"|(?:to|at|on) \w+ (?:net|org|io)|gift cards?|bitcoin\w*|crypto\w*|mailbox is",
    "es": r"nuestr[oa] (?:nuev[oa] )?(?:telefono|numero|celular|direccion|sitio|web|oficina)|(?<!un )(?<!solo )clics?"
    r"|pulse"
    r"|numero fiscal|su usuario|instal\w+|descarg\w+|correo (?:personal|privado)"
    r"|haga clic|entre en|confirme (?:sus|su)|pasaportes?|fecha de nacimiento|cedula|(?:copia|foto) de"
    r"|codigos?(?! (?:del? pais|postal|de area|internacional))|(?:ha|han) sido (?:seleccionad|elegid)\w+|com|arroba"
    r"|bitcoin\w*|cripto\w*",
    "pt": r"noss[oa] (?:nov[oa] )?(?:telefone|numero|celular|endereco|site|escritorio)|(?:telefone|numero) novo"
    r"|(?<!um )(?<!so )clique\w*|seu usuario|instal\w+|seu (?:cpf|rg|cnpj)|e-mail (?:pessoal|privado)"
    r"|confirme (?:seus|sua|seu)"
    r"|passaportes?|data de nascimento|(?:copia|foto) d[eo]"
    r"|codigos?(?! (?:d[eo] pais|postal|de area|internacional))"
    r"|foi (?:selecionad|escolhid)\w+|arroba|bitcoin\w*|cripto\w*",
}
_SECRET: Mapping[str, str] = {
    "en": r"secrets?|secretly|confidential\w*|between (?:us|you and me|ourselves)|(?:not|n't|never) (?:tell|mention"
    r"|show)"
    r" (?:any\w*|this|it|your)|tell nobody|keep (?:this|it) (?:to|from|quiet)|instructions?|instructed"
    r"|computer programs?|(?:chat ?)?(?:ro)?bots?|software|prompts?|(?:by|from) the system|system(?:'s)? (?:said|says"
    r"|told)|system:"
    r"|automated|algorithms?|to do:|tbd|n/a|fill (?:this )?in",
    "es": r"secretos?|confidencial\w*|entre nosotros|no se lo (?:diga|cuente|comente)|no (?:diga"
    r"|cuente) (?:a )?nad\w+|a nadie"
    r"|instrucciones|automatizad[oa]s?|algoritmos?|programa de computadora|robots?|n/a",
    "pt": r"segredos?|confidencial\w*|entre nos|nao (?:conte|diga|fale) (?:isso )?a ninguem|a ninguem|instrucoes"
    r"|automatizad[oa]s?|algoritmos?|programa de computador|robos?|n/a",
}

LEFT_ALONE: tuple[tuple[Mapping[str, str], str], ...] = (
    (_MONEY, "a word about money"),
    (_AGREED, "an agreement or its course"),
    (_BLAME, "blame, praise of ourselves or a threat"),
    (_REACH, "another way to be reached, or a wish for what is private"),
    (_SECRET, "a secret or its orders"),
)
"""Words by language, and what they are about."""
