"""The emulated VC controller: a folder that every process shares.

state.json      groups, units, nodes; changed under a lock, so that it survives every process
behaviour.json  what goes wrong and how long things take; read at every call, see BEHAVIOUR
calls.jsonl     one line per call, for tests to count
"""
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
import uuid

BEHAVIOUR = {
    "token": "emulated-token",  # the one that is accepted; null: any
    "controller": "10.0.0.1",  # vcc.host that answers; null: any
    "boot": 0,  # seconds from create to RUNNING, or {address: seconds}
    "delete": 0,  # seconds from delete to gone
    "held": False,  # while true no boot and no deletion comes to its end, so that a test can look in between
    "poll": 5,  # seconds between two looks of a waiting call
    "serial": False,  # refuses a change while the group is APPLYING
    "late_address": False,  # a BOOTING node has no address
    "logs_only": False,  # a refusal is logged and None returned, instead of raised
    "noise": True,  # prints to standard output, from Python, from C and from a child process
    "network": None,  # an address outside it is refused, e.g. 10.77.0.0/24
    "occupied": [],  # addresses somebody else holds
    "refuse": {},  # address: text with which its create is refused
    "boot_fails": {},  # address: [node state, Terraform's text]; the unit turns ERROR when it should run
    "fail": {},  # name of a method: text it fails with. auth, vault, throttled, down stand for usual ones
    "hang": [],  # names of methods that never return
    "lose": [],  # names of methods after whose work the process dies, once each
    "break_off": [],  # names of methods after whose work the connection breaks, once each
    "without": [],  # names of methods this release does not have
    "no_nodes_gone": False,  # a unit disappears with its last node (not known of the real one)
    "node_start": None,  # command run for each node, JSON about it on its standard input; RUNNING when it ends with 0
    "node_stop": None,  # command run before a node is gone
}
USUAL = {
    "auth": "config vc failed: http_status(403)\n2026/11/23 00:00:00 UTC: VCPAuthException: 7f3a:token lookup is failed: permission denied",
    "vault": "add unit failed: http_status(403)\nNoneType\n2026/11/23 00:00:00 UTC: VCPVaultReadException: 7f3a:cubbyhole/aws/access_key vault read is failed:",
    "throttled": "get vc failed: http_status(429)",
    "down": "HTTPSConnectionPool(host='10.0.0.1', port=443): Max retries exceeded with url: /v1/vc (Caused by NewConnectionError: [Errno 111] Connection refused)",
}


def folder():
    return os.environ.get("VCP_EMULATOR_DIR") or sys.exit("VCP_EMULATOR_DIR is not set")


def behaviour():
    with contextlib.suppress(FileNotFoundError):
        with open(os.path.join(folder(), "behaviour.json")) as file:
            return dict(BEHAVIOUR, **json.load(file))
    return dict(BEHAVIOUR)


@contextlib.contextmanager
def locked():
    """The state, brought to this moment; what the caller changes is kept when it leaves without an exception."""
    os.makedirs(folder(), exist_ok=True)
    path = os.path.join(folder(), "state.json")
    with open(os.path.join(folder(), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(path) as file:
                data = json.load(file)
        except FileNotFoundError:
            data = {"groups": {}, "lost": [], "next": 55}
        advance(data)
        yield data
        with open(path + ".new", "w") as file:
            json.dump(data, file, indent=1)
        os.replace(path + ".new", path)


def advance(data):
    """What the controller did since the last look."""
    now = time.time()
    rules = behaviour()
    for group_name, group in list(data["groups"].items()):
        for unit_name, unit in list(group["units"].items()):
            had = len(unit["nodes"])
            unit["nodes"] = [node for node in unit["nodes"] if rules["held"] or not gone(node, now)]
            for node in unit["nodes"]:
                if node["state"] == "BOOTING" and not rules["held"] and boots_up(node, now):
                    node["state"] = node["turns"]
            if any(node["state"].endswith("ERROR") for node in unit["nodes"]) and unit["state"] == "BOOTING":
                unit["state"] = "ERROR"
            if unit["state"] == "BOOTING" and all(node["state"] != "BOOTING" for node in unit["nodes"]):
                unit["state"] = "RUNNING"
            empty = had > 0 and not unit["nodes"]
            if (unit["state"] == "DELETING" and not unit["nodes"]) or (empty and rules["no_nodes_gone"]):
                del group["units"][unit_name]
        if group["ending"] and not group["units"]:
            del data["groups"][group_name]


def boots_up(node, now):
    return node["hook"] == "done" if node["hook"] else now >= node["runs_at"]


def gone(node, now):
    if node["state"] != "DELETING":
        return False
    return node["hook"] == "stopped" if node["hook"] else now >= node["gone_at"]


def group_state(group):
    states = [unit["state"] for unit in group["units"].values()]
    nodes = [node["state"] for unit in group["units"].values() for node in unit["nodes"]]
    if group["ending"]:
        return "DELETING"
    if "BOOTING" in states + nodes or "DELETING" in states + nodes:
        return "APPLYING"
    return "ERROR" if "ERROR" in states else "RUNNING"


def all_nodes(data):
    return [n for g in data["groups"].values() for u in g["units"].values() for n in u["nodes"]]


def new_node(data, group, unit_name, unit, address, rules):
    """A node of this unit, BOOTING; refused when its address cannot be had."""
    if address:
        if address in rules["refuse"]:
            return rules["refuse"][address]
        if address in rules["occupied"] or any(node["ip"] == address for node in all_nodes(data)):
            return "PrivateIPAddressInUse: InvalidIPAddress.InUse: Address %s is in use." % address
        if rules["network"] and not inside(address, rules["network"]):
            return "InvalidParameterValue: Address %s does not fall within the subnet's address range" % address
    boot = rules["boot"]
    seconds = boot.get(address, 0) if isinstance(boot, dict) else boot
    turns, text = rules["boot_fails"].get(address, ["RUNNING", ""])
    numbers = [node["no"] for node in unit["nodes"]]
    unit["last_no"] = max([unit.get("last_no", 0)] + numbers) + 1
    node = {
        "no": unit["last_no"],
        "id": uuid.uuid4().hex,
        "ip": address or "10.77.0.%d" % (200 + len(all_nodes(data))),
        "instance": "i-%s" % uuid.uuid4().hex[:17],
        "state": "BOOTING",
        "turns": turns,
        "runs_at": time.time() + seconds,
        "gone_at": 0,
        "hook": "",
    }
    if text:
        unit["error"] = text
    if rules["node_start"] and turns == "RUNNING":
        node["hook"] = "starting"
        about = dict(unit["spec"], group=group, unit=unit_name, ip=node["ip"], node=node["id"], boot=seconds)
        hook("start", node["id"], rules["node_start"], about)
    unit["nodes"].append(node)
    return None


def end_node(unit_name, unit, node, rules):
    if node["state"] == "DELETING":
        return
    node["state"] = "DELETING"
    node["gone_at"] = time.time() + rules["delete"]
    if rules["node_stop"] and node["hook"]:
        node["hook"] = "stopping"
        about = dict(unit["spec"], unit=unit_name, ip=node["ip"], node=node["id"], delete=rules["delete"])
        hook("stop", node["id"], rules["node_stop"], about)


def hook(what, node_id, command, about):
    """Runs beside every client, as the controller would: it outlives the process that asked."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(folder(), "hooks.log"), "a") as log:
        subprocess.Popen(
            [sys.executable, "-m", "vcpsdk.hook", what, node_id, json.dumps(command), json.dumps(about)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env=dict(os.environ, PYTHONPATH=home, PYTHONDONTWRITEBYTECODE="1"),
        )


def inside(address, network):
    import ipaddress

    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


def note(method, arguments):
    line = json.dumps({"at": time.time(), "pid": os.getpid(), "call": method, "with": arguments}, default=str)
    with open(os.path.join(folder(), "calls.jsonl"), "a") as file:
        file.write(line + "\n")
