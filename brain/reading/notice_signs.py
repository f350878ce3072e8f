"""Does a mail system say here that a mail did not arrive? Its own signs, not just the words, which people use too."""

from __future__ import annotations

import re
from collections.abc import Set

from brain.reading.addresses import is_robot
from brain.reading.parse import Parsed

LOOKED_AT = 6_000
OPENING = 500
"""A program's report says what failed at once; whoever writes about one begins with other words."""

_DAEMON_NAME = re.compile(
    r"mail(?:er)?[-_ .]?daemon|mail[-_ .]?deliver\w*[-_ .]?(?:sub)?system|postmaster|system administrator|mail system"
    r"|internet mail|mail administrator|mail.?server|courier mail|returned mail|bounce|smtp.?(?:mail.?)?serv|delivery "
    r"(?:sub)?system",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"(?:mail|message|email|e-mail|delivery|status)[^\n]{0,30}\b(?:fail|undeliver|could not|not (?:be )?deliver"
    r"|error|notification|bounce|reject|problem|warning)"
    r"|undeliver(?:able|ed)|fail(?:ed|ure)[ _-]?(?:notice|delivery|mail|to deliver)|returned[ _-]?(?:e?-?mail|to "
    r"sender|message)|returning message"
    r"|non[- ]?deliver(?:y|able)|not (?:been )?delivered|\bDSN\b|could(?: not|n't) (?:be )?(?:deliver|send|sent)"
    r"|bounced? (?:mail|message|e-?mail|notification)"
    r"|mail system error|error sending your mail|user unknown|unknown user|no such user|warning[:-]+ ?(?:message"
    r"|could)|delivery (?:report|delayed|incomplete|aborted)"
    r"|non remis|non distribu|[ée]chec de (?:la )?(?:remise|distribution)|unzustellbar|nicht zugestellt"
    r"|zustell(?:fehler|ung)|onbestelbaar"
    r"|no (?:se )?(?:ha podido|pudo) (?:ser )?entregar|entrega (?:fallida|incompleta)|n[aã]o (?:foi )?(?:entregue"
    r"|p[oô]de ser entregue)|falha na entrega"
    r"|mancat[ao] (?:consegna|recapito)|не доставлено|недоставлен|配信|送信でき|エラー|不達|退信|無法|未送达"
    r"|未傳遞|投递失败|无法(?:投递|发送|送达)|发送失败"
    r"|consegna (?:non riuscita|fallita)|nie dostarczon|niedostarczaln|nie mo[zż]na dostarczy[cć]"
    r"|niet (?:worden )?bezorgd"
    r"|kunde inte levereras|oleveransbar|kunne ikke leveres|toimittaminen ep[aä]onnistui|toimitus ep[aä]onnistui"
    r"|nedoru[cč]iteln|k[eé]zbes[ií]t[eé]s sikertelen|teslim edilemedi|недоставленн|не вдалося доставити"
    r"|배달되지|전송 실패|반송|entrega n[aã]o (?:realizada|efetuada)|no entregado|falha (?:de|na) entrega",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    r"could not be delivered|(?:un|not )able to (?:be )?deliver|cannot be delivered|can't be delivered|was not "
    r"delivered|not been delivered|did not reach"
    r"|delivery (?:to|has|of)[^.\n]{0,60}(?:fail|delayed|abort)|delivery failed|undeliver(?:able|ed)|permanent "
    r"(?:fatal )?errors?|(?:had|have) (?:delivery|permanent|transient) (?:errors|problems)"
    r"|following (?:address|recipient)[^\n]{0,30}(?:fail|reject|had|could|was|were|error|delayed)|(?:was|were|been) "
    r"(?:automatically )?(?:rejected|returned|bounced)|failed recipients?"
    r"|mail (?:delivery )?(?:error|failure|failed)|returned (?:mail|to sender|message)|message not (?:be "
    r")?(?:delivered|sent)|(?:error|problem|trouble)[^.\n]{0,30}deliver"
    r"|non[- ]delivery|user unknown|unknown user|no such user|does ?n[o']t exist|mailbox (?:is )?full|over quota"
    r"|exceeded[^.\n]{0,20}quota|rejected recipient|no mailbox here"
    r"|smtp error|rcpt to|remote host said|permanent error|failed for|exceeds? allowed|invalid final delivery"
    r"|account[^.\n]{0,30}(?:disabled|discontinued|suspended)|inactive user"
    r"|delivery status notification|has been delayed|delayed for more|being returned|unable to process|not have an "
    r"account|message is being returned|delivery attempts? (?:will|failed)"
    r"|^<[^<>\s]+@[^<>\s]+>:|failed address|no valid recipients|unknown host|postponed|full mailbox"
    r"|n'a pas pu [eê]tre|non remis|konnte nicht (?:zugestellt|[uü]bermittelt)|nicht zugestellt|no se ha podido "
    r"entregar|no pudo (?:ser )?entreg|n[aã]o (?:p[oô]de|foi) (?:ser )?entreg"
    r"|не может быть доставлен|не удалось доставить|送信でき|配信でき|エラーのため|退回|投递失败|無法傳遞"
    r"|无法(?:投递|发送|送达|传递)"
    r"|non [eè] stato (?:possibile (?:recapitare|consegnare)|recapitato|consegnato)|impossibile (?:recapitare"
    r"|consegnare)"
    r"|nie (?:mog[lł]a|mo[zż]e|zosta[lł]a) (?:by[cć] )?dostarczon|kon niet worden (?:bezorgd|afgeleverd)"
    r"|kan niet worden"
    r" bezorgd|kunde inte (?:levereras|n[aå])|kunne ikke (?:leveres|sendes)|ei voitu (?:toimittaa|l[aä]hett[aä][aä])"
    r"|nelze doru[cč]it|nebylo mo[zž]n[eé] doru[cč]it|nem (?:siker[uü]lt|lehetett) k[eé]zbes[ií]teni|teslim edilemedi"
    r"|не вдалося доставити|配信できません|배달하지 못|전달되지|utilisateur inconnu|empf[aä]nger unbekannt"
    r"|n'a pu [eê]tre"
    r"|nicht zustellbar|unzustellbar|no (?:ha sido|fue) (?:posible entreg|entregad)|no se pudo entregar",
    re.IGNORECASE | re.MULTILINE,
)
# What a report itself opens with, when neither its subject nor a copy of the mail shows what it is.
_OPENS = re.compile(
    r"(?:un|not |n't )able to (?:be )?deliver|(?:could|can) ?(?:not|n't) be (?:delivered|sent)|did not reach|undeliver"
    r"|was (?:automatically )?(?:rejected|returned)|not (?:yet )?been delivered to|delivery (?:to|has)[^.\n]{0,60}fail"
    r"|n'a pas pu [eê]tre|konnte nicht (?:zugestellt|[uü]bermittelt)|no se ha podido entregar|n[aã]o p[oô]de ser entreg"
    r"|送信でき|配信でき|无法(?:投递|发送|送达|传递)|не может быть доставлен",
    re.IGNORECASE,
)
_DAEMON = re.compile(
    r"mail(?:er)?[-_ .]?daemon|mailerdaemon|postmaster|mail[-_ .]?deliver\w*[-_ .]?(?:sub)?system"
    r"|system administrator|mail system|courier mail server|^microsoftexchange[0-9a-f]{32}$",
    re.IGNORECASE,
)
_SCANNER = re.compile(r"\bvirus|infected|malware|spam (?:report|digest)|quarantine", re.IGNORECASE)
_ANSWERED = re.compile(
    r"(?<![\d.])(?:[45]\d\d[ \-][^\n]{3}|[45]\.\d{1,3}\.\d{1,3}(?![\d.]))|\bRCPT TO|^[ \t]*(?:>>>|<<<) ", re.MULTILINE
)
# A failed address stands on a line of its own, or first on it, before what is said about it.
_LISTED = re.compile(
    r"^[ \t>*•-]*(?:(?:failed |original |final )?(?:recipients?|address(?:es)?|users?|e-?mails?|mailbox|destinatario"
    r"|empf[aä]nger|destinataire)[^\n:@]{0,20}[:;][ \t]*)?(?:\"[^\"\n]{0,80}\"[ \t]*)?[<\[(]{0,2}"
    r"(?:mailto:|smtp[:=]|rfc822;[ \t]*)?([^\s<>@,;:\"'()\[\]=|*]{1,80}@[\w-]+(?:\.[\w-]+)+)"
    r"[>\])\"']{0,2}[ \t]*(?:$|[:;,.(-]|\bon\b|\(|\[)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[^\s<>@,;:\"'()\[\]=|*]{1,80}@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"https?://", re.IGNORECASE)
_SOMEBODY = re.compile(
    r"(?<![\w'’.])(?:I|I'm|I've|my|hi|hello|hey|dear|hola|ol[aá]|hallo|guten|bonjour|any(?:one|body)|fyi|ich|je|yo|eu)"
    r"(?![\w@.])|\?",
    re.IGNORECASE,
)
_COPIED_HEADER = re.compile(
    r"^[> \t]*+(?:return-path|received|from|to|subject|date|message-id|mime-version|content-type):",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARD = re.compile(r"^(?:fwd?|wg|tr|rv|enc|i)\s*:", re.IGNORECASE)
_QUOTE = re.compile(r"^(?:> ?)+", re.MULTILINE)


def is_forwarded(subject: str) -> bool:
    """`Fwd: Undelivered mail …`: somebody passed the report on."""
    return bool(_FORWARD.match(subject))


def unquoted(text: str) -> str:
    """The words of a report that was passed on, without the marks in front of them."""
    return _QUOTE.sub("", text)


def is_titled(subject: str) -> bool:
    """A subject such as `Undeliverable: …`."""
    return bool(_SUBJECT.search(subject))


def is_from_daemon(name: str, address: str) -> bool:
    """Some program at a mail system wrote: a cheap first look."""
    return is_robot(address) or bool(_DAEMON_NAME.search(name)) or bool(_DAEMON_NAME.search(address.partition("@")[0]))


def is_notice(
    parsed: Parsed, subject: str, sender: tuple[str, str], said: tuple[str, str], own: Set[str], *, with_copy: bool
) -> bool:
    """A mail system tells that a mail did not arrive.

    `sender` is a name and an address, `said` the notice and the copy quoted below it, `own` whom the notice was sent
    to, `with_copy` whether the returned mail came along as a part. The title and the words alone are not enough:
    newsletters, alerts, scanners, questions about a mail that bounced and swindlers have those as well. A mail
    system gives the returned mail back, or lists who failed, or repeats what the other server answered.
    """
    if parsed.has("x-failed-recipients"):
        return True
    forwarded = is_forwarded(subject)
    body = unquoted(said[0][:LOOKED_AT]) if forwarded else said[0][:LOOKED_AT]
    speaks, titled = bool(_PHRASE.search(body)), is_titled(subject)
    opens = bool(_OPENS.search(body[:OPENING]))
    if not (speaks or titled or opens) or (_SCANNER.search(subject) and not opens):
        return False
    copied = with_copy or len(_COPIED_HEADER.findall(said[1][:4_000])) >= 2
    listed = any(hit[1].lower() not in own for hit in _LISTED.finditer(body))
    if _is_daemon(*sender):
        if parsed.has("in-reply-to") and parsed.has("list-post"):
            return False
        if copied or listed or _ANSWERED.search(body):
            return True
        names = any(hit[0].lower() not in own for hit in _ADDRESS.finditer(body))
        return (opens or (titled and (speaks or names))) and not _LINK.search(body)
    if forwarded:
        return titled and speaks and copied
    if parsed.has("in-reply-to") or _SOMEBODY.search(body[:OPENING]):
        return False
    if parsed.raw("return-path").strip() == "<>" and copied and _OPENS.search(body):
        return True
    return titled and bool(_PHRASE.search(body[:OPENING])) and (copied or listed)


def _is_daemon(name: str, address: str) -> bool:
    return bool(_DAEMON.search(address.partition("@")[0]) or _DAEMON.search(name))
