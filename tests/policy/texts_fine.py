"""Sentences that a good draft may hold, as models and people write them, and whole letters of each writer."""

from __future__ import annotations

from typing import Any

from domain.drafts import PAGE

FINE = {
    "en": (
        "I wanted to see how the project is coming along.", "Has the new system settled in well?",
        "I was thinking of you and your team the other day.", "Did my last message reach you?",
        "There is no hurry at all.", "If you have any questions, I am glad to answer them.",
        "Is there anything we should know about?", "Just reply to this message whenever it suits you.",
        "I would love to hear how things have worked out.", "You can simply answer with a line or two.",
        "If somebody else is the right person, please point me to them.",
        "Please let me know if another time suits you better.", "I hope you and your colleagues are doing well.",
        "We have enjoyed working with you and your team.", "It would be good to know where things stand.",
        "Perhaps my note got lost in a busy week.", "I can imagine that you have a lot going on.",
        "If you prefer, just say that it is not a priority now.", "I am happy to wait until it suits you.",
        "What has been on your mind lately?", "Are there any projects coming up where we could lend a hand?",
        "How did everything go?", "I am sorry for the trouble you had.", "Thank you for telling us so openly.",
        "It helps us to know what went wrong.", "What would have mattered most to you?",
        "We value your opinion, good or bad.", "Any criticism is welcome.", "Your honest view helps us to improve.",
        "A short answer is all it takes.", "I look forward to hearing from you.",
        "Would you tell me in a sentence what you think?", "I understand if the moment is not right.",
        "Please take the time you need.", "We are still here if you need us.",
        "I have not heard back and wanted to make sure that you have what you need.",
        "Is there something in our work that we could do better?",
        "I am writing because it has been some time since we last spoke.", "It was a pleasure to work together.",
        "Have your plans changed since then?", "I'd be glad to help with whatever comes next.",
        "Maybe there is a better person to talk to about this.", "If now is not the time, I understand completely.",
        "Let me know how I can help.", "Should your needs have changed, I would be interested to hear about it.",
        "Sometimes a quick reply is easier than a long one.", "I did not want to lose touch.",
        "Thanks again for your trust.", "We would be pleased to hear from you.",
        "Do you have everything you need from us?", "It is always good to hear how you are getting on.",
        "A yes or a no is enough.", "Feel free to forward this to a colleague.",
        "I'll leave the ball in your court.", "If it is no longer of interest, that is fine too.",
        "Wishing you a good week.", "Have a good weekend.", "One quick question: how are things?",
        "Whatever you decide is fine with us.", "I have been thinking about our last conversation.",
        "We were delighted to hear from you last time.", "Are you still looking at options for this?",
        "I'd love to know what you have decided.", "Could you let me know whether this is still relevant?",
        "Would it help to talk it through?", "If it is easier, just answer with a word.",
        "I realise you may be busy with other things.", "I noticed that we have not spoken in a while.",
        "It has been great to see your team grow.", "We hope everything has been running smoothly.",
        "How has business been treating you?", "Was everything as you expected?", "Did we meet your expectations?",
        "Is there anything that we missed?", "Your feedback means a lot to us.", "We take every comment seriously.",
        "I appreciate your patience.", "Thank you for your honesty.", "Apologies for the inconvenience.",
        "I am sorry to hear that you were disappointed.", "I would like to understand what happened.",
        "Could you tell me which part bothered you most?", "Someone from our team is looking into it.",
        "The page shows every item.", "You can accept or decline there.",
        "Please take a look when you have a moment.", "Let me know if you would like any changes.",
        "If you need more information, I am here.", "I'm checking in to see if you need anything.",
        "Any thoughts on this would be helpful.", "Perhaps priorities have shifted.",
        "I will not bother you further about this.", "My door is always open.", "Hope all is well on your end.",
        "Just a gentle reminder about my earlier message.", "I thought it might be useful to follow up.",
        "Has anything come up where we could be of use?", "It would be lovely to catch up.",
        "Take care, and speak soon.",
    ),
    "es": (
        "Quería saber cómo avanza el proyecto.", "¿Le llegó mi último mensaje?", "No hay ninguna prisa.",
        "Si tiene alguna pregunta, con gusto la respondo.", "Basta con responder a este mensaje.",
        "Me gustaría saber cómo ha ido todo.", "Si otra persona es la indicada, le agradezco que me lo diga.",
        "Si prefiere otro momento, no hay problema.", "Espero que usted y su equipo estén bien.",
        "Ha sido un placer trabajar con ustedes.", "Quizá mi nota se perdió en una semana complicada.",
        "Lamento las molestias que tuvo.", "Gracias por decírnoslo con tanta franqueza.",
        "¿Qué habría sido lo más importante para usted?", "Cualquier crítica es bienvenida.",
        "Su opinión sincera nos ayuda a mejorar.", "Quedo pendiente de su respuesta.",
        "Un sí o un no es suficiente.", "Entiendo que no sea el momento.", "Tómese el tiempo que necesite.",
        "¿Han cambiado sus planes desde entonces?", "¿Tiene todo lo que necesita de nosotros?",
        "Si ya no es de interés, también está bien.", "Que tenga una buena semana.", "Dígame cómo puedo ayudar.",
        "¿Hay algo que podamos hacer mejor?", "Le agradezco su confianza.", "Puede contestar con una sola línea.",
        "Me pregunto si todo sigue según lo previsto.", "No quería perder el contacto.",
        "Si le parece bien, seguimos en contacto.", "Siempre es bueno saber de ustedes.",
        "Estoy a su disposición para lo que necesite.", "Si surge alguna duda, aquí estoy.",
        "Un saludo para todo el equipo.", "¿Hay alguien más con quien deba hablar?",
        "Le escribo porque hace tiempo que no hablamos.", "Espero que se encuentre bien.",
        "Nos encantaría seguir trabajando juntos.", "¿Cómo ve usted el asunto ahora?",
        "He estado pensando en nuestra última conversación.", "Nos alegró saber de usted la última vez.",
        "¿Sigue considerando las opciones?", "¿Podría decirme si esto sigue siendo relevante?",
        "¿Le ayudaría que lo habláramos?", "Comprendo que esté ocupada con otros asuntos.",
        "He notado que llevamos tiempo sin hablar.", "Esperamos que todo marche sin contratiempos.",
        "¿Fue todo como esperaba?", "¿Cumplimos sus expectativas?", "Su opinión significa mucho para nosotros.",
        "Tomamos en serio cada comentario.", "Le agradezco su paciencia.", "Gracias por su sinceridad.",
        "Disculpe los inconvenientes.", "Siento que haya quedado decepcionado.", "Me gustaría entender qué pasó.",
        "Alguien de nuestro equipo lo está viendo.", "La página muestra cada línea.",
        "Ahí puede aceptarlo o rechazarlo.", "Avíseme si desea algún cambio.",
        "Si necesita más información, aquí estoy.", "Le escribo solo para saber si necesita algo.",
        "Tal vez hayan cambiado las prioridades.", "No le molestaré más con este tema.",
        "Mi puerta está siempre abierta.", "Solo un recordatorio amable de mi mensaje anterior.",
        "Sería un gusto ponernos al día.", "Cuídese mucho.", "Hasta pronto.",
    ),
    "pt": (
        "Queria saber como está indo o projeto.", "Recebeu a minha última mensagem?", "Não há pressa nenhuma.",
        "Se tiver alguma pergunta, respondo com prazer.", "Basta responder a esta mensagem.",
        "Gostaria de saber como foi tudo.", "Se outra pessoa for a indicada, agradeço se me disser.",
        "Se preferir outro momento, não há problema.", "Espero que você e sua equipe estejam bem.",
        "Foi um prazer trabalhar com vocês.", "Talvez a minha nota tenha se perdido numa semana corrida.",
        "Lamento o transtorno que teve.", "Obrigada por nos dizer com tanta franqueza.",
        "O que teria sido mais importante para você?", "Qualquer crítica é bem-vinda.",
        "Sua opinião sincera nos ajuda a melhorar.", "Fico no aguardo da sua resposta.",
        "Um sim ou um não já basta.", "Entendo que não seja o momento.", "Use o tempo de que precisar.",
        "Os seus planos mudaram desde então?", "Tem tudo de que precisa da nossa parte?",
        "Se já não for de interesse, tudo bem.", "Desejo uma boa semana.", "Diga-me como posso ajudar.",
        "Há algo que possamos fazer melhor?", "Agradeço a confiança.", "Pode responder com uma só linha.",
        "Não queria perder o contato.", "É sempre bom saber de vocês.", "Estou à disposição para o que precisar.",
        "Se surgir alguma dúvida, estou aqui.", "Um abraço a toda a equipe.",
        "Há mais alguém com quem eu deva falar?", "Escrevo porque faz tempo que não conversamos.",
        "Espero que esteja bem.", "Adoraríamos continuar trabalhando juntos.", "Como vê o assunto agora?",
        "Caso queira, basta uma linha.", "Será bom ter notícias suas.", "Tenho pensado na nossa última conversa.",
        "Ficamos felizes em ter notícias suas da última vez.", "Ainda está avaliando as opções?",
        "Poderia me dizer se isso ainda é relevante?", "Ajudaria se conversássemos?",
        "Compreendo que esteja ocupada com outros assuntos.", "Notei que faz tempo que não falamos.",
        "Esperamos que tudo esteja correndo bem.", "Foi tudo como esperava?", "Atendemos às suas expectativas?",
        "Sua opinião significa muito para nós.", "Levamos a sério cada comentário.", "Agradeço a sua paciência.",
        "Obrigada pela sinceridade.", "Desculpe o inconveniente.", "Sinto que tenha ficado decepcionado.",
        "Gostaria de entender o que aconteceu.", "Alguém da nossa equipe está vendo isso.",
        "A página mostra cada item.", "Lá você pode aceitar ou recusar.", "Avise-me se quiser alguma mudança.",
        "Se precisar de mais informações, estou aqui.", "Escrevo só para saber se precisa de algo.",
        "Talvez as prioridades tenham mudado.", "Não vou incomodar mais com esse assunto.",
        "Minha porta está sempre aberta.", "Só um lembrete gentil da minha mensagem anterior.",
        "Seria um prazer colocar a conversa em dia.", "Cuide-se.", "Até breve.",
    ),
}  # fmt: skip

LUCIA: dict[str, Any] = {
    "first_name": "Lucía",
    "client_name": "Viveros Sur",
    "sender_name": "Ana Rey",
    "company": "Norte",
}

LETTERS: tuple[tuple[str, dict[str, Any], bool, str], ...] = (
    ("en", {**LUCIA, "thread_subject": "Checking in from Norte"}, False,
     "Hi Lucía,\n\nI wanted to bring my earlier note back to the top of your inbox. I would love to "
     "hear how things are going at Viveros Sur, and whether there is anything we can help with.\n\nIf "
     "you are not the right person for this, I would be grateful if you could point me to whoever "
     "is.\n\nKind regards,\nAna Rey"),
    ("en", {**LUCIA, "thread_subject": "Checking in from Norte"}, False,
     "Hi Lucía,\n\nI don't want to fill your inbox, so I will leave it here for now. Should anything "
     "come up at Viveros Sur in the future, just reply to this note and it will reach me directly. "
     "The door is always open.\n\nAll the best,\nAna Rey"),
    ("en", {**LUCIA, "number": "Q-0007", "total": "USD 1,250.00", "valid_until": "March 20",
            "thread_subject": "Quote Q-0007"}, True,
     "Hi Lucía,\n\nI am following up on our quote Q-0007 for USD 1,250.00, which is valid until March "
     f"20. Have you had a chance to look at it? You can see it here:\n\n{PAGE}\n\nIf anything is "
     "unclear or should be different, a short reply is enough.\n\nKind regards,\nAna Rey"),
    ("en", {**LUCIA, "number": "Q-0007", "total": "USD 1,250.00", "valid_until": "March 20",
            "thread_subject": "Prices"}, True,
     "Hi Lucía,\n\nThank you for your request. Please find our quote Q-0007 on the page below; it "
     f"comes to USD 1,250.00 in total and is valid until March 20.\n\n{PAGE}\n\nThere you can read it "
     "line by line and accept or decline it. If you have any questions or would like something "
     "changed, just reply to this email.\n\nBest regards,\nAna Rey"),
    ("en", {**LUCIA, "order": "PO-77"}, True,
     "Hi Lucía,\n\nYour order PO-77 was delivered recently, and I would like to ask how it went. "
     f"Praise and criticism are equally welcome, and both help us do better.\n\n{PAGE}\n\nYou can rate "
     "it on that page or simply reply to this email.\n\nThank you,\nAna Rey"),
    ("en", {**LUCIA, "order": "PO-77", "person_informed": True}, False,
     "Hi Lucía,\n\nThank you for letting us know about your experience with order PO-77. I am truly "
     "sorry for the trouble this caused you. A colleague is looking into it.\n\nCould you tell me a "
     "little more about what went wrong, so that we understand it properly?\n\nKind regards,\nAna Rey"),
    ("en", {**LUCIA, "gaps": ["domain", "phone"], "of_account": True, "due": "March 20"}, False,
     "Hi Lucía,\n\nWe are reviewing our records, and the next review is on March 20. Two details are "
     "missing for your company: the address of your website and a telephone number with the country "
     "code.\n\nA short reply to this email is all we need.\n\nKind regards,\nAna Rey"),
    ("en", {**LUCIA, "gaps": ["contact_title", "email"], "due": "March 20"}, False,
     "Hi Lucía,\n\nAs part of a regular review of our records, which is due on March 20, we noticed "
     "that we do not have your role at the company or an email address for you. Would you let us know "
     "both in a reply to this message?\n\nThank you,\nAna Rey"),
    ("es", {**LUCIA, "number": "Q-0007", "total": "EUR 1.250,00", "valid_until": "20 de marzo de 2026"}, True,
     "Hola, Lucía:\n\nGracias por su interés. Le envío nuestro presupuesto Q-0007, por un total de "
     f"EUR 1.250,00 y válido hasta el 20 de marzo de 2026.\n\n{PAGE}\n\nEn esa página puede verlo "
     "línea por línea y aceptarlo o rechazarlo. Si algo no queda claro o debería ser distinto, basta "
     "con responder a este correo.\n\nUn saludo cordial,\nAna Rey"),
    ("es", {**LUCIA, "order": "PO-77"}, True,
     "Hola, Lucía:\n\nHace poco recibieron el pedido PO-77 y me gustaría saber qué les pareció. Las "
     f"críticas son tan bienvenidas como los elogios.\n\n{PAGE}\n\nTambién puede responder "
     "directamente a este correo.\n\nGracias de antemano,\nAna Rey"),
    ("es", {**LUCIA, "order": "PO-77"}, False,
     "Hola, Lucía:\n\nLe agradezco que nos haya contado lo ocurrido con el pedido PO-77. Lamento "
     "mucho las molestias. Una persona de nuestro equipo lo está revisando.\n\n¿Podría contarme un "
     "poco más sobre lo que falló?\n\nUn saludo,\nAna Rey"),
    ("es", {**LUCIA, "gaps": ["phone"], "of_account": True, "due": "20 de marzo de 2026"}, False,
     "Hola, Lucía:\n\nEstamos revisando nuestros registros y nos falta un dato de su empresa: un "
     "número de teléfono con el código de país. La próxima revisión es el 20 de marzo de "
     "2026.\n\nBasta con responder a este correo.\n\nUn saludo cordial,\nAna Rey"),
    ("es", {**LUCIA, "deal_title": "Macetas de primavera"}, False,
     "Hola, Lucía:\n\nQuería saber cómo ve usted el tema de «Macetas de primavera». ¿Hay algo que "
     "todavía necesite de nosotros para avanzar, o alguna pregunta que pueda resolver?\n\nCon una "
     "línea me basta.\n\nUn saludo cordial,\nAna Rey"),
    ("pt", {**LUCIA, "number": "Q-0007", "total": "BRL 1.250,00", "valid_until": "20 de março de 2026"}, True,
     "Olá, Lucía,\n\nObrigada pelo interesse. Segue o nosso orçamento Q-0007, no total de BRL "
     f"1.250,00 e válido até 20 de março de 2026.\n\n{PAGE}\n\nNessa página você pode vê-lo item por "
     "item e aceitá-lo ou recusá-lo. Se algo não estiver claro ou precisar mudar, basta responder a "
     "este e-mail.\n\nUm abraço,\nAna Rey"),
    ("pt", {**LUCIA, "order": "PO-77"}, True,
     "Olá, Lucía,\n\nO pedido PO-77 foi entregue há pouco e eu gostaria de saber como foi. Críticas "
     f"são tão bem-vindas quanto elogios.\n\n{PAGE}\n\nSe preferir, responda diretamente a este "
     "e-mail.\n\nObrigada,\nAna Rey"),
    ("pt", {**LUCIA, "order": "PO-77"}, False,
     "Olá, Lucía,\n\nObrigada por nos contar o que aconteceu com o pedido PO-77. Lamento muito o "
     "transtorno. Uma pessoa da nossa equipe já está vendo o caso.\n\nPoderia me contar um pouco mais "
     "sobre o que deu errado?\n\nAtenciosamente,\nAna Rey"),
    ("pt", {**LUCIA, "gaps": ["timezone"], "of_account": True, "due": "20 de março de 2026"}, False,
     "Olá, Lucía,\n\nEstamos revisando os nossos cadastros e falta um dado da sua empresa: o fuso "
     "horário, ou simplesmente a cidade. A próxima revisão é em 20 de março de 2026.\n\nBasta "
     "responder a este e-mail.\n\nAtenciosamente,\nAna Rey"),
    ("pt", {**LUCIA, "deal_title": "Vasos de primavera"}, False,
     "Olá, Lucía,\n\nGostaria de saber como está o assunto «Vasos de primavera» do seu lado. Há "
     "alguma dúvida que eu possa esclarecer, ou algo que ainda precise da nossa parte?\n\nUma linha "
     "já basta.\n\nAtenciosamente,\nAna Rey"),
)  # fmt: skip
"""Language, facts beside the ones of all, whether it leads to a page, and the letter."""
