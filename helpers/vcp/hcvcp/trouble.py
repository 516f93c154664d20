"""What went wrong, as facts. What it means is decided by whoever asked: the SDK's words are read in one place only."""

MOST = 2000


class Refused(Exception):
    """Our own finding, with its meaning: `ip-in-use`, `busy`, `config`, `foreign`."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def describe(error, stage, heard=""):
    """An answer's `error`.

    stage: `open` the SDK could not be loaded or the controller not entered; `before` nothing was changed;
    `sent` the controller was asked for a change, and nobody knows what became of it.
    """
    return {
        "code": getattr(error, "code", None) if isinstance(error, Refused) else None,
        "stage": stage,
        "type": type(error).__name__,
        "text": _words(error)[:MOST],
        "log": heard[-MOST:],
    }


def _words(error):
    """The messages of an exception and of those it came from: requests wraps what matters two or three times."""
    said = []
    seen = set()
    while error is not None and id(error) not in seen and len(said) < 5:
        seen.add(id(error))
        text = str(error).strip()
        name = type(error).__name__
        line = text if isinstance(error, Refused) else ("%s: %s" % (name, text) if text else name)
        if not any(line in one for one in said):
            said.append(line)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "; ".join(said)
