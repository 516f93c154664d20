"""python38.py OWN FOLDER: prints what in the Python files of FOLDER does not exist in Python 3.8, one line each.

The grammar is the parser's own matter (feature_version), as far as it goes; what it lets pass, and names of builtins and
of the standard library, are listed here. OWN: a package of the folder's own. The check itself needs Python 3.10 or newer.
"""
import ast
import pathlib
import sys

NEWER_MODULES = {"tomllib", "zoneinfo", "graphlib"}
# Name -> since when; names that mean one thing only, wherever they stand.
NEWER_NAMES = {
    "removeprefix": "3.9", "removesuffix": "3.9", "is_relative_to": "3.9", "with_stem": "3.9", "to_thread": "3.9",
    "cache": "3.9", "lcm": "3.9", "randbytes": "3.9", "pidfd_open": "3.9", "waitstatus_to_exitcode": "3.9",
    "pairwise": "3.10", "bit_count": "3.10", "aclosing": "3.10", "hardlink_to": "3.10", "orig_argv": "3.10",
    "stdlib_module_names": "3.10", "get_annotations": "3.10", "ParamSpec": "3.10", "TypeAlias": "3.10",
    "add_note": "3.11", "TaskGroup": "3.11", "StrEnum": "3.11", "file_digest": "3.11", "chdir": "3.11", "UTC": "3.11",
    "exception": "3.11", "batched": "3.12", "sumprod": "3.12", "process_cpu_count": "3.13", "full_match": "3.13",
}
# New in this module only: os.chdir and logger.exception are old.
OF_MODULE = {"chdir": "contextlib", "exception": "sys", "cache": "functools", "UTC": "datetime"}
NEWER_KEYWORDS = {
    ("zip", "strict"): "3.10", ("dataclass", "slots"): "3.10", ("dataclass", "kw_only"): "3.10",
    ("shutdown", "cancel_futures"): "3.9", ("Popen", "process_group"): "3.11", ("Popen", "umask"): "3.9",
    ("Popen", "user"): "3.9", ("Popen", "group"): "3.9", ("run", "process_group"): "3.11",
    ("extractall", "filter"): "3.12", ("extract", "filter"): "3.12", ("rmtree", "onexc"): "3.12",
    ("TemporaryDirectory", "ignore_cleanup_errors"): "3.10", ("TemporaryDirectory", "delete"): "3.12",
    ("walk", "follow_symlinks"): "3.12",
}
NEWER_BUILTINS = {
    "aiter": "3.10", "anext": "3.10", "EncodingWarning": "3.10", "ExceptionGroup": "3.11", "BaseExceptionGroup": "3.11",
}
GENERIC = {"list", "dict", "set", "tuple", "frozenset", "type"}


def main(own, folder):
    for path in sorted(pathlib.Path(folder).rglob("*.py")):
        text = path.read_text()
        try:
            tree = ast.parse(text, feature_version=(3, 8))
        except SyntaxError as error:
            print("%s:%s: %s" % (path.name, error.lineno, error.msg))
            continue
        for line, what in sorted(found(tree, {own, "common"})):
            print("%s:%d: %s" % (path.name, line, what))


def found(tree, own):
    """Pairs of line and complaint."""
    known = sys.stdlib_module_names - NEWER_MODULES
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for module in modules(node):
            if module.split(".")[0] not in known | own:
                yield line, "%s is not in the standard library of 3.8" % module
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            for name in node.names:
                if name.name in NEWER_NAMES and OF_MODULE.get(name.name, node.module) == node.module:
                    yield line, "%s.%s is of %s" % (node.module, name.name, NEWER_NAMES[name.name])
        if isinstance(node, ast.Attribute) and node.attr in NEWER_NAMES:
            of = getattr(node.value, "id", None)
            if OF_MODULE.get(node.attr, of) == of:
                yield line, "%s is of %s" % (node.attr, NEWER_NAMES[node.attr])
        if isinstance(node, ast.Name) and node.id in NEWER_BUILTINS:
            yield line, "%s is of %s" % (node.id, NEWER_BUILTINS[node.id])
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            for keyword in node.keywords:
                since = NEWER_KEYWORDS.get((called, keyword.arg))
                if since:
                    yield line, "%s(%s=) is of %s" % (called, keyword.arg, since)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and is_dict(node.left, node.right):
            yield line, "| of dicts is of 3.9"
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr) and is_dict(node.value):
            yield line, "|= of dicts is of 3.9"
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in GENERIC:
            yield line, "%s[...] is of 3.9" % node.value.id
        if isinstance(node, ast.With) and not same_line_grammar(node):
            yield line, "parentheses round with-items are of 3.9"
        if isinstance(node, ast.JoinedStr):
            yield from nested_quotes(node)


def modules(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []


def is_dict(*nodes):
    return any(isinstance(node, (ast.Dict, ast.DictComp)) for node in nodes)


def same_line_grammar(node):
    """False for `with (a as b, c as d):`, whose first item begins behind a parenthesis of the statement's own."""
    first = node.items[0].context_expr
    named = any(item.optional_vars is not None for item in node.items)
    return not (len(node.items) > 1 and named and (first.lineno, first.col_offset) > (node.lineno, node.col_offset + 5))


def nested_quotes(node):
    """Strings inside the format of an f-string: from 3.12 on only."""
    for value in node.values:
        spec = getattr(value, "format_spec", None)
        inner = ast.walk(spec) if spec is not None else ()
        for part in inner:
            if not isinstance(part, ast.FormattedValue):
                continue
            if any(isinstance(one, (ast.JoinedStr, ast.Constant)) for one in ast.walk(part.value)):
                yield node.lineno, "a string inside the format of an f-string"


if __name__ == "__main__":
    main(*sys.argv[1:])
