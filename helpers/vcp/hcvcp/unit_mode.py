"""The second generation's way: a host is one node of a Unit that somebody made before."""
from .connection import call
from .group import find_group, must_exist, read_node
from .spec_mode import ready
from .trouble import Refused


def add(connection, request, step, heard):
    """Adds one node with this address to the unit. An address that is in the unit already is success.

    request: group, unit, ip, parallel, owned (ids of nodes without address whose owner is known).
    """
    connection.sdk()
    step.stage = "before"
    group = must_exist(find_group(connection, request["group"], heard), "Unit Group %s" % request["group"])
    unit = must_exist(group.get_unit(request["unit"]), "unit %s of %s" % (request["unit"], request["group"]))
    before = [read_node(node) for node in unit.find_nodes() or []]
    for node in before:
        if node["address"] == request["ip"]:
            return {"made": False, "state": node["state"], "node": node["id"]}
    here = {node["id"] for node in before}
    for node in map(read_node, group.find_nodes() or []):
        if node["address"] == request["ip"] and node["id"] not in here:
            raise Refused("ip-in-use", "a node of another unit of the group already has %s" % request["ip"])
    for node in before:
        # It has no address yet: it may be the very node we are about to ask for a second time.
        if node["address"] == "" and node["id"] not in request["owned"] and not node["state"].endswith("ERROR"):
            raise Refused("busy", "a node of unit %s has no address yet" % request["unit"])
    ready(group, request["parallel"])
    step.stage = "sent"
    heard.begin()
    try:
        call(unit.add_nodes, num_add_nodes=1, ip_addresses=[request["ip"]], wait_for=False)
    except BaseException:
        new = _new(connection, request, here)
        if new is None or new["state"].endswith("ERROR"):
            raise
        return {"made": True, "state": new["state"], "node": new["id"]}
    new = _new(connection, request, here)
    if new is None:
        raise RuntimeError("no new node after add_nodes:\n%s" % heard.text()[-1500:])
    return {"made": True, "state": new["state"], "node": new["id"]}


def delete(connection, request, step, heard):
    """Deletes the node with this address, or, while it has none, the node with this id. Gone already is success.

    request: group, unit, ip, node (its id, or empty), parallel.
    """
    connection.sdk()
    step.stage = "before"
    group = find_group(connection, request["group"], heard)
    unit = None if group is None else group.get_unit(request["unit"])
    nodes = [] if unit is None else [read_node(node) for node in unit.find_nodes() or []]
    ours = [node for node in nodes if node["address"] == request["ip"]]
    nameless = [n for n in nodes if n["address"] == "" and request["node"] and n["id"] == request["node"]]
    if not ours and not nameless:
        return {"gone": True}
    if (ours or nameless)[0]["state"] == "DELETING":
        return {"gone": False}
    ready(group, request["parallel"])
    step.stage = "sent"
    heard.begin()
    # One search condition, one node: without a condition the SDK would pick a node itself.
    if ours:
        call(unit.delete_nodes, ip_address=request["ip"], wait_for=False)
    else:
        unit.delete_nodes(node_no=nameless[0]["no"], wait_for=False)
    return {"gone": False}


def _new(connection, request, before):
    """The node that was not there before, through a new SDK object; None when it is proven that there is none."""
    connection.drop()
    group = connection.sdk().get_ugroup(request["group"])
    unit = None if group is None else group.get_unit(request["unit"])
    for node in [] if unit is None else map(read_node, unit.find_nodes() or []):
        if node["address"] == request["ip"] or (node["address"] == "" and node["id"] not in before):
            return node
    return None
