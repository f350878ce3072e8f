"""What mail servers say when they refuse, and which reason each saying means."""

from __future__ import annotations

import re
from functools import lru_cache

# The first reason with a saying in the words wins: narrower sayings stand above wider ones.
_SAYINGS: dict[str, tuple[str, ...]] = {
    "system": (
        r"\bprocmail\b|couldn't create|can't create|cannot open (?:mail|file)|mailer error|local error|out of "
        r"memory|internal error|configuration error",
    ),
    "mailbox_full": (
        r"full mailbox|does not have enough space|\bquota usage|disk ?quota|userdisk"
        r"|space has (?:been )?used up|too much mail data",
        r"mail ?box exceeded|storage quota|exceeded (?:the )?local limit|destinataire plein|pleine\b",
        r"(?:mail ?box|inbox|mail ?folder|account|user|disk|storage|maildir|mail ?drop)[^.\n]{0,40}(?:\bfull\b|too "
        r"full)",
        r"over[ -]?(?:the )?(?:\w+ ){0,2}(?:quota|limit of (?:storage|mail))|\bquota[ _](?:has been )?(?:exceed"
        r"|violat|is full|full)",
        r"exceed\w*[ _](?:[\w']+[ _]){0,5}(?:quota|storage|disk|allowed size|size limit|allocation|message count)",
        r"insufficient (?:system |disk |mailbox )?(?:storage|space|quota)|not enough (?:storage|disk|free)? "
        r"?(?:space|room)",
        r"out of (?:storage|disk|quota|space)|mail ?box(?: size)? limit|mail ?box exceeds|account exceeds|mailfull"
        r"|mbox full",
        r"quota (?:exceeded|full)|no (?:more )?space left|disk ?full|too many messages in (?:this|the) mailbox"
        r"|volume full",
        r"account is (?:temporarily )?(?:over|full)|delivery temporarily suspended: mailbox|recipient storage full"
        r"|is overquota",
        r"容量|已满|已滿|переполнен|casella (?:\S+ )?piena|skrzynk\w+ (?:\S+ )?(?:pe[lł]na|przepe[lł]nion)"
        r"|postbus (?:is )?vol|"
        r"boîte (?:aux lettres )?pleine|buz[oó]n (?:est[aá] )?lleno|caixa (?:postal )?cheia"
        r"|postfach (?:ist )?voll",
    ),
    "too_big": (
        r"(?:message|mail|msg)(?: body)? (?:size|length)[^.\n]{0,60}(?:exceed|limit|too|large)|size of (?:the |this "
        r")?message",
        r"(?:message|mail|e-?mail|msg)[^.\n]{0,40}too (?:large|big|long)(?! in)|exceeds? [^.\n]{0,40}(?:message"
        r"|mail)[^.\n]{0,20}(?:size|length)",
        r"(?:size|length) (?:limit )?exceed|larger than the (?:current )?(?:system )?(?:size )?limit|max(?:imum)? "
        r"(?:message )?size",
    ),
    "authentication": (
        r"\bdmarc\b|\bdkim\b|\bspf\b|unauthenticated|not (?:be )?authenticated|authentication (?:information"
        r"|checks?|results?) ",
        r"fail\w* (?:to pass )?authentication|not (?:allowed|permitted) to send from|openspf",
    ),
    "blocked": (
        r"black ?list|block ?list|\bblocke?d\b|\bbloqu[eé]e?\b|\bdnsbl\b|\brbl\b|spamhaus|spamcop|barracudacentral"
        r"|sorbs|cloudmark|senderbase",
        r"reverse (?:dns|hostname|mapping)|\brdns\b|\bptr\b|mismatches client|cannot find your (?:reverse "
        r")?hostname|helo command rejected",
        r"(?:poor|bad|low|sender) reputation|reputation (?:is )?(?:too )?(?:low|poor|bad)|banned|sending ip|ip "
        r"address[^.\n]{0,30}(?:reject|refus|denied|list)",
        r"client host (?:rejected|\[)|client host .{0,40}rejected|unverifiable sending|dynamic ip|dialup|no ptr|"
        r"host network not allowed|messages from [\d.]+ weren't sent|connection refused by policy|not accept "
        r"(?:mail|messages) from (?:your|servers)",
    ),
    "rate": (
        r"too many (?:connections|messages|recipients|concurrent|sessions|emails|errors)|rate ?(?:limit|control"
        r"|exceed)|throttl",
        r"sent (?:to )?too (?:many|much)|too (?:frequent|fast)|sending (?:limit|rate|too)|(?:daily|hourly) (?:\w+ "
        r")?(?:limit|quota)|deferred due to",
        r"(?:maximum|excessive) number of (?:invalid |unknown )?recipients|too many "
        r"(?:invalid|unknown) (?:recipients|users)",
        r"receiving mail (?:at a rate|too quickly)|try again later|limit exceeded for (?:sender|connection)",
    ),
    "spam": (
        r"\bspam(?:my|mer|ming|assassin)?\b|\bunsolicited\b|junk ?mail|bulk ?mail|\buce\b|content (?:filter|scan)"
        r"|classified as|spam ?detect",
        r"uribl|surbl|listed (?:url|link)|contains? (?:a )?(?:virus|malware)|infected|virus[ _]|malicious|phish",
    ),
    "relaying": (
        r"relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed)|prohibited|disallowed|rejected)|(?:unable"
        r"|not permitted|will not|won't|cannot) (?:to )?relay",
        r"no relaying|we do not relay|relaying (?:mail )?(?:to|from)? ?.{0,40}(?:denied|not allowed)|not a "
        r"(?:local(?! address)|gateway|relay)",
        r"isn't in my list of allowed|rcpthosts|not a (?:known|valid) relay",
    ),
    "sender": (
        r"(?:mail from|sender'?s?|your|from) (?:e-?mail )?(?:domain"
        r"|address)(?: \S+){0,3} (?:not found|does not|doesn't|not resolve|invalid|unknown)",
        r"sender (?:e-?mail )?(?:address )?(?:is )?(?:\S+ )?(?:rejected|denied|refused|invalid|unknown|not "
        r"(?:allowed|permitted|exist|found)|must|domain)",
        r"domain of sender|(?:unroutable|invalid|unknown|bad) sender|envelope sender|mail from:? ?(?:command "
        r")?(?:rejected|denied|refused)|not allowed to (?:send|post)",
        r"to/from (?:an )?address|sender verif\w*|verify (?:failed|failure|sender)|rejected sender",
        r"only accept\w* (?:mail|messages) from|permission to (?:post|send)|restricted (?:sender|address|group)|not "
        r"authori[sz]ed to send",
        r"requireauth|resolver\.rst\.",
    ),
    "moved": (
        r"(?:has|have|address) (?:been )?(?:moved|changed)|moved to (?:a )?new|no longer (?:here|our customer|with)"
        r"|not our customer|recipient.{0,30}has moved",
    ),
    "unknown_host": (
        r"host (?:or domain name )?(?:is )?(?:unknown|not found)|unknown (?:host|domain|mail server)|illegal host"
        r"|host does not exist",
        r"domain (?:name )?(?:\S+ )?(?:does n[o']t exist|doesn't exist|not found|is not (?:exist|known|valid|found)"
        r"|isn't valid|invalid)",
        r"nxdomain|dns lookup fail|(?<!from: )invalid domain|domain is not reachable|no such (?:domain|host)"
        r"|unrout(?:e)?able (?:mail )?(?:domain|address)|could ?n[o']t (?:find|look ?up) any? ?host|"
        r"couldn't find (?:any|a) (?:host|mail exchanger)|(?:no|any) mail exchanger|null ?mx|does not (?:accept"
        r"|receive) (?:any )?(?:e?-?mail|messages)",
        r"domain must (?:exist|resolve)|not a valid (?:mail )?domain|bad destination host|name or service not known"
        r"|no (?:route|mx record) (?:to|for|found)",
        r"no valid hosts|(?:unable|failed) to (?:resolve|lookup|look up) (?:host|domain)|dnsmx"
        r"|all relevant mx records",
    ),
    "disabled": (
        r"archived recipient|destinataire archiv|is (?:currently "
        r"|temporarily )?suspended|recipient suspend|due to suspension|access denied or",
        r"not currently being accepted for this mail ?box|mail ?box unavailable or access denied|temporarily inactive",
        r"(?:account|mail ?box|user|address|recipient)(?: \S+){0,6} (?:(?:has been|is|was|are) )?(?:temporarily "
        r"|currently )?"
        r"(?:disabled|suspended|inactive|locked|deactivated|frozen|discontinued|expired|closed)",
        r"(?:disabled|suspended|inactive|deactivated|locked|frozen|closed|expired|blocked) (?:e-?mail |local "
        r")?(?:account|mail ?box|user|recipient|address)",
        r"not (?:been )?collected (?:after|for)|account (?:has been )?(?:idle|unused|dormant)|user(?:\(s\))? "
        r"account is disabled|domain[^.\n]{0,30}suspended",
        r"email account that you tried to reach is (?:disabled|inactive)|has not logged in",
    ),
    "unknown_user": (
        r"not (?:present|found|listed) in (?:the |our )?directory|bad(?:rcpt|recipient)to|validrcptto|can't accept user"
        r"|\bdoes not exist\b|@\S+ is unknown|final e-?mail delivery point|envelope recipient has been denied"
        r"|recipient not ok|(?:don't|do not) have (?:this|that|such an?) (?:user|mail ?box|account|address|recipient)"
        r"|(?:unable|failed) to find (?:\w+ ){0,2}(?:user|recipient|mail ?box|alias)"
        r"|not (?:on|in) (?:the |our |my )?(?:\w+ )?(?:address|recipient|user) (?:list|table)",
        r"usuario no encontrado"
        r"|rejected recipients|not an active (?:address|mail ?box)|longer an active",
        r"mail ?box not present|nessun utente|no existe (?:dicha persona|ese usuario"
        r"|el usuario|la cuenta)|not a local address|recipient is not local",
        r"(?:user|person) does not have a mail ?box|missing home directory"
        r"|user not active|mail ?box is inactive|no (?:longer )?active (?:user|mail ?box)",
        r"(?:user|recipient|mail ?box|account|address|addressee|alias|destination|person|userid"
        r"|login)(?:\(s\))?[\"'<>\s:;,.(]{1,4}(?:[^\s]{1,80}\s){0,6}?"
        r"[\"'<>\s(]{0,3}(?:is |was |are |has )?(?:an? )?(?:unknown|un-?recognized|not (?:be )?(?:found|known"
        r"|recogni[sz]ed|registered|valid|listed|a valid)|does ?n[o']t exist|do not exist"
        r"|did not exist|could not be found|couldn't be found|wasn.t found|not exist|doesn't have|no longer "
        r"(?:valid|exists?|available|in use|active|on (?:this )?server|accept\w*|receives?)"
        r"|invalid|undeliverable|un ?known|unavailable|non-?existent|not available|cannot be found|cannot be "
        r"resolved|rejected[.\s]*(?:$|\n|\(in reply))",
        r"(?:unknown|no such|no|invalid|non-?existent|not a|bad|undeliverable|unresolvable|illegal|not a valid|no "
        r"valid|incorrect|unrecogni[sz]ed|absent|unexisting)"
        r" (?:(?:local|final|delivery|virtual|or|illegal|e-?mail|smtp|destination|registered|gateway|alias|valid"
        r"|current)[ -]){0,3}"
        r"(?:user|recipient|mail ?box|mail ?drop|account|address(?:ee)?|person|alias|userid|customer|name|local[ "
        r"-]part)s?\b",
        r"no (?:mail ?box|account|user|recipient|one|such)[^.\n]{0,30}(?:here|by that name|found|with that|at this"
        r"|named|in (?:this|our|the))",
        r"user[ _]?(?:\S+ )?unknown|unknown[ _-]?user|nosuchuser|no such (?:user|mail|recipient|person|id|account)"
        r"|recipn?otfound|recipnotfound|recipientnotfound|mail ?box unavailable|nouser",
        r"doesn't (?:have|exist)|does not have an? \S+ account|dosn't exist|not listed in|name is not recogni[sz]ed"
        r"|no account (?:by|with|on)|not a known",
        r"bad destination (?:mailbox|system)|destination (?:mailbox )?address (?:syntax|ambiguous)|mailbox address "
        r"syntax|invalid recipient|couldn't be (?:delivered|found)",
        r"recipient address rejected[.:]?\s*(?:access denied|undeliverable|\S{0,40}\[RCPT_TO\]|$|\n|\(in reply"
        r"|unverified|\S+ not)|address rejected \S+@|all-?recipients-?failed",
        r"(?:adresse|destinataire)[^.\n]{0,50}introuvable|no se encontr[oó] la direcci[oó]n|endere[cç]o n[aã]o "
        r"(?:foi )?encontrado|(?:impossibile|possibile) trovare l'indirizzo|e-?mailadres[^.\n]{0,40}niet gevonden",
        r"(?:adresse|destinataire)[^.\n]{0,40}(?:invalide|inconnue?|n'existe)|utilisateur inconnu|(?:usuario"
        r"|direcci[oó]n|destinatario)[^.\n]{0,30}(?:desconocid|no existe|no v[aá]lid|inexistente)",
        r"(?:usu[aá]rio|endere[cç]o|destinat[aá]rio)[^.\n]{0,30}(?:desconhecid|n[aã]o existe|inv[aá]lid"
        r"|inexistente)|empf[aä]nger[^.\n]{0,30}(?:unbekannt|existiert nicht|ung[uü]ltig)",
        r"(?:utilisateur|adresse|destinataire|bo[iî]te)[^.\n]{0,30}n['’]existe (?:pas|plus)|(?:utente|casella"
        r"|indirizzo|destinatario)[^.\n]{0,30}(?:inesistente|sconosciut|non esiste|non trovat|non valid)",
        r"(?:empf[aä]nger|benutzer|postfach|adresse|adressat|konto)[^.\n]{0,30}(?:(?:nicht|un)[ -]?bekannt"
        r"|nicht gefunden|existiert nicht|nicht vorhanden|ung[uü]ltig)|(?:caixa|conta|mailbox|buz[oó]n|cuenta|casilla)"
        r"[^.\n]{0,30}(?:inexistente|no existe|n[aã]o existe|n[aã]o encontrad|no encontrad|desconhecid|desconocid)",
        r"(?:onbekende|onbekend)[^.\n]{0,20}(?:gebruiker|ontvanger|adres)|(?:gebruiker|ontvanger|adres|postbus)"
        r"[^.\n]{0,30}(?:onbekend|bestaat niet)|(?:adres|odbiorc\w+|u[zż]ytkownik\w*|skrzynk\w+)[^.\n]{0,30}"
        r"(?:nie istnieje|nieznan)|nieznany (?:u[zż]ytkownik|odbiorca|adres)",
        r"(?:ok[aä]nd|ukendt|ukjent) (?:mottagare|modtager|mottaker|anv[aä]ndare|bruger|bruker)|(?:mottagar|modtager"
        r"|mottaker|anv[aä]ndar|bruger|bruker)\w*[^.\n]{0,30}(?:finns inte|findes ikke|finnes ikke|ok[aä]nd|ukendt"
        r"|ukjent)|tuntematon (?:vastaanottaja|k[aä]ytt[aä]j[aä])|(?:neznám[ýy]|nezn[aá]my) (?:u[zž]ivatel"
        r"|p[rř][ií]jemce)",
        r"(?:mail ?box|account|address|user|recipient)(?: \S+){0,3} (?:has been|was|is) (?:permanently )?(?:deleted"
        r"|removed|terminated|retired|decommissioned)|user(?: is)? not local|(?:has|have) left the (?:company"
        r"|organi[sz]ation|firm)",
        r"(?:benutzer|adresse)[^.\n]{0,30}(?:unbekannt|existiert nicht)|utente sconosciuto|пользовател\w+ не "
        r"(?:найден|существует)|нет такого|(?:用户|收件人|帐号|账号|邮箱)[^\n]{0,6}不存在|メールアドレスが見つか",
    ),
    "network": (
        r"connection (?:timed out|refused|reset|was dropped|dropped|lost)|network (?:is )?unreachable|no route to "
        r"host|host (?:is )?unreachable|socket error"
        r"|name service error|dns (?:error|failure|lookup)|loops? back to|mail (?:loop|for \S+ loops)|too many hops"
        r"|hop count|unable to connect|"
        r"could not connect|network error|lost connection|connect(?:ion)? (?:to|with) \S+ fail|smtp connection "
        r"(?:got|\.)|establish an smtp connection",
    ),
    "expired": (
        r"(?:message|envelope|delivery|queue)[^.\n]{0,40}expired|too long in (?:the )?queue|in the queue too long"
        r"|giving up|failing for a long time|retry time(?:out)?"
        r"|delivery time(?:d out| expired)|could not be delivered (?:for|within)|timed? ?out|retry timeout"
        r"|undeliverable for",
    ),
    "policy": (
        r"polic(?:y|ies)|access denied|not authori[sz]ed|permission denied|prohibited|administrative|rejected by"
        r"|refused|not (?:accepted|permitted|allowed)|transaction failed"
        r"|closed|unwilling|security|tls|encrypt|certificate|message rejected|header error|duplicate header"
        r"|compliant|multiple addresses in from",
    ),
}
_TABLE = tuple((reason, re.compile("|".join(sayings), re.IGNORECASE)) for reason, sayings in _SAYINGS.items())
# What hosting panels say of a domain without mail: hedged, and yet all that will ever be said.
_HEDGED = re.compile(r"account or domain may not exist", re.IGNORECASE)
_NOT_SAID = re.compile(
    r"https?://\S+|(?:^|(?<=[.\n]))[^.\n]*?\b(?:may|might|could be)\b[^.\n]*|mailbox disabled, not accepting messages"
    r"|<[^<>\s]*@[^<>\s]*>",
    re.IGNORECASE,
)

# Refused after the text was taken: the server knows the mailbox, so somebody's filter spoke.
_AFTER_DATA = re.compile(
    r"in reply to end of data|after end of data|>>> (?:DATA|\.)\s|after DATA|end of message|\(DATA\)|final DATA",
    re.IGNORECASE,
)
_AT_RCPT = re.compile(r"in reply to RCPT TO|after RCPT TO|>>> RCPT TO|RCPT TO:", re.IGNORECASE)


@lru_cache(maxsize=512)
def reason_in(words: str) -> str | None:
    """The reason behind a server's answer; None when nothing in it is known."""
    if _HEDGED.search(words):
        return "unknown_host"
    words = _NOT_SAID.sub(" ", words[:2_000])
    for reason, pattern in _TABLE:
        if pattern.search(words):
            return reason
    return None


def refused_after_data(transcript: str) -> bool:
    """True when the refusal came only after the recipient had been accepted."""
    transcript = transcript[:4_000]
    return bool(_AFTER_DATA.search(transcript)) and not _AT_RCPT.search(transcript)
