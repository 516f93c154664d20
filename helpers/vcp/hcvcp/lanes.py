"""Two lanes, each one thread with an SDK object of its own: readings never wait behind a slow change, and changes of
the group go one after another."""
import queue
import sys
import threading
import traceback

from .connection import Connection
from .heard import Listening
from .trouble import Refused, describe


class Lanes:
    def __init__(self, channel, operations):
        self._channel = channel
        self._operations = operations
        self._queues = {}
        for name in ("read", "change"):
            self._queues[name] = queue.Queue()
            threading.Thread(target=self._work, args=(name,), daemon=True).start()

    def take(self, request):
        operation = self._operations.get(request["op"])
        if operation is None:
            error = {"code": "config", "stage": "before", "type": "", "text": "no such operation", "log": ""}
            self._channel.send({"id": request["id"], "error": error})
            return
        if request["op"] == "open":
            # Both lanes get the token in their turn; the reading one answers.
            self._queues["change"].put((None, {"token": request.get("token"), "config_dir": request.get("config_dir")}))
        self._queues[operation.lane].put((operation, request))

    def _work(self, name):
        connection = Connection()
        while True:
            operation, request = self._queues[name].get()
            if operation is None:
                connection.access(request["token"], request["config_dir"])
                continue
            self._channel.send(self._answer(operation, connection, request))

    def _answer(self, operation, connection, request):
        step = Step()
        try:
            with Listening() as heard:
                try:
                    return {"id": request["id"], "ok": operation.run(connection, request, step, heard)}
                except BaseException as error:  # SystemExit too: the SDK is a command line tool at heart
                    answer = {"id": request["id"], "error": describe(error, step.stage, heard.text())}
                    raise
        except Refused:
            return answer
        except BaseException:
            connection.drop()
            # After listening: a trace is for the log, not for whoever looks for the SDK's own words.
            traceback.print_exc(file=sys.stderr)
            return answer


class Step:
    """How far an operation has come; see trouble.describe."""

    def __init__(self):
        self.stage = "open"
