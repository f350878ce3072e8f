"""Subjects that a model's mail leaves alone: what is owed, agreed, under way, secret or anybody's fault; how to pay."""

from __future__ import annotations

from collections.abc import Mapping

# A pattern each, over words as `letters.plain` spells them; whole words only.
_MONEY: Mapping[str, str] = {
    "en": r"money|cash|credits?|debts?|owe[ds]?|forgiv\w+|(?:the|your|our|a|this) bills?|interest[- ]free|tenner|fiver|quid"
    r"|dollars?|euros?|pounds|pence|cents?|invoices?|balance|budgets? of|shipping|postage|freight|surcharge\w*"
    r"|you(?:'ll| will)? save|buy (?:one|two|now|more)|knock\w* \w+|a (?:fifth|sixth|tenth)|one[- ](?:fifth|sixth|tenth|third)"
    r"|throw in|(?:few|little) left|(?:this|an|our|special|limited) offers?|offers? (?:ends?|expires?)|(?<!feel )(?<!are )(?<!be )(?<!'re )free"
    r"(?! (?:to|for|moment|hour|minute))",
    "es": r"dinero|efectivo|deudas?|intereses|abonad[oa]s?|importes?|dolares?|euros?|pesos?|reales|facturas?|saldos?"
    r"|por (?:nuestra|mi|su) cuenta|por cuenta de|corre por|(?:el|los) envios?|fletes?|portes|perdon(?:amos|aremos|ado|ada)"
    r"|eximid[oa]s?|regal(?:o|os|amos|aremos)|un (?:vale|bono|cuarto|quinto|decimo)|(?:cuarto|quinto) menos|cupon\w*"
    r"|(?:esta|nuestra|una) oferta|ofertas?|mas economic[oa]|ahorr\w+|no (?:le )?cuesta nada",
    "pt": r"dinheiro|dividas?|juros|creditamos|creditad[oa]s?|dolares?|euros?|pesos?|reais|faturas?|saldos?|boletos?"
    r"|por (?:nossa|minha|sua) conta|por conta da|fretes?|perdo(?:amos|ada|ado|aremos)|presentear\w*"
    r"|um (?:vale|bonus|quarto|quinto|decimo)|(?:quarto|quinto) a menos|cupo(?:m|ns)|(?:esta|nossa|uma) oferta|ofertas?"
    r"|economiz\w+|nao (?:lhe )?custa nada",
}
_AGREED: Mapping[str, str] = {
    "en": r"agreed|agreements?|it(?:'s| is) a deal|you have our \w+|consider (?:us|it|yourself)|count on (?:it|us|that)"
    r"|contracts?|clauses?|(?:we|i) (?:hereby )?(?:confirm|approve|authori[sz]e)\w*|release you|exempt\w*|shipped"
    r"|dispatch\w*|on (?:its|the|their) way|in transit|under way|yes,? (?:we|i) (?:do|will|can)|sorted (?:it )?out for you"
    r"|before the (?:day|week|month|year)|by the (?:\w+th|first|second|third)|all is settled|taken care of",
    "es": r"trato hecho|de acuerdo (?:con|en)|confirm(?:o|amos|ad[oa]s?)|autoriz(?:o|amos|ad[oa]s?)|aprob(?:amos|ad[oa]s?)"
    r"|(?:ya|va|esta) (?:en camino|salio|enviad[oa])|va en camino|ha salido|fue enviad[oa]|contratos?|clausulas?|acuerdos?"
    r"|antes de(?: que)? (?:acabe|termine|fin)|cuente con (?:ello|eso)|dalo por hecho|delo por hecho|todo arreglado",
    "pt": r"negocio fechado|combinado|fechado|confirm(?:o|amos|ad[oa]s?)|autoriz(?:o|amos|ad[oa]s?)|aprov(?:amos|ad[oa]s?)"
    r"|ja saiu|a caminho|foi enviad[oa]|contratos?|clausulas?|acordos?|antes que (?:acabe|termine)|pode contar com isso"
    r"|considere feito|tudo resolvido",
}
_BLAME: Mapping[str, str] = {
    "en": r"(?:mistakes?|errors?|fault|failure|negligence) (?:of|on) (?:ours?|us)|our (?:own )?(?:mistakes?|errors?|failure"
    r"|negligence)|we (?:were|are) (?:wrong|negligent)|solicitors?|attorneys?|lawsuits?|tribunals?|consequences|or else"
    r"|forced to|take steps|regret it|know where you|idiots?|stupid|fools?|sham(?:e|eful) on|competitors?|(?:better|cheaper)"
    r" than (?:any|every|our|the)|best in the|market leader|certified|licensed|award\w*",
    "es": r"(?:errores|error|fallos?|faltas?|negligencia) (?:es |fue )?nuestr[oa]s?|nuestr[oa] (?:error|fallo|negligencia)"
    r"|nos equivocamos|tribunal(?:es)?|consecuencias|o vera|sabemos donde|atengase|idiotas?|estupid\w*|verguenza"
    r"|competencia|competidor\w*|mejor que (?:nadie|ningun\w*)|lider(?:es)?|certificad[oa]s?|premiad[oa]s?",
    "pt": r"(?:erros?|falhas?|negligencia) (?:e |foi )?noss[oa]s?|noss[oa] (?:erro|falha|negligencia)|erramos|tribunal|tribunais"
    r"|consequencias|ou vera|sabemos onde|idiotas?|estupid\w*|vergonha|concorren\w+|melhor que (?:ninguem|qualquer)|lider(?:es)?"
    r"|certificad[oa]s?|premiad[oa]s?",
}
_REACH: Mapping[str, str] = {
    "en": r"dial\w*|hotlines?|our (?:new |other |own )?(?:numbers?|line|phone|telephone|address|office|site|website)"
    r"|click\w*|passports?|date of birth|birth ?dates?|social security|identity cards?|id cards?|driving licen[cs]e"
    r"|(?:copy|photo|picture|scan) of|(?<!country )(?<!postal )(?<!area )(?<!dialling )(?<!dialing )codes?|selfie|(?:have been|are|were) (?:selected|chosen)|com|arroba"
    r"|(?:to|at|on) \w+ (?:net|org|io)|gift cards?|bitcoin\w*|crypto\w*|mailbox is",
    "es": r"nuestr[oa] (?:nuev[oa] )?(?:telefono|numero|celular|direccion|sitio|web|oficina)|clics?|pulse"
    r"|haga clic|entre en|confirme (?:sus|su)|pasaportes?|fecha de nacimiento|cedula|(?:copia|foto) de"
    r"|codigos?(?! (?:del? pais|postal|de area|internacional))|(?:ha|han) sido (?:seleccionad|elegid)\w+|com|arroba|bitcoin\w*|cripto\w*",
    "pt": r"noss[oa] (?:nov[oa] )?(?:telefone|numero|celular|endereco|site|escritorio)|(?:telefone|numero) novo"
    r"|clique\w*|confirme (?:seus|sua|seu)|passaportes?|data de nascimento|(?:copia|foto) d[eo]"
    r"|codigos?(?! (?:d[eo] pais|postal|de area|internacional))"
    r"|foi (?:selecionad|escolhid)\w+|arroba|bitcoin\w*|cripto\w*",
}
_SECRET: Mapping[str, str] = {
    "en": r"secrets?|secretly|confidential\w*|between (?:us|you and me|ourselves)|(?:not|n't|never) (?:tell|mention|show)"
    r" (?:any\w*|this|it|your)|tell nobody|keep (?:this|it) (?:to|from|quiet)|instructions?|instructed|computer programs?|chat ?bots?"
    r"|automated|algorithms?|todo:|tbd|n/a|fixme",
    "es": r"secretos?|confidencial\w*|entre nosotros|no se lo (?:diga|cuente|comente)|no (?:diga|cuente) (?:a )?nad\w+|a nadie"
    r"|instrucciones|automatizad[oa]s?|algoritmos?|programa de computadora|n/a",
    "pt": r"segredos?|confidencial\w*|entre nos|nao (?:conte|diga|fale) (?:isso )?a ninguem|a ninguem|instrucoes"
    r"|automatizad[oa]s?|algoritmos?|programa de computador|n/a",
}

LEFT_ALONE: tuple[tuple[Mapping[str, str], str], ...] = (
    (_MONEY, "a word about money"),
    (_AGREED, "an agreement or its course"),
    (_BLAME, "blame, praise of ourselves or a threat"),
    (_REACH, "another way to be reached, or a wish for what is private"),
    (_SECRET, "a secret or its orders"),
)
"""Words by language, and what they are about."""
