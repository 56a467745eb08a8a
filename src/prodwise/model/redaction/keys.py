"""Which names announce a secret: `X-Api-Key`, `userPassword`, `DB_PASSWORD`, `user[password]`; not `token_count`, `primary_key`.

A name is cut into words at case changes and at everything that is neither letter nor digit. What announces a secret must be
its last word, save for a few words that may follow (`password_hash`): so settings *about* secrets (`session_timeout`) stay.
"""

from __future__ import annotations

import re

KEY_CHARS = 100

_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|\[redacted[^\]]{0,20}\]")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_SECRET = re.compile(
    r"""
    (?:
      (?:^|_)(?:                                                     # anywhere in a run-together word: csrfmiddlewaretoken
          [a-z0-9]*(?:password|passwd|passwort|passphrase|passcode|secret|token|apikey|secretkey|privatekey|accesskey|authkey
            |sessionid|sessid|sessionkey|cookie|credential|authorization)
        | cookies | credentials | secrets | (?:access|refresh|auth|api|bearer)_tokens | pass | pwd | pw
        | csrf | xsrf | jwt | dsn | otp | totp | pin | cvv | cvc | cvv2 | sig | signature | bearer | auth | session
        | (?:api|secret|private|access|auth|encryption|encrypt|signing|master|ssh|account|shared|license|webhook|hmac|session
            |client|consumer|deploy|subscription)_key
        | session_id | secret_id | connect_sid | connection_string | conn_str
        | (?:card|cc|pan|credit_card|debit_card|account|iban|passport|licen[cs]e|insurance)_(?:number|no|num|nr)
        | credit_?card | cardnumber | iban | (?:bank_)account_id
        | ssn | social_security(?:_number)? | national_id | tax_id | date_of_birth | birth_?date | birthday | dob
        | (?:phone|mobile|telephone|cell)(?:_?(?:number|no))? | msisdn
      )
    )
    (?:_(?:hash|digest|salt|value|raw|text|plain|plaintext|encoded|encrypted|base64|b64|base|header|string|str|confirmation
        |confirm|repeat|again|old|new|current|backup|live|test|prod|production|secret|\d{1,3}))*$
    """,
    re.VERBOSE,
)
_FOLDER = frozenset({"PWD", "OLDPWD"})
"""What shells call the folder they are in."""


def words_of(key: str) -> str:
    """`X-Api-Key`, `apiKey` and `API_KEY` → `x_api_key`, `api_key`, `api_key`."""
    return "_".join(_WORDS.findall(_ESCAPED.sub("_", key[-KEY_CHARS:]))).lower()


def is_secret(key: str, extra: re.Pattern[str] | None = None) -> bool:
    """Whether what stands under this name is to be hidden. `extra` is looked for in the name's words."""
    if key in _FOLDER:
        return False
    words = words_of(key)
    return _SECRET.search(words) is not None or (extra is not None and extra.search(words) is not None)
