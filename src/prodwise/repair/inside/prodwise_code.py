"""The program's texts and code as they are. Python 3.6 and up; the standard library only."""

import io

CODE = type(compile("", "", "exec"))
TEXTS = {}  # type: dict
FUTURES = 0
for _name in __import__("__future__").all_feature_names:
    FUTURES |= getattr(__import__("__future__"), _name).compiler_flag


def text_of(path):
    """Read once: it is put back after each try."""
    if path not in TEXTS:
        with io.open(path, encoding="utf-8", newline="") as source:
            TEXTS[path] = source.read()
    return TEXTS[path]


def unit(text, first, last, classes, path, flags):
    """The code of one outermost function, compiled by itself at its own lines, inside classes of the same names."""
    lines = text.split("\n")[first - 1 : last]
    heads = [" " * column + "class " + name + ":" for name, column in classes]
    source = "\n" * (first - 1 - len(heads)) + "\n".join(heads + lines) + "\n"
    code = compile(source, path, "exec", flags, True)
    for _ in range(len(classes) + 1):
        inner = [one for one in code.co_consts if isinstance(one, CODE)]
        code = inner[-1]
    return code


def pair(before, after, pairs):
    """Codes of the same place in both: the function and what is defined inside it, in order."""
    pairs[(before.co_name, before.co_firstlineno)] = after
    mine = [one for one in before.co_consts if isinstance(one, CODE)]
    other = [one for one in after.co_consts if isinstance(one, CODE)]
    if len(mine) == len(other):
        for one, two in zip(mine, other):
            if one.co_name == two.co_name:
                pair(one, two, pairs)
