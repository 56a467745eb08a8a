"""Takes an edit of a module's or a class's own values, of a parameter's default, or of several functions at once, into the living
program. Python 3.8 and up.

What was made of a value elsewhere, before, is not made again: where that matters the tests fail, and a fresh process decides of
those that pass."""

import ast
import os
import sys

LATER_MOST = 40


def become(path, old, new, start, end, functions):
    """False where it cannot be done. start, end: of the edit, in the old text."""
    modules = [one for one in list(sys.modules.values()) if same(one, path)]
    if len(modules) != 1 or sys.version_info < (3, 8):
        return False
    try:
        before, after = ast.parse(old), ast.parse(new)
    except (SyntaxError, ValueError):
        os._exit(1)
    first, last = old.count("\n", 0, start) + 1, old.count("\n", 0, end) + 1
    way = held(before, first, last)
    twin = follow(after, way)
    if not way or isinstance(twin, ast.ClassDef):
        return of_bodies(before, after, (old, new), functions.get(path, ()), path)
    if twin is None or type(twin) is not type(way[-1][0]):
        return False
    owner, space = modules[0], vars(modules[0])
    for node, _ in way[:-1]:
        if isinstance(node, ast.ClassDef):
            owner = vars(owner).get(node.name)
            if not isinstance(owner, type):
                return False
    if isinstance(twin, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return of_function(way[-1][0], twin, last, space, functions.get(path, ()), path)
    if not isinstance(twin, (ast.Assign, ast.AnnAssign)):
        return False
    changed = of_value(twin, owner, space, after, path)
    if changed and owner is modules[0]:
        of_defaults(before.body, after.body, changed, space, functions.get(path, ()), path)
    return bool(changed)


def same(module, path):
    name = getattr(module, "__file__", None)
    return isinstance(name, str) and os.path.abspath(name) == path


def held(tree, first, last):
    """The statement that holds the lines, and those around it, each with its place in its block."""
    way, block = [], tree.body
    while True:
        found = [(at, one) for at, one in enumerate(block) if head(one) <= first and last <= one.end_lineno]
        if not found:
            return way
        at, node = found[0]
        way.append((node, at))
        if not isinstance(node, ast.ClassDef) or last < node.body[0].lineno:
            return way
        block = node.body


def head(node):
    return min([node.lineno] + [one.lineno for one in getattr(node, "decorator_list", ())])


def follow(tree, way):
    node = tree
    for _, at in way:
        if at >= len(getattr(node, "body", ())):
            return None
        node = node.body[at]
    return node


def of_value(node, owner, space, tree, path):
    """The value anew, and what later statements of the module make of it. Returns the names."""
    names = bound(node)
    if not names or node.value is None:
        return set()
    if not put(node, owner, space, path):
        os._exit(1)
    if isinstance(owner, type):
        return set(names)
    changed, later = set(names), [one for one in tree.body if one.lineno > node.lineno]
    for one in later:
        mine = bound(one)
        if mine and len(changed) <= LATER_MOST and changed & {n.id for n in ast.walk(one) if isinstance(n, ast.Name)}:
            put(one, owner, space, path)
            changed.update(mine)
    return changed


def of_defaults(before, after, changed, space, functions, path):
    """And what parameters have of it by default."""
    for old, new in zip(before, after):
        if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
            of_defaults(old.body, new.body, changed, space, functions, path)
        elif isinstance(old, (ast.FunctionDef, ast.AsyncFunctionDef)) and type(old) is type(new):
            values = [one for one in old.args.defaults + old.args.kw_defaults if one is not None]
            if changed & {one.id for value in values for one in ast.walk(value) if isinstance(one, ast.Name)}:
                of_function(old, new, 0, space, functions, path)


def bound(node):
    """Names that a plain assignment binds; none where it binds anything else."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (
        [one.id for one in targets if isinstance(one, ast.Name)]
        if all(isinstance(one, ast.Name) for one in targets)
        else []
    )


def put(node, owner, space, path):
    local = dict(vars(owner)) if isinstance(owner, type) else dict(space)
    try:
        code = compile(ast.Module([node], []), path, "exec")
        exec(code, space if isinstance(owner, type) else local, local)
    except Exception:
        return False
    for name in bound(node):
        old = vars(owner).get(name)
        if isinstance(owner, type):
            try:
                setattr(owner, name, local[name])
            except Exception:
                return False
            continue
        for module in list(sys.modules.values()):
            names = getattr(module, "__dict__", None)
            if type(names) is dict and name in names and names[name] is old:
                names[name] = local[name]
    return True


def of_function(before, after, last, space, functions, path):
    """The defaults alone: a head that takes other parameters is another function."""
    if last >= before.body[0].lineno:
        return False
    lines = {before.lineno, head(before)}
    living = [one for one in functions if one.__code__.co_name == before.name and one.__code__.co_firstlineno in lines]
    after.decorator_list, after.returns, local = [], None, dict(space)
    for one in ast.walk(after.args):
        if isinstance(one, ast.arg):
            one.annotation = None
    after.body = [ast.copy_location(ast.Pass(), after.body[0])]
    try:
        exec(compile(ast.Module([after], []), path, "exec"), local)
    except Exception:
        os._exit(1)
    made = local[before.name]
    for one in living:
        if (
            one.__code__.co_varnames[: one.__code__.co_argcount]
            != made.__code__.co_varnames[: made.__code__.co_argcount]
        ):
            return False
        one.__defaults__, one.__kwdefaults__ = made.__defaults__, made.__kwdefaults__
    return bool(living)


def of_bodies(before, after, texts, functions, path):
    """Several functions of one file, where nothing else of it changes."""
    if not functions or bare(before) != bare(after):
        return False
    from prodwise_code import FUTURES, pair  # here: most edits are of values, and need none of it

    flags, pairs = functions[0].__code__.co_flags & FUTURES, {}  # type: int, dict
    old, new = (compile(text, path, "exec", flags, True) for text in texts)
    pair(old, new, pairs)
    changed = False
    for one in functions:
        code = one.__code__
        twin = pairs.get((code.co_name, code.co_firstlineno))
        if twin is not None:
            if len(twin.co_freevars) != len(code.co_freevars):
                return False
            one.__code__, changed = twin, True
    return changed


def bare(tree):
    """What a module says without the bodies of its functions, which the tree loses."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = []
    return ast.dump(tree)
