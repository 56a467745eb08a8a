"""What gives itself away: tokens by their makers' prefixes, keys, cards, accounts, addresses of people.

One pass of one expression. Every branch begins where a word begins and repeats possessively or boundedly: linear time.
"""

from __future__ import annotations

import re

MASK = "[redacted]"

_PREFIXED = r"""
      eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?                                     # JWT
    | (?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])           # AWS
    | AIza[\w-]{30,}+ | ya29\.[\w-]{16,}+ | GOCSPX-[\w-]{16,}+ | 1//0[\w-]{24,}+        # Google
    | gh[pousr]_[A-Za-z0-9]{20,}+ | github_pat_\w{20,}+                              # GitHub
    | gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[\w.-]{16,}+ | gl(?:sa|c)_\w{16,}+     # GitLab, Grafana
    | xox[abceoprs]-[\w-]{10,}+ | xapp-[\w-]{10,}+                                  # Slack
    | (?:[srp]k_(?:live|test)|whsec)_\w{10,}+                                     # Stripe
    | sk-(?=[A-Za-z_-]{0,80}+\d)[\w-]{20,}+                                       # OpenAI, Anthropic
    | SG\.[\w-]{16,}+\.[\w-]{16,}+ | (?:SK|AC)[0-9a-f]{32}(?![\w]) | key-[0-9a-f]{32}(?![\w])    # SendGrid, Twilio, Mailgun
    | npm_[A-Za-z0-9]{30,}+ | pypi-[\w-]{40,}+ | hf_[A-Za-z0-9]{30,}+ | do[opr]_v1_[0-9a-f]{40,}+
    | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32} | sq0[a-z]{3}-[\w-]{20,}+ | dapi[0-9a-f]{32} | hvs\.[\w-]{20,}+
    | sntry[su]_[\w=+/-]{20,}+ | ATATT3[\w=+/-]{20,}+ | NRAK-[A-Z0-9]{20,}+ | PMAK-[\w-]{20,}+ | lin_api_\w{20,}+
    | AGE-SECRET-KEY-1[A-Z0-9]{20,}+                              # age
"""
_CARD = re.compile(
    r"(?<![\w.,-])(?:[2-6]\d{3}[ -]?(?:\d{6}[ -]?\d{4,5}|\d{4}[ -]?\d{4}[ -]?\d{4})|62\d{14,17})(?![\w-])(?![.,]\d)"
)
_NO_DOMAIN = "png|jpe?g|gif|svg|webp|ico|service|socket|timer|mount|[cm]?jsx?|tsx?|css|py|rb|go|rs|java|html|json"
_INTERNATIONAL = r"[1-9](?:[ ().-]{0,2}\d){9,14}"
FOUND = re.compile(
    rf"""
      (?P<login>(?<=://)(?:[^\s/@:"'<>]{{0,100}}:[^\s/"'<>]{{1,200}}|[A-Za-z0-9_.-]{{16,200}})@)
    | (?<![A-Za-z0-9])(?:
        (?P<token>(?=[\w./-]{{16}})(?:{_PREFIXED}))
      | (?P<scheme>[Bb]earer|BEARER|[Bb]asic)\s{{1,4}}
        (?P<bearer>(?=[A-Za-z_.~+/-]{{0,300}}+[\d=]|\w{{20}})[\w.~+/=-]{{8,}}+)
      | (?P<slack>hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)[\w/-]{{8,}}+
      | (?P<digits>\d(?:[ -]?\d){{12,}}+)
      | (?P<iban>[A-Z]{{2}}\d{{2}}(?:[ ]?[A-Z0-9]{{4}}){{2,7}}(?:[ ]?[A-Z0-9]{{1,3}})?(?![A-Za-z0-9]))
      | (?P<mail>(?<![.+%-])(?!git@)[A-Za-z0-9_.+-]{{1,64}}+(?:@|%40)[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{0,6}}
          \.(?!(?:{_NO_DOMAIN})(?!\w))[A-Za-z]{{2,24}}(?![\w-]))
      | (?P<word>[Ss]ecret|SECRET|[Tt]oken|TOKEN|[Pp]assw(?:or)?d|PASSWORD|[Cc]redentials?
          |(?:[Aa]pi|API|[Aa]ccess|[Ss]ecret)[ _-]?[Kk]ey)
        (?P<gap>(?:\ (?:is|was|value|key|of|for|with|id))?[\s"'`:=(<\[]{{1,6}})
        (?P<random>(?![0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-)(?=[A-Za-z_+/=-]{{0,200}}+\d)(?=[\d_+/=-]{{0,200}}+[A-Za-z])
          [A-Za-z0-9_+/=-]{{20,}}+)
      )
    | (?P<telegram>(?<=\d{{6}}):AA[\w-]{{30,}}+)
    | (?P<phone>(?<![\w+.-])(?:\+(?={_INTERNATIONAL}(?!\d)){_INTERNATIONAL}|\(\d{{3}}\)[ ]?\d{{3}}-\d{{4}})(?![\w]))
    | (?P<pem>-----BEGIN\ [A-Z0-9 ]{{0,40}}PRIVATE\ KEY(?:\ BLOCK)?-----[^-]*+(?:-(?!----END)[^-]*+)*+
        (?:-----END\ [A-Z0-9 ]{{0,60}}-----)?)
    """,
    re.VERBOSE,
)
ADDRESS = re.compile(
    r"(?<![\w.:-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.-])"
    r"|(?=[0-9a-fA-F:]{3,39}(?![\w:]))(?=[a-fA-F:]{0,30}\d)(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4})"
)
CARD = "[redacted card number]"
_LABELS = {"iban": "account", "mail": "email", "phone": "phone"}
_CARDS = re.compile(
    r"(?:4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|62\d{14,17})$"
)


def masked(found: re.Match[str]) -> str:
    """What stands instead of a match of `FOUND`; the match itself when it only looked like one."""
    kind = found.lastgroup or ""
    if kind == "digits":
        return _without_cards(found)
    if kind == "iban" and not is_iban(found[0].replace(" ", "")):
        return found[0]
    if kind in _LABELS:
        return f"[redacted {_LABELS[kind]}]"
    if kind == "bearer":
        return f"{found['scheme']} {MASK}"
    if kind == "random":
        return found["word"] + found["gap"] + MASK
    if kind == "slack":
        return found["slack"] + MASK
    return MASK + "@" if kind == "login" else MASK


def _without_cards(found: re.Match[str]) -> str:
    """A run of digits may hold a card among other numbers: each group's beginning may be its beginning."""
    text, end = found.string, found.end()
    kept, begun, at = "", found.start(), found.start()
    while (card := _CARD.search(text, at, min(len(text), end + 2))) is not None and card.end() <= end:
        at = card.start() + 1
        if is_card(re.sub("[ -]", "", card[0])):
            kept += text[begun : card.start()] + CARD
            begun = at = card.end()
    return kept + text[begun:end]


def is_card(digits: str) -> bool:
    """A number that a card network gives out, with its check digit right (Luhn, ISO/IEC 7812-1)."""
    if not _CARDS.match(digits):
        return False
    total = sum(int(one) for one in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(one), 10)) for one in digits[-2::-2])) % 10 == 0


def is_iban(account: str) -> bool:
    """Length and check digits right (ISO 13616: moved by four, letters as numbers, modulo 97 is 1)."""
    if not 15 <= len(account) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in account[4:] + account[:4])) % 97 == 1
