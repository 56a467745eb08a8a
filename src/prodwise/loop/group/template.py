"""What stays of a text when everything that varies from one occurrence to the next is taken out.

One pass of one expression. Every repetition in it is possessive or bounded, and begins where a token begins, so that the
time grows with the text's length and no faster, whatever the text.
"""

from __future__ import annotations

import re

TEXT_CHARS = 2_000
"""What is read of a text."""
TEMPLATE_CHARS = 250
"""What is kept of a template: far less than is read, so that values of different length move no text across the cut."""
NUMBER, TEXT, PATH, URL, MAIL = "<n>", "<s>", "<path>", "<url>", "<mail>"

_MASKS = {"number": NUMBER, "token": NUMBER, "text": TEXT, "quoted": TEXT, "path": PATH, "url": URL, "mail": MAIL}
_NAME = r"[A-Za-z_][\w.]{0,60}+"
_VARIES = re.compile(
    rf"""
    (?<!\w)(?:
      (?P<kept>                                          # names the fault rather than the occurrence
          (?:attribute|module|reading|setting|property|method|function|argument|relation|column|table|constraint|class
            |package|parameter|option|field|keyword|operator|command|index|database|schema|symbol|variable|type
            |import\ name)\ (?P<quote>["'`]){_NAME}(?P=quote)                   # has no attribute 'total'
        | '{_NAME}'(?=\ object\b)                                               # 'NoneType' object is not callable
        | name\ '{_NAME}'(?=\ is\ not)                                          # name 'total' is not defined
        | (?:[Ee]rr(?:or|no)|ERROR|WinError)(?:\ code)?[\ :=\[(\#-]{{1,3}}-?\d{{1,5}}\b(?![.:-]\w)
        | (?:ORA|SQLSTATE)[\ \[:-]{{1,2}}[0-9A-Z]{{5}}\b
        | (?:[Cc]ode|[Ss]tatus|[Ss]ignal|HTTP)[\ :=]{{1,2}}-?\d{{1,3}}\b(?![.:/-]\w)
        | HTTP/\d(?:\.\d)?
      )
    | (?P<number>
          (?=[a-fA-F]{{0,128}}+\d)[0-9a-fA-F]{{6,128}}+(?!\w)(?:[.:,+-]\w++)*+
        | [0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}}(?!\w)
        | (?<!:)(?=[a-fA-F:]{{0,40}}+\d)(?:[0-9a-fA-F]{{0,4}}:){{2,8}}[0-9a-fA-F.]{{0,15}}+(?!\w)
      )
    | (?P<url>[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\s"'`<>|\\^{{}}()]++)
    | (?P<mail>(?<![.+-])[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,8}})
    | (?P<stem>[A-Za-z_]{{1,40}})\d++(?!\w)              # worker3, utf8: the word tells, its number does not
    | (?P<token>[-+]?(?=[^\W\d]{{0,80}}+\d)\w++(?:[.:,+-]\w++)*+)
    | (?P<quoted>'(?:[^'\n]|(?<=\w)'(?=\w))*+' | [“„«‘‹][^“”„«»‘’‹›\n]*+[“”»’›])
    | (?P<path>(?<![<./\\])(?:[A-Za-z]:|~|\.\.?)?(?:[\\/]{{1,2}}[\w.%@+~$-]++)++[\\/]?)
    )
    | (?P<text>"(?:[^"\\\n]|\\.)*+"? | `[^`\n]*+`)       # the first never fails: no escaped quote is read as an opening one
    """,
    re.VERBOSE,
)
_MAY_VARY = re.compile(r"""[\d"'`“„«‘‹/\\@]""")
_AGAIN = re.compile(r"(<(?:n|s|path|url|mail)>)(?:[\s,;:|/&+x-]{1,4}\1)++")
_VARIABLE_SEGMENT = re.compile(r"(?<=/)(?!v\d{1,2}(?![^/]))(?=[^/\d@]*+[\d@])[^/]++")  # v2 is a version
_UNPRINTABLE = re.compile(
    "\x1b\\[[0-9;?]{0,16}[ -/]{0,4}[@-~]"  # colours and cursor moves, whole
    "|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def template_of(text: str) -> str:
    """`text` on one line, ≤ 250 characters, with numbers, ids, dates, addresses, paths and quoted values masked.

    Names that code gives to things stay where the words around show that they are such (`no attribute 'total'`), and so do
    error and status codes: they tell two faults apart. Of lists only the first element stays. Stateless; linear time.
    """
    text = printable(text[:TEXT_CHARS])
    if _MAY_VARY.search(text):
        text = _AGAIN.sub(r"\1", _VARIES.sub(_masked, text))
    return text[:TEMPLATE_CHARS]


def readable_of(text: str) -> str:
    """As `template_of`, but quoted values stay: for a person to read, not for keys."""
    text = printable(text[:TEXT_CHARS])
    return _VARIES.sub(_masked_but_text, text)[:TEMPLATE_CHARS] if _MAY_VARY.search(text) else text[:TEMPLATE_CHARS]


def route_of(route: str) -> str:
    """A route without query and without what varies in its path, for senders that fold nothing: `GET /order/17` → `GET /order/*`."""
    return _VARIABLE_SEGMENT.sub("*", printable(route[:TEMPLATE_CHARS]).partition("?")[0])


def printable(text: str) -> str:
    """On one line, without terminal escapes, controls, direction marks and lone surrogates."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _masked(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind == "stem":
        return found["stem"] + NUMBER
    return _MASKS.get(kind) or found[0]


def _masked_but_text(found: re.Match[str]) -> str:
    return found[0] if found.lastgroup in ("text", "quoted") else _masked(found)
