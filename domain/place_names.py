"""What people write for a country and a language in English, Spanish, Portuguese, French, German, Italian and Dutch."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping


def bare(told: str) -> str:
    """A word without letter case, accents and surplus spaces, as names are compared."""
    folded = unicodedata.normalize("NFKD", told.casefold())
    return " ".join("".join(letter for letter in folded if not unicodedata.combining(letter)).split())


def _by_name(names: Mapping[str, str]) -> dict[str, str]:
    return {name.strip(): code for code, told in names.items() for name in told.split(",")}


COUNTRIES: Mapping[str, str] = _by_name({
    "AE": "united arab emirates, uae, emiratos arabes unidos, emirados arabes unidos, emirats arabes unis, "
          "vereinigte arabische emirate, emirati arabi uniti, verenigde arabische emiraten",
    "AR": "argentina, argentine, argentinien, argentinie",
    "AT": "austria, autriche, osterreich, oostenrijk",
    "AU": "australia, australie, australien",
    "BE": "belgium, belgica, belgique, belgien, belgio, belgie",
    "BG": "bulgaria, bulgarie, bulgarien, bulgarije",
    "BO": "bolivia, bolivie, bolivien",
    "BR": "brazil, brasil, bresil, brasilien, brasile, brazilie",
    "CA": "canada, kanada",
    "CH": "switzerland, suiza, suica, suisse, schweiz, svizzera, zwitserland",
    "CL": "chile, chili, cile",
    "CN": "china, chine, cina",
    "CO": "colombia, colombie, kolumbien",
    "CR": "costa rica",
    "CY": "cyprus, chipre, chypre, zypern, cipro",
    "CZ": "czech republic, czechia, chequia, republica checa, tchequia, republica tcheca, republique tcheque, "
          "tchequie, tschechien, tschechische republik, repubblica ceca, tsjechie",
    "DE": "germany, alemania, alemanha, allemagne, deutschland, germania, duitsland",
    "DK": "denmark, dinamarca, danemark, danimarca, denemarken",
    "DO": "dominican republic, republica dominicana, republique dominicaine, dominikanische republik, "
          "repubblica dominicana, dominicaanse republiek",
    "EC": "ecuador, equador, equateur",
    "EE": "estonia, estonie, estland",
    "ES": "spain, espana, espanha, espagne, spanien, spagna, spanje",
    "FI": "finland, finlandia, finlande, finnland",
    "FR": "france, francia, franca, frankreich, frankrijk",
    "GB": "united kingdom, uk, great britain, england, scotland, wales, reino unido, gran bretana, inglaterra, "
          "gra bretanha, royaume-uni, grande-bretagne, angleterre, vereinigtes konigreich, grossbritannien, "
          "regno unito, gran bretagna, inghilterra, verenigd koninkrijk, groot-brittannie",
    "GR": "greece, grecia, grece, griechenland, griekenland",
    "GT": "guatemala",
    "HN": "honduras",
    "HR": "croatia, croacia, croatie, kroatien, croazia, kroatie",
    "HU": "hungary, hungria, hongrie, ungarn, ungheria, hongarije",
    "IE": "ireland, irlanda, irlande, irland, ierland",
    "IL": "israel, israele",
    "IN": "india, inde, indien",
    "IS": "iceland, islandia, islande, island, islanda, ijsland",
    "IT": "italy, italia, italie, italien",
    "JP": "japan, japon, japao, giappone",
    "KR": "south korea, corea del sur, coreia do sul, coree du sud, sudkorea, corea del sud, zuid-korea",
    "LI": "liechtenstein",
    "LT": "lithuania, lituania, lithuanie, litauen, litouwen",
    "LU": "luxembourg, luxemburgo, luxemburg, lussemburgo",
    "LV": "latvia, letonia, lettonie, lettland, lettonia, letland",
    "MA": "morocco, marruecos, marrocos, maroc, marokko, marocco",
    "MT": "malta, malte",
    "MX": "mexico, mexique, mexiko, messico",
    "MY": "malaysia, malasia, malaisie, maleisie",
    "NI": "nicaragua",
    "NL": "netherlands, the netherlands, holland, holanda, paises bajos, paises baixos, pays-bas, niederlande, "
          "paesi bassi, nederland",
    "NO": "norway, noruega, norvege, norwegen, norvegia, noorwegen",
    "NZ": "new zealand, nueva zelanda, nueva zelandia, nova zelandia, nouvelle-zelande, neuseeland, nuova zelanda, "
          "nieuw-zeeland",
    "PA": "panama",
    "PE": "peru, perou",
    "PH": "philippines, filipinas, philippinen, filippine, filipijnen",
    "PL": "poland, polonia, pologne, polen",
    "PR": "puerto rico, porto rico",
    "PT": "portugal, portogallo",
    "PY": "paraguay, paraguai",
    "RO": "romania, rumania, romenia, roumanie, rumanien, roemenie",
    "RS": "serbia, servia, serbie, serbien, servie",
    "RU": "russia, rusia, russie, russland, rusland",
    "SA": "saudi arabia, arabia saudita, arabie saoudite, saudi-arabien, saoedi-arabie",
    "SE": "sweden, suecia, suede, schweden, svezia, zweden",
    "SG": "singapore, singapur, cingapura, singapour",
    "SI": "slovenia, eslovenia, slovenie, slowenien",
    "SK": "slovakia, eslovaquia, slovaquie, slowakei, slovacchia, slowakije",
    "SV": "el salvador",
    "TH": "thailand, tailandia, thailande, thailandia",
    "TN": "tunisia, tunez, tunisie, tunesien, tunesie",
    "TR": "turkey, turkiye, turquia, turquie, turkei, turchia, turkije",
    "TW": "taiwan",
    "UA": "ukraine, ucrania, ucraina, oekraine",
    "US": "united states, united states of america, usa, estados unidos, eeuu, ee.uu., etats-unis, vereinigte staaten, "
          "vereinigte staaten von amerika, stati uniti, verenigde staten",
    "UY": "uruguay, uruguai",
    "VE": "venezuela",
    "VN": "vietnam, vietna",
    "ZA": "south africa, sudafrica, africa do sul, afrique du sud, sudafrika, zuid-afrika",
})  # fmt: skip
"""ISO 3166-1 codes by what people write beside them, as `bare` leaves it."""

LANGUAGES: Mapping[str, str] = _by_name({
    "ca": "catalan, catala, katalanisch, catalano",
    "cs": "czech, checo, tcheco, tcheque, tschechisch, ceco, cestina",
    "da": "danish, danes, dinamarques, danois, danisch, danese, dansk",
    "de": "german, aleman, alemao, allemand, deutsch, tedesco, duits",
    "en": "english, ingles, anglais, englisch, inglese, engels",
    "es": "spanish, espanol, castellano, espanhol, espagnol, spanisch, spagnolo, spaans",
    "fi": "finnish, finlandes, finnois, finnisch, finlandese, suomi",
    "fr": "french, frances, francais, franzosisch, francese, frans",
    "it": "italian, italiano, italien, italienisch, italiaans",
    "ja": "japanese, japones, japonais, japanisch, giapponese",
    "nl": "dutch, neerlandes, holandes, neerlandais, niederlandisch, hollandisch, olandese, nederlands",
    "no": "norwegian, noruego, noruegues, norvegien, norwegisch, norvegese, norsk",
    "pl": "polish, polaco, polones, polonais, polnisch, polacco, polski",
    "pt": "portuguese, portugues, portugais, portugiesisch, portoghese, portugees",
    "sv": "swedish, sueco, suedois, schwedisch, svedese, svenska",
    "zh": "chinese, chino, chines, chinois, chinesisch, cinese",
})  # fmt: skip
"""ISO 639-1 codes by what people write beside them, as `bare` leaves it."""
