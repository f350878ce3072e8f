"""How mail programs of many languages introduce what they quote, head what they forward, and sign off phones."""

from __future__ import annotations

# Verbs of the line above a quote: "On Monday, Ana wrote:".
WROTE = (
    "wrote", "writes", "wrote on", "said", "says",
    "a écrit", "a ecrit", "écrivait", "a envoyé",
    "escribió", "escribio", "ha escrito", "va escriure",
    "escreveu", "schrieb", "hat geschrieben", "geschrieben",
    "ha scritto", "schreef", "heeft geschreven", "geschreven",
    "napisał", "napisała", "napisał(a)", "pisze",
    "написал", "написала", "написал(а)", "пишет", "писал", "писал(а)", "пише", "написав", "написала", "написа",
    "skrev", "skreiv", "kirjoitti", "kirjoittanut", "kirjutas", "rakstīja", "rašė",
    "napsal", "napsala", "napsal(a)", "napísal", "napísala", "napísal(a)", "je napisao", "napisao", "je napisala",
    "piše", "napisala",
    "írta", "ezt írta", "a scris", "scris", "έγραψε", "yazdı", "yazmış", "şunu yazdı", "đã viết", "menulis",
    "写道", "寫道", "写到", "来信", "のメール", "さんは書きました", "wrote：", "작성", "님이 작성", "כתב", "כתבה",
    "‫كتب", "كتب", "เขียนว่า",
    "नें लिखा", "ने लिखा", "نوشت", "تمت كتابة ما يلي بواسطة", "је написао", "је написала", "je oseba",
    "napisao/la", "написао/ла", "folgendes geschrieben", "het volgende geschreven",
)  # fmt: skip

# First words of such a line, where the verb alone would be too weak.
OPENERS = (
    "on",
    "at",
    "in",
    "le",
    "am",
    "il",
    "el",
    "em",
    "op",
    "den",
    "dnia",
    "w dniu",
    "dne",
    "dňa",
    "dana",
    "la",
    "pe",
    "στις",
    "kl",
    "a las",
    "vào",
    "pada",
    "ngày",
    "u",
    "v",
    "dia",
    "no dia",
    "fecha",
    "il giorno",
    "mån",
    "tor",
    "fre",
    "по",
    "в",
    "在",
    "于",
    "於",
    "na",
    "на",
    "у",
    "în",
    "a",
    "no",
    "dia",
    "kuupäev",
    "เมื่อ",
    "في",
    "בתאריך",
)

# What stands instead of such a verb: "Quoting Ana <ana@…>:", "Missatge de Ana … :".
QUOTING = (
    "quoting", "zitat von", "zitiere", "citando", "citando a", "citation de", "citat", "cytat", "citaat van",
    "wiadomość napisana przez", "missatge de", "mensaje de", "mensagem de", "message de", "nachricht von",
    "messaggio di", "bericht van", "сообщение от", "цитирую", "lainaus",
)  # fmt: skip

# Names of the header lines that mail programs write above a forwarded or quoted mail.
HEADER_KEYS = (
    "from", "sent", "date", "to", "cc", "bcc", "subject", "reply-to", "sent by", "sent on", "importance",
    "attachments", "organization", "sender",
    "de", "para", "enviado", "enviado el", "enviada em", "enviado em", "enviada", "fecha", "asunto", "responder a",
    "responder para", "cco",
    "data", "assunto", "à", "a", "envoyé", "envoyé le", "objet", "date d'envoi", "répondre à", "expéditeur",
    "destinataire", "pour",
    "von", "gesendet", "an", "betreff", "datum", "antwort an", "kopie", "wichtigkeit", "verzonden", "aan",
    "onderwerp", "van", "antwoord-aan",
    "da", "inviato", "oggetto", "risposta", "rispondi a", "inviato il", "od", "wysłano", "wysłane", "do", "temat",
    "data wysłania", "dw",
    "от", "отправлено", "дата", "кому", "тема", "копия", "від", "надіслано", "від кого", "от кого",
    "från", "skickat", "till", "ämne", "kopia", "fra", "sendt", "til", "emne", "dato", "emme", "kopi", "lähettäjä",
    "lähetetty", "vastaanottaja", "aihe", "kopio", "päivämäärä",
    "komu", "předmět", "odesláno", "předmet", "predmet", "odoslané", "kopie na", "feladó", "elküldve", "címzett",
    "tárgy", "másolat", "dátum",
    "trimis", "către", "subiect", "kimden", "kime", "gönderilen", "gönderen", "gönderildi", "konu", "bilgi", "tarih",
    "από", "προς", "θέμα", "στάλθηκε", "ημερομηνία",
    "发件人", "发送时间", "收件人", "抄送", "主题", "日期", "寄件者", "寄件日期", "收件者", "副本", "主旨", "差出人",
    "送信日時", "送信", "宛先", "件名", "日時",
    "보낸 사람", "보낸사람", "받는 사람", "받는사람", "제목", "날짜", "참조", "보낸 날짜", "מאת", "נשלח", "אל",
    "נושא", "תאריך", "من", "إلى",
    "الموضوع", "التاريخ",
    "de la", "pošiljatelj", "poslano", "prima", "za", "zadeva", "изпратено", "до", "относно", "копие", "послато",
    "пошиљалац", "nuo", "išsiųsta", "kam", "tema", "saatja", "saadetud", "adressaat", "teema", "nosūtīts", "tēma", "no",
    "từ", "đã gửi", "đến", "chủ đề", "gửi", "dari", "dikirim", "kepada", "subjek", "tanggal", "จาก", "ส่ง", "ถึง",
    "เรื่อง", "αποστολή", "αποστολέας", "تم الإرسال", "إرسال", "נשלחה", "per a", "assumpte", "bidaltzailea", "gaia",
    "sendandi", "efni", "frá", "fyrir",
)  # fmt: skip

# Words inside the rule above a forwarded or original mail: "-----Original Message-----".
FORWARDED = (
    "forwarded message", "original message", "forwarded by", "original appointment", "forwarded email",
    "reply message", "original mail", "forwarded mail",
    "begin forwarded message", "forward message", "originalmeddelande", "vidarebefordrat brev", "mensaje original",
    "mensaje reenviado", "inicio del mensaje reenviado", "mensagem original",
    "mensagem encaminhada", "início da mensagem reencaminhada", "mensagem reencaminhada", "message original",
    "message d'origine", "message transféré", "début du message réexpédié", "message transmis",
    "ursprüngliche nachricht", "originalnachricht", "ursprungliche nachricht", "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht", "original-nachricht",
    "messaggio originale", "messaggio inoltrato", "inizio messaggio inoltrato", "oorspronkelijk bericht",
    "oorspronkelijke bericht", "doorgestuurd bericht", "begin doorgestuurd bericht",
    "wiadomość oryginalna", "wiadomość przekazana", "treść przekazanej wiadomości", "oryginalna wiadomość",
    "исходное сообщение", "пересылаемое сообщение", "пересланное сообщение", "оригинальное сообщение",
    "ursprungligt meddelande", "vidarebefordrat meddelande", "opprinnelig melding", "videresendt melding",
    "oprindelig meddelelse", "videresendt meddelelse", "alkuperäinen viesti", "välitetty viesti",
    "původní zpráva", "přeposlaná zpráva", "pôvodná správa", "eredeti üzenet", "továbbított üzenet", "mesaj original",
    "mesajul redirecționat", "orijinal ileti", "iletilen ileti", "özgün ileti", "αρχικό μήνυμα", "προωθημένο μήνυμα",
    "原始邮件", "原始郵件", "转发邮件", "转发的邮件", "轉寄郵件", "转发信息", "元のメッセージ",
    "転送されたメッセージ", "転送メッセージ", "원본 메시지", "전달된 메시지", "原邮件",
)  # fmt: skip

# Words that open a forwarded mail even without a rule.
FORWARD_OPENS = (
    "begin forwarded message", "anfang der weitergeleiteten nachricht", "début du message réexpédié",
    "inicio del mensaje reenviado", "início da mensagem reencaminhada", "inizio messaggio inoltrato",
    "begin doorgestuurd bericht",
)  # fmt: skip

# What telephones and apps put under a mail.
MOBILE = (
    r"(?:sent|written|mailed|composed|typed) (?:(?:\S+ )?(?:by|via|with|using)|from) (?:(?:my|a|the|your|his|her"
    r"|mobile|phone|yahoo|outlook|windows|mail|mailbox|gmail|samsung|huawei|android|galaxy|proton\S*|airmail"
    r"|thunderbird|blackberry|boxer|front|superhuman|spark|newton|k-9|aqua|email|ios|iphone|ipad|htc|nokia|xiaomi"
    r"|lg|sony|verizon|at&t|t-mobile|bluemail|mobile)\b|\[mail).*",
    r"someone from mobile|from my \S+( \S+){0,3}|via (?:mobile|my phone|iphone)|get (?:\[)?(?:outlook|bluemail|the "
    r"\S+ app|gmail|yahoo|proton).*",
    r"envoy[ée] (?:de(?:puis)?|à partir de|avec|via) .*|t[ée]l[ée]charg(?:er|ez) outlook.*|obtenez outlook.*",
    r"(?:von|vom) (?:mein\w*|iphone|ipad|samsung|unterwegs|handy).*(?:gesendet|geschickt|geschrieben).*|gesendet "
    r"(?:von|mit|über|vom|aus) .*|diese nachricht wurde von meinem.*gesendet.*|holen sie sich outlook.*",
    r"enviad[oa] (?:desde|do|da|de|a partir|pelo|con|com|via|por) .*|obtener outlook.*|obter o outlook.*|mensaje "
    r"enviado desde .*",
    r"inviato (?:da|dal|con|tramite) .*|scarica outlook.*|verzonden (?:met|vanaf|via|vanuit|door) .*|verstuurd "
    r"vanaf .*|outlook (?:voor|downloaden).*",
    r"sendt (?:fra|via|med) .*|skickat från .*|skickades från .*|lähetetty .*|hent outlook.*|hanki outlook.*",
    r"wysłan[eo] (?:z|ze|za) .*|pobierz (?:aplikację )?outlook.*|отправлено (?:с|из|от|через) .*|надіслано (?:з|із) "
    r".*|послано с .*",
    r"odesláno z .*|odoslané z .*|iphone-?omról küldve|küldve .*|trimis (?:de pe|din) .*|poslano (?:s|iz) .*"
    r"|στάλθηκε από .*|.* tarafından gönderildi|\S+ ?(?:'|’)?(?:ımdan|imden|umdan|den|dan) gönderildi",
    r"從我的 ?.* ?(?:傳送|寄出)|从我的 ?.* ?发送|发自我?的?.*|發自我?的?.*|.*から送信|나의 .*에서 보냄|.*에서 보냄"
    r"|נשלח מ.*|أُ?رسلت من .*|đã gửi từ "
    r".*|dikirim dari .*",
)  # fmt: skip
