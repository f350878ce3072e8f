"""What may not be said, and what sounds like it and may; in English, Spanish and Portuguese."""

from __future__ import annotations

A_KEY = "AKIA" + "IOSFODNN7" + "EXAMPLE"  # in parts, so that it is no secret to whoever scans for them
ORDINARY = "It has been a while. Is there anything that we could help with?"

BLOCKED: dict[str, tuple[str, ...]] = {
    "sensitive.payment_details": (
        "Please note that our bank account has changed.",
        "Our new bank details are attached.",
        "Nuestros datos bancarios han cambiado.",
        "A nossa conta bancária mudou.",
        "Please send the payment to the following account.",
    ),
    "sensitive.credentials": (
        "Your password is Tr0ub4dor&3.",
        "pаsswоrd: hunter22",
        "La contraseña es: caballo-pila",
        "A senha: cavalo123",
        f"Use the key {A_KEY} from now on.",
        "Could you send us your password?",
    ),
    "sensitive.personal_numbers": (
        "The card is 4111 1111 1111 1111.",
        "The account is ES91 2100 0418 4502 0005 1332.",
        "His number is 078-05-1120.",
        "Su RUT es 12.345.678-5.",
        "O CPF é 529.982.247-25.",
        "O CNPJ é 11.222.333/0001-81.",
        "El DNI es 12345678Z.",
    ),
    "sensitive.legal_threat": (
        "If you do not pay, we will take legal action.",
        "You will hear from our lawyers.",
        "Si no responde, tomaremos acciones legales.",
        "Vamos tomar as medidas judiciais cabíveis.",
        "We will file a claim against you.",
    ),
    "sensitive.unknown_links": (
        "See https://evil.example/offer",
        "See www.evil.example",
        "See evil.com today",
        "See https://acme.example@evil.example/",
        "See http://аcme.example/",
        "See https://acme.example.evil.example/",
        "See https://xn--cme-5cd.example/",
        "See https://192.0.2.7/login",
        "See javascript:alert(1)",
        "Good news :/http://evil.example/x",
    ),
    "sensitive.price_promise": (
        "It would come to $1,250.00.",
        "Le costaría 900 euros.",
        "Sairia por R$ 3.500,00.",
        "We can do it free of charge.",
    ),
    "sensitive.discount_promise": (
        "We can offer you a 10% discount.",
        "Tenemos un descuento para usted.",
        "Temos um desconto para você.",
        "This time it is 10%off.",
        "This time it costs 10 percent less.",
    ),
    "sensitive.deadline_promise": (
        "We will deliver it by Friday.",
        "I will have it ready within two days.",
        "Lo entregaremos el 20 de marzo.",
        "Entregaremos até sexta-feira.",
        "We guarantee the result.",
        "Le enviaré la muestra mañana.",
        "We will, if all goes well, have it by the end of the year.",
    ),
}

ALLOWED: dict[str, tuple[str, ...]] = {
    "sensitive.payment_details": (ORDINARY, "I hope the new office by the river bank suits you."),
    "sensitive.credentials": (ORDINARY, "The key to a good project is patience.", "Tudo passa, até a uva passa."),
    "sensitive.personal_numbers": (ORDINARY, "Call +1 555 010 4477, order 4111-2222, invoice 2026-000123."),
    "sensitive.legal_threat": (ORDINARY, "Greetings to everybody in your legal department."),
    "sensitive.unknown_links": (ORDINARY, "See https://www.acme.example/news", "At 9.30 e.g. on 3.3.2026, Acme S.A."),
    "sensitive.price_promise": (ORDINARY, "Feel free to call me on any of the 5 days."),
    "sensitive.discount_promise": (ORDINARY, "We are 100% behind you."),
    "sensitive.deadline_promise": (ORDINARY, "Could you let me know by Friday?"),
}
