"""The protocol's own way in and out.

The SDK and the programs it starts print to standard output and may read standard input. So both are taken away at
once: the protocol keeps private copies, file descriptor 1 becomes standard error and 0 becomes empty.
"""
import json
import os
import sys
import threading

from .heard import Echo


class Channel:
    def __init__(self):
        sys.stdout.flush()
        self._out = os.dup(1)
        self._in = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace", newline="\n")
        self._lock = threading.Lock()
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sys.stdout = Echo(sys.stderr)
        sys.stderr = Echo(sys.stderr)

    def requests(self):
        """Yields each request; a line that is none is told on standard error without its content (it may hold a secret)."""
        for line in self._in:
            try:
                request = json.loads(line)
            except ValueError:
                request = None
            if isinstance(request, dict) and isinstance(request.get("op"), str) and "id" in request:
                yield request
            elif line.strip():
                print("a line of %d characters is no request" % len(line), file=sys.stderr)

    def send(self, message):
        """One line, whole, whatever thread it comes from. Ends the process when nobody reads any more."""
        line = (json.dumps(message, ensure_ascii=True, default=str) + "\n").encode("ascii")
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._out, line):]
            except OSError:
                os._exit(0)
