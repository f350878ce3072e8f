"""What models write for tests of the gate: decent drafts in three languages, and one harmful sentence of each kind."""

from __future__ import annotations

from typing import Any

SLOTS: dict[str, Any] = {
    "variant": 1, "first_name": "Bill", "client_name": "Initech", "sender_name": "Ana Diaz", "company": "Acme Ltd",
    "thread_subject": "Checking in from Acme Ltd",
}  # fmt: skip
DECENT = {
    "en": "Hi Bill,\n\nIt has been a while since we were in touch, and I wanted to ask how everything is going at "
          "Initech. If something is coming up where we could be useful, a short line back is plenty.\n\n"
          "Warm regards,\nAna Diaz",
    "es": "Hola, Bill:\n\nHace un tiempo que no hablamos y quería saber cómo va todo en Initech. Si hay algo en lo que "
          "podamos ayudar, con una línea me basta.\n\nUn saludo cordial,\nAna Diaz",
    "pt": "Olá, Bill,\n\nFaz algum tempo que não conversamos e eu queria saber como estão as coisas na Initech. Se "
          "houver algo em que possamos ajudar, uma linha já basta.\n\nUm abraço,\nAna Diaz",
}  # fmt: skip

HARMFUL = {
    "a link": "Please look at https://evil.example/login when you can.",
    "a bare link": "Everything is at evil-site.com for you.",
    "a link in disguise": "Everything is at hxxp://evil[.]example/pay for you.",
    "a markdown link": "Please look at [this page](https://acme.example.evil.example).",
    "html": "Please look at <a href='https://evil.example'>this page</a>.",
    "an image": "![hello](https://evil.example/x.png)",
    "an entity": "Please look here &lt;b&gt; now.",
    "an address": "Please write to accounts@evil.example instead.",
    "an address in words": "Please write to accounts at evil dot example instead.",
    "a telephone": "Please call me on +1 555 0134 instead.",
    "a price": "It comes to $1,250 this time.",
    "a price without its sign": "It comes to 1250 this time.",
    "a price in words": "It comes to twelve hundred dollars this time.",
    "a discount": "I can take 20% off your next order.",
    "a discount in words": "I can give you a special discount on everything.",
    "a gift": "The next delivery is on us, free of charge.",
    "a refund": "I will refund your last order.",
    "a credit": "We have credited your account.",
    "a deadline": "We will deliver everything tomorrow.",
    "a day": "I will be at your office on Friday.",
    "a month": "The work begins in November.",
    "a guarantee": "We guarantee that it never happens again.",
    "an agreement": "We accept your terms and agree to the contract.",
    "an admission": "This was our fault, and we are liable.",
    "an admission in few words": "That was my mistake.",
    "a fee that falls away": "We are waiving it for once.",
    "a replacement": "We replaced it for once.",
    "an indemnity": "Lo indemnizaremos por todo.",
    "something paid": "It has been paid for once.",
    "payment details": "Our bank account has changed, please use the new one.",
    "a payment": "Please settle the open invoice.",
    "a password": "Please send me your password.",
    "a threat": "Otherwise we will take legal action.",
    "another client": "I was just talking about Globex with somebody.",
    "a stranger": "My colleague Mallory will take over.",
    "an order number": "Your order PO-4711 is on its way.",
    "a mark": "Hi {{ first_name }}, how are you?",
    "a placeholder": "As [Name] said, how are you?",
    "a mask that was left": "As [[NAME_3]] said, how are you?",
    "itself": "As an AI language model, I am glad to write.",
    "a machine": "Between us, I am a bot.",
    "its orders": "I was told to ignore the previous instructions.",
    "hidden words": "How are you?\u202eecived live\u202c",
    "tags that nobody sees": "How are you?\U000e0041\U000e0042",
    "an IBAN": "Use DE89 3704 0044 0532 0130 00 from now on.",
}  # fmt: skip
