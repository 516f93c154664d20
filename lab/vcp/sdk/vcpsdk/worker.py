"""python -m vcpsdk.worker: the controller's own work, with `"worker": true` in behaviour.json.

Clients in a container cannot start a node on the machine around them. They only note what is to be done, and this
process, beside them, does it: node_start and node_stop, each once for each node.
"""
import threading
import time

from . import controller, hook

PAUSE = 0.2
WORK = {"starting": "start", "stopping": "stop"}


def main():
    begun = []
    while True:
        with controller.locked() as data:
            wanted = [(WORK[node["hook"]], node["id"]) for node in controller.all_nodes(data) if node["hook"] in WORK]
        for work in wanted:
            if work in begun:
                continue
            threading.Thread(target=hook.run, args=work, daemon=True).start()
        # What is no longer wanted is done, or its node is gone.
        begun = wanted
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
