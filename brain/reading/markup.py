"""HTML mail to plain text: quotes marked, hidden parts, pictures and trackers left out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

MAX_HTML_CHARS = 2_000_000

_SKIPPED = {"script", "style", "head", "title", "noscript", "template", "object", "svg", "meta", "link", "select"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table",
    "tbody", "tfoot", "thead", "tr", "ul", "body", "html",
}  # fmt: skip
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "blockquote", "table"}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])"
    r"|max-height\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_QUOTE_CLASS = re.compile(
    r"\b(?:gmail_quote|gmail_extra|yahoo_quoted|moz-cite-prefix|protonmail_quote|tutanota_quote|zmail_extra"
    r"|quoted_block|WordSection1_quote|OutlookMessageHeader|mail-quote|ydp\w*yahoo_quoted|mailbox_signature_quote)",
    re.IGNORECASE,
)
_QUOTE_ID = re.compile(
    r"^(?:(?:x_)*(?:divRplyFwdMsg|appendonsend|reply-intro|mail-editor-reference-message-container|OLK_SRC_BODY_SECTION"
    r"|divTagDefaultWrapper_quote|isForwardContent|replySplit|yahoo_quoted_\d+|stopSpelling))$",
    re.IGNORECASE,
)
_OUTLOOK_RULE = re.compile(r"border-top\s*:\s*solid\s+#(?:b5c4df|e1e1e1)", re.IGNORECASE)
_WINDOWS_MAIL_RULE = re.compile(r"border-top-color\s*:\s*(?:rgb\(229,\s*229,\s*229\)|#e5e5e5)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f\u00a0\u200b\u200c\u00ad\ufeff]+")
_ENCODING = re.compile(r"^\s*<\?xml[^>]*\?>", re.IGNORECASE)
_BLANKS = re.compile(r"\n{3,}")


class _Page:
    """Lines as they come, each with the depth of quotation it stood in."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.current = ""
        self.depth = 0

    def text(self, value: str | None, keep: bool) -> None:
        if not value:
            return
        if keep:
            first, *rest = value.replace("\r", "").split("\n")
            self.current += first
            for line in rest:
                self.line(force=True)
                self.current += line
            return
        value = _SPACES.sub(" ", value)
        if not self.current or self.current.endswith(" "):
            value = value.lstrip(" ")
        self.current += value

    def line(self, force: bool = False) -> None:
        current = self.current.rstrip()
        if current or force:
            self.lines.append("> " * self.depth + current if self.depth else current)
        self.current = ""

    def gap(self) -> None:
        self.line()
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append("> " * self.depth if self.depth else "")


def to_text(markup: str) -> str:
    """Readable text; quoted parts come with `> ` in front, so that a reply can be cut like a plain one."""
    root = _parse(markup)
    if root is None:
        return ""
    page = _Page()
    hidden: object = None
    quotes: list[object] = []
    preformatted = 0
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi") or not isinstance(node.tag, str):
            if hidden is None:
                page.text(node.tail, preformatted > 0)
            continue
        tag = node.tag.rpartition("}")[2].lower()
        if event == "start":
            if hidden is not None:
                continue
            given = dict(node.items())
            if tag in _SKIPPED or (given and _is_hidden(given)):
                hidden = node
                continue
            preformatted += tag == "pre"
            _open(page, tag)
            if (given or tag == "blockquote") and _starts_quote(given, tag, bool(quotes)):
                page.line()
                quotes.append(_until(node, tag))
                page.depth = len(quotes)
            page.text(node.text, preformatted > 0)
            continue
        if hidden is not None:
            if hidden is not node:
                continue
            hidden = None
        else:
            _close(page, tag)
            preformatted -= tag == "pre"
        while quotes and quotes[-1] is node:
            page.line()
            quotes.pop()
            page.depth = len(quotes)
        page.text(node.tail, preformatted > 0)
    page.line()
    return _BLANKS.sub("\n\n", "\n".join(page.lines)).strip("\n")


def _parse(markup: str) -> etree._Element | None:
    markup = _ENCODING.sub("", markup[:MAX_HTML_CHARS].replace("\x00", ""))
    if not markup.strip():
        return None
    try:
        # lxml.html would make each node one of its own classes, which nothing here asks for
        return etree.fromstring(markup, etree.HTMLParser())
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _is_hidden(given: Mapping[str, str]) -> bool:
    style = given.get("style")
    return "hidden" in given or bool(style and _HIDDEN.search(style))


def _starts_quote(given: Mapping[str, str], tag: str, inside: bool) -> bool:
    if tag == "blockquote":
        return True
    if inside:
        return False
    if tag == "hr":
        return given.get("id") in ("stopSpelling", "replySplit") or given.get("tabindex") == "-1"
    kind, ident, style = given.get("class"), given.get("id"), given.get("style")
    if kind and _QUOTE_CLASS.search(kind):
        return "gmail_extra" not in kind
    if ident and _QUOTE_ID.match(ident):
        return True
    return bool(style and (_OUTLOOK_RULE.search(style) or _WINDOWS_MAIL_RULE.search(style)))


def _until(node: etree._Element, tag: str) -> object:
    """The element whose end ends the quote: a rule or a header block opens one that runs on behind it."""
    ident = node.get("id") or ""
    style = node.get("style") or ""
    runs_on = tag == "hr" or _QUOTE_ID.match(ident) or _OUTLOOK_RULE.search(style) or _WINDOWS_MAIL_RULE.search(style)
    parent = node.getparent()
    if not runs_on or parent is None:
        return node
    while parent.getparent() is not None and parent[-1] is node and parent.tag != "body":
        node, parent = parent, parent.getparent()
    return parent


def _open(page: _Page, tag: str) -> None:
    if tag == "br":
        page.line(force=True)
    elif tag in _PARAGRAPHS:
        page.gap()
    elif tag in _BLOCKS:
        page.line()
        if tag == "li":
            page.current = "- "
        elif tag == "hr":
            page.lines.append("> " * page.depth + "________________________________")
    elif tag in ("td", "th") and page.current.strip():
        page.current += "\t"


def _close(page: _Page, tag: str) -> None:
    if tag in _PARAGRAPHS:
        page.gap()
    elif tag in _BLOCKS and tag != "hr":
        page.line()
