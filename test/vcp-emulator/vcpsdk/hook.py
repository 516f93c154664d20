"""python -m vcpsdk.hook start|stop NODE-ID COMMAND ABOUT: runs the test's command for a node and notes how it ended."""
import json
import subprocess
import sys
import time

from vcpsdk import controller


def main(what, node_id, command, about):
    about = json.loads(about)
    time.sleep(about.get("boot" if what == "start" else "delete", 0))
    ended = subprocess.run(json.loads(command), input=json.dumps(about).encode()).returncode
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
    main(*sys.argv[1:])
