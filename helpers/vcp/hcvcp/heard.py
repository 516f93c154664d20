"""What the SDK printed: often it says why something failed in its log only, and returns None."""
import io
import threading

MOST = 8000
_local = threading.local()


class Echo(io.TextIOBase):
    """Stands for sys.stdout and sys.stderr: passes everything on, and the listening thread keeps the end of it."""

    def __init__(self, to):
        self._to = to

    def write(self, text):
        kept = getattr(_local, "kept", None)
        if kept is not None:
            kept.append(text)
        self._to.write(text)
        self._to.flush()
        return len(text)

    def flush(self):
        self._to.flush()

    def writable(self):
        return True

    def isatty(self):
        return False

    def fileno(self):
        return self._to.fileno()

    @property
    def encoding(self):
        return "utf-8"


class Listening:
    """with Listening() as heard: ...; heard.text() is the end of what this thread printed meanwhile."""

    def __enter__(self):
        self._kept = []
        self._from = 0
        _local.kept = self._kept
        return self

    def begin(self):
        """From here on it matters; what came before is another call's."""
        self._from = len(self._kept)

    def __exit__(self, *_):
        _local.kept = None

    def text(self):
        return "".join(self._kept[self._from:])[-MOST:]
