"""Reading a Unit Group: its units, their nodes, and why they failed."""
import re

from .trouble import Refused

# A release that swallows an error of the controller logs it and returns nothing.
SWALLOWED = re.compile(r"http_status\(\d+\)|\w+Exception\b|Traceback|timed out|onnection (refused|reset|aborted)", re.I)


def read_group(connection, name, known, heard):
    """{"group": {name, state} or None, "units": [...]}: everything in it, complete or an exception.

    known: unit names that may exist; asked one by one where the release has no find_units.
    """
    group = find_group(connection, name, heard)
    if group is None:
        return {"group": None, "units": []}
    units = [read for read in (_read_if_there(unit, group) for unit in units_of(group, known)) if read is not None]
    named = {node["id"] for unit in units for node in unit["nodes"]}
    if not hasattr(group, "find_units"):
        rest = [node for node in map(read_node, group.find_nodes() or []) if node["id"] not in named]
        if rest:
            units.append({"name": "", "state": "", "nodes": rest, "why": ""})
    if not units or any(not unit["nodes"] for unit in units):
        _believe_nothing_swallowed(heard)
    return {"group": {"name": name, "state": word(group)}, "units": units}


def find_group(connection, name, heard):
    """The group, or None when that is proven: a controller that cannot answer must not look like an empty one."""
    group = connection.sdk().get_ugroup(name)
    if group is None and connection.group_seen:
        # A new SDK object asks the controller and shows it the token; then the answer is believed.
        connection.drop()
        group = connection.sdk().get_ugroup(name)
    if group is None:
        _believe_nothing_swallowed(heard)
    connection.group_seen = group is not None
    return group


def units_of(group, known=()):
    """All units; without find_units those of the known names that exist."""
    find_units = getattr(group, "find_units", None)
    if find_units is not None:
        return list(find_units() or [])
    return [unit for unit in (group.get_unit(name) for name in known) if unit is not None]


def _read_if_there(unit, group):
    """None when the unit went away while we read; any other failure makes the whole reading fail."""
    try:
        return read_unit(unit, group)
    except Exception:
        if group.get_unit(str(unit.name)) is None:
            return None
        raise


def read_unit(unit, group):
    state = word(unit)
    return {
        "name": str(unit.name),
        "state": state,
        "nodes": [read_node(node) for node in unit.find_nodes() or []],
        "why": why(unit, group) if state == "ERROR" else "",
    }


def read_node(node):
    """Attribute names of VcNode are not specified: read what is there."""
    number = getattr(node, "no", None)
    return {
        "id": str(getattr(node, "id", None) or getattr(node, "node_id", None) or ""),
        "no": number if number is not None else getattr(node, "node_no", None),
        "state": word(node),
        "address": str(getattr(node, "cloud_instance_address", None) or ""),
        "instance": str(getattr(node, "cloud_instance_id", None) or ""),
    }


def word(thing):
    state = getattr(thing, "state", None)
    return str(getattr(state, "name", state) or "")


def why(*things):
    """The last lines of what the SDK prints of a failed unit or group: Terraform's own words."""
    for thing in things:
        try:
            text = str(thing)
        except Exception:
            continue
        if "HAS ERROR" in text:
            lines = [line.strip() for line in text.split("HAS ERROR", 1)[1].splitlines()]
            return " ".join(line for line in lines if line.strip(":-* "))[-1000:]
    return ""


def _believe_nothing_swallowed(heard):
    text = heard.text()
    if SWALLOWED.search(text):
        raise RuntimeError("the controller did not answer fully: %s" % " ".join(text.split())[-600:])


def must_exist(thing, what):
    if thing is None:
        raise Refused("config", "%s does not exist" % what)
    return thing
