"""python -m vcpsdk.hook start|stop NODE-ID: runs the command for a node and notes how it ended."""
import json
import subprocess
import sys
import time

from vcpsdk import controller


def run(what, node_id):
    """What is known about the node goes in over standard input: it holds the node's keys."""
    with controller.locked() as data:
        about = next((node["about"] for node in controller.all_nodes(data) if node["id"] == node_id), None)
    command = controller.behaviour()["node_%s" % what]
    if about is None or not command:
        return
    time.sleep(about.get("boot" if what == "start" else "delete", 0))
    ended = subprocess.run(command, input=json.dumps(about).encode()).returncode
    with controller.locked() as data:
        for node in controller.all_nodes(data):
            if node["id"] != node_id:
                continue
            if what == "stop":
                node["hook"] = "stopped"
            elif node["hook"] == "starting":
                node["hook"] = "done"
                if ended != 0:
                    node["turns"] = "CONTAINER_ERROR"


if __name__ == "__main__":
    run(*sys.argv[1:])
