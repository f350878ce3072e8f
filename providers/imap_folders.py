"""Which folders of an IMAP account are read: all but drafts, spam, rubbish and other people's; and which was sent."""

from __future__ import annotations

from dataclasses import dataclass

from providers.imap_answers import Data, Malformed, Token, answers, readable, word, words

RUBBISH = frozenset({r"\drafts", r"\junk", r"\trash"})
LEFT_OUT = RUBBISH | {r"\noselect", r"\nonexistent"}
SENT = r"\sent"
ROLES = RUBBISH | {SENT, r"\archive", r"\all"}

Told = tuple[frozenset[str], str, str]
"""A folder's attributes, the sign between it and those below it, and its name."""

# For servers that don't say what a folder is for (RFC 6154): the names that mail programs give.
NAMES = {
    SENT: "sent|sent items|sent messages|sent mail|enviados|elementos enviados|enviadas|itens enviados|gesendet|"
    "gesendete elemente|gesendete objekte|envoyés|éléments envoyés|messages envoyés",
    r"\drafts": "drafts|draft|borradores|rascunhos|entwürfe|brouillons",
    r"\junk": "junk|spam|junk e-mail|junk email|junk mail|bulk mail|correo no deseado|lixo eletrônico|junk-e-mail|"
    "spamverdacht|courrier indésirable|indésirables",
    r"\trash": "trash|deleted items|deleted messages|bin|papelera|elementos eliminados|lixeira|itens excluídos|"
    "papierkorb|gelöschte elemente|gelöschte objekte|corbeille|éléments supprimés",
}
ROLE_OF = {name: role for role, names in NAMES.items() for name in names.split("|")}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is read."""

    name: str
    """As the server spells it, in modified UTF-7."""
    labels: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """The name as a command takes it."""
        return '"' + self.name.replace("\\", r"\\").replace('"', r"\"") + '"'


def foreign(namespaces: Data) -> tuple[str, ...]:
    """How the names of other people's and of shared folders begin (RFC 2342). Raises Malformed."""
    prefixes = [
        word(space[0])
        for answer in answers(namespaces)
        for kind in answer[1:3]
        if isinstance(kind, list)
        for space in kind
        if isinstance(space, list) and space
    ]
    return tuple(prefix for prefix in prefixes if prefix)


def of(listed: Data, left_out: tuple[str, ...] = ()) -> tuple[list[Folder], list[str]]:
    """The folders to read out of the answers to LIST, INBOX first; and the names of those that can't be asked for.

    What begins with one of `left_out` is somebody else's mail. Raises Malformed.
    """
    told = _with_roles([_folder(answer) for answer in answers(listed)])
    rubbish = tuple(name + delimiter for roles, delimiter, name in told if roles & RUBBISH and delimiter)
    folders: dict[str, Folder] = {}
    strange: list[str] = []
    for roles, _, name in told:
        is_inbox = name.upper() == "INBOX"
        if not is_inbox and (roles & LEFT_OUT or name.startswith((*rubbish, *left_out))):
            continue
        if not name.isascii() or not name.isprintable():
            strange.append(readable(name))
            continue
        folders[name] = Folder(name, ("INBOX",) if is_inbox else ("SENT",) if SENT in roles else ())
    return sorted(folders.values(), key=lambda folder: (folder.labels != ("INBOX",), folder.name)), strange


def _folder(answer: list[Token]) -> Told:
    if len(answer) < 3:  # what follows the name is an extension's
        raise Malformed("an answer to LIST is not three tokens")
    delimiter = word(answer[1])
    return words(answer[0]), "" if delimiter.upper() == "NIL" else delimiter, word(answer[2])


def _with_roles(told: list[Told]) -> list[Told]:
    """What a folder is for goes by its name only where the server gave that role to none."""
    given = {role for attributes, _, _ in told for role in attributes & ROLES}

    def role(attributes: frozenset[str], delimiter: str, name: str) -> frozenset[str]:
        last = readable(name.rpartition(delimiter)[2] if delimiter else name).casefold()
        named = ROLE_OF.get(last)
        return frozenset() if named is None or named in given or attributes & ROLES else frozenset({named})

    return [(each[0] | role(*each), each[1], each[2]) for each in told]
