"""vcp_config.yml and vcp_flavor.yml, read without a YAML library: nested keys, lists of words, comments, no more."""
import os

FILES = {"vcp_config": "vcp_config.yml", "vcp_flavor": "vcp_flavor.yml"}


def load_config(config_dir, name):
    path = os.path.join(config_dir, FILES[name])
    with open(path) as file:
        return parse(file.read(), path)


def parse(text, path):
    top = {}
    stack = [(-1, top, None, None)]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split(" #", 1)[0].rstrip()
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise ValueError("%s: line %d: found character '\\t' that cannot start any token" % (path, number))
        indent = len(line) - len(line.lstrip())
        body = line.strip()
        while len(stack) > 1 and indent <= stack[-1][0] and not (body.startswith("- ") and indent == stack[-1][0]):
            stack.pop()
        _, here, parent, key = stack[-1]
        if body.startswith("- "):
            if not isinstance(parent[key], list):
                parent[key] = []
            parent[key].append(scalar(body[2:]))
            continue
        if ":" not in body:
            raise ValueError("%s: line %d: could not find expected ':'" % (path, number))
        word, _, value = body.partition(": ") if ": " in body else (body[:-1], ":", "") if body.endswith(":") else (None, "", "")
        if word is None:
            raise ValueError("%s: line %d: mapping values are not allowed here" % (path, number))
        word = scalar(word)
        here[word] = scalar(value) if value.strip() else {}
        if not value.strip():
            stack.append((indent, here[word], here, word))
    return top


def scalar(text):
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return {"true": True, "True": True, "false": False, "False": False}.get(text, int(text) if text.isdigit() else text)
