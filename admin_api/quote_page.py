"""A quote as its client sees it: the same figures as a plain page and as a PDF, in the client's language."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape

from admin_api import hosted, pdf
from admin_api.hosted import HEADERS
from admin_api.quote_words import WORDS, Words
from domain import contacts, quote_arithmetic, quote_lines, quotes, settings, storable
from domain.db import Tx
from domain.quote_lines import Line
from domain.quotes import Quote
from engines import greeting, written_days
from engines.quotes import letter

__all__ = ["HEADERS"]

LONGEST_NAME = 500

ITEM = 34
"""Characters of a line's description in the PDF, beside its figures."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the page shows."""

    quote: Quote
    lines: Sequence[Line]
    lang: str
    company: str
    client: str
    valid_until: str
    open: bool
    """Whether it can still be answered."""
    notice: str
    """What became of it, where it can't."""

    @property
    def words(self) -> Words:
        return WORDS[self.lang]

    def money(self, told: Decimal | int | str | None) -> str:
        """An amount, without its currency: that stands with the total."""
        if told is None:
            return ""
        written = letter.amount(Decimal(told), self.quote.currency, self.lang)
        return written.removeprefix(self.quote.currency).strip()

    def figure(self, told: Decimal | int | str) -> str:
        """A number without idle zeros, as the language writes it: beside 1.125,00 a half reads 0,5."""
        whole, _, part = f"{Decimal(told):,f}".partition(".")
        part = part.rstrip("0")
        if self.lang == "en":
            return f"{whole}.{part}" if part else whole
        whole = whole.replace(",", ".")
        return f"{whole},{part}" if part else whole

    def percent(self, told: Decimal | int | str) -> str:
        """A share in per cent."""
        return f"{self.figure(told)}{' ' if self.lang == 'es' else ''}%"

    def less(self, line: Line) -> str:
        """What is off a line, beside its price."""
        return f" -{self.percent(line.discount_percent)}" if line.discount_percent else ""


def view(tx: Tx, quote: Quote, now: datetime) -> View:
    """What there is to show of a quote."""
    row, chosen = quotes.parties(tx, quote), settings.readable(tx)
    lang = language(tx, quote)
    words = WORDS[lang]
    in_time = quote.valid_until is not None and now < quote.valid_until
    notice = {"accepted": words.accepted, "rejected": words.rejected, "draft": words.not_yet}.get(
        quote.status, "" if in_time and quote.status in ("sent", "viewed") else words.expired
    )
    until = written_days.day(letter.last_day(chosen, quote.valid_until), lang) if quote.valid_until else ""
    # names come from files and mails: a mark that turns text round would turn the figures beside it
    company, client = (storable.line(row[name], LONGEST_NAME) for name in ("company", "client"))
    return View(quote, quote_lines.of(tx, [quote.id]).get(quote.id, ()), lang, company, client, until,
                open=not notice, notice=notice)  # fmt: skip


def language(tx: Tx, quote: Quote) -> str:
    """The language in which its client reads it: theirs, else the account's, else the tenant's, as in our mail."""
    person = contacts.get(tx, quote.contact_id) if quote.contact_id else None
    said = (person.language if person else None, quotes.parties(tx, quote)["language"])
    return greeting.language(said, settings.readable(tx))


def page(told: View, here: str, *, problem: str = "") -> str:
    """The page. `here` is its own path, below which it is answered; `problem` is what was wrong with an answer."""
    words, quote = told.words, told.quote
    rows = "".join(
        f'<tr><td>{escape(line.description)}<td class="n">{told.figure(line.quantity)}'
        f'<td class="n">{told.money(line.unit_price)}{told.less(line)}<td class="n">{told.money(line.amount)}'
        for line in told.lines
    )
    sums = "".join(f'<tr><td colspan="3">{escape(name)}<td class="n">{escape(figure)}' for name, figure in _sums(told))
    terms = f"<h2>{words.terms}</h2><p>{escape(quote.terms)}</p>".replace("\n", "<br>") if quote.terms else ""
    said = f"<p><strong>{escape(problem or told.notice)}</strong></p>" if problem or told.notice else ""
    forms = (
        ""
        if not told.open
        else (
            f'<form method="post" action="{here}/accept"><label>{words.name}<br>'
            '<input name="name" maxlength="120"></label>'
            f"<br><button>{words.accept}</button></form>"
            f'<form method="post" action="{here}/reject"><label>{words.reason}<br>'
            f'<input name="reason" maxlength="500" required></label><br><button>{words.reject}</button></form>'
        )
    )
    title = f"{words.quote} {quote.number}"
    body = (
        f"<h1>{escape(title)}</h1><p>{escape(told.company)}<br>{words.to} {escape(told.client)}<br>"
        f'{words.valid} {escape(told.valid_until)}</p>{said}<table><tr><th>{words.item}<th class="n">{words.quantity}'
        f'<th class="n">{words.price}<th class="n">{words.amount}{rows}{sums}</table>{terms}{forms}'
        f'<p><a href="{here}/pdf">{words.pdf}</a></p>'
    )
    return hosted.shell(told.lang, f"{title} · {told.company}", body)


def farewell(lang: str = "en") -> str:
    """What is shown where a page was."""
    words = WORDS.get(lang, WORDS["en"])
    return hosted.shell(lang, words.quote, f"<p>{words.gone}</p>")


def document(told: View) -> bytes:
    """The same as a PDF."""
    words, quote = told.words, told.quote
    return pdf.document(list(_written(told)), title=f"{words.quote} {quote.number}")


def _written(told: View) -> Iterator[str]:
    words, quote = told.words, told.quote
    yield from (f"{words.quote} {quote.number}", "")
    for said in (told.company, f"{words.to} {told.client}", f"{words.valid} {told.valid_until}"):
        yield from textwrap.wrap(pdf.legible(said), pdf.COLUMNS)
    yield ""
    if told.notice:
        yield from (*textwrap.wrap(told.notice, pdf.COLUMNS), "")
    yield from _row(words.item, words.quantity, words.price, words.amount)
    yield "-" * pdf.COLUMNS
    for line in told.lines:
        first, *rest = textwrap.wrap(pdf.legible(line.description), ITEM) or [""]
        price = told.money(line.unit_price) + told.less(line)
        yield from _row(first, told.figure(line.quantity), price, told.money(line.amount))
        yield from rest
    yield "-" * pdf.COLUMNS
    for name, figure in _sums(told):
        yield f"{pdf.legible(name):<58}{pdf.legible(figure):>24}"
    if quote.terms:
        yield from ("", words.terms)
        for paragraph in quote.terms.splitlines():
            yield from textwrap.wrap(pdf.legible(paragraph), pdf.COLUMNS) or [""]


def _row(item: str, quantity: str, price: str, amount: str) -> Iterator[str]:
    row = f"{item:<{ITEM}} {quantity:>11} {price:>17} {amount:>17}"
    if len(row) <= pdf.COLUMNS:
        yield row
    else:
        # figures are never cut off: such large ones have a line of their own
        yield from (item, f"{f'{quantity} × {price}  {amount}':>{pdf.COLUMNS}}")


def _sums(told: View) -> Iterator[tuple[str, str]]:
    words, quote = told.words, told.quote
    summed = quote_arithmetic.totals([line.item for line in told.lines], quote.currency, quote.discount_percent)
    if summed.discount or summed.taxes:
        yield words.subtotal, told.money(summed.subtotal)
    if summed.discount:
        yield f"{words.discount} {told.percent(quote.discount_percent)}", f"-{told.money(summed.discount)}"
    for tax in summed.taxes:
        yield f"{words.tax} {told.percent(tax.percent)}", told.money(tax.amount)
    yield words.total, letter.amount(quote.total, quote.currency, told.lang)
