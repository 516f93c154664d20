#!/usr/bin/env python3
"""The VCP SDK behind JSON lines: one request per line on standard input, one answer per line on standard output.

    {"id": 1, "op": "list", "group": "hybridcloud"}    ->    {"id": 1, "ok": {...}}   or   {"id": 1, "error": {...}}

The first line it says is {"hello": ...}; the first request is `open` and brings the access token. Ends when its
standard input ends: then nobody waits for it any more. Standard library only; Python 3.8 and newer.
"""
import os
import platform
import signal
import sys

# The installation may be read-only, and belongs to somebody else.
sys.dont_write_bytecode = True

from hcvcp.channel import Channel  # noqa: E402
from hcvcp.lanes import Lanes  # noqa: E402
from hcvcp.operations import OPERATIONS  # noqa: E402

PROTOCOL = 1


def main():
    # As process 1 of a container Python would ignore SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel()
    lanes = Lanes(channel, OPERATIONS)
    channel.send({"hello": {"protocol": PROTOCOL, "python": platform.python_version()}})
    for request in channel.requests():
        lanes.take(request)
    # A thread may hang in a call of the SDK: nothing is waited for.
    os._exit(0)


if __name__ == "__main__":
    if sys.version_info < (3, 7):
        sys.exit("Python 3.7 or newer is needed")
    main()
