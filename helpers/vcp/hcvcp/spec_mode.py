"""The specification's way: a host is one Unit with one VC node."""
import os
import re
import tempfile

from .connection import call
from .group import find_group, read_node, units_of, why, word
from .trouble import Refused


def create(connection, request, step, heard):
    """Asks for one Unit; does not wait for it. The same unit name twice makes one.

    request: group, unit, ip, hostname, provider, flavor, image, ssh_key (text), params_v, params_e, user_name (or None),
    parallel, siblings (pattern of unit names that stand for the same host).
    """
    sdk = connection.sdk()
    step.stage = "before"
    group = find_group(connection, request["group"], heard)
    if group is not None:
        there = group.get_unit(request["unit"])
        if there is not None:
            return {"made": False, "state": word(there)}
        _address_is_free(group, request)
        ready(group, request["parallel"])
    spec = _spec(sdk, request)
    step.stage = "sent"
    heard.begin()
    if group is None:
        group = sdk.create_ugroup(request["group"])
        connection.group_seen = True
    try:
        call(group.create_unit, request["unit"], spec, wait_for=False)
    except BaseException:
        # It may have been taken all the same: the unit's name tells.
        state = _state_of(connection, request)
        if state is None or state == "ERROR":
            raise
        return {"made": True, "state": state}
    made = group.get_unit(request["unit"]) or _fresh(connection, request)
    if made is None or word(made) == "ERROR":
        # This release logs a refusal instead of raising it.
        said = heard.text()[-1500:] + ("" if made is None else "\n" + why(made, group))
        raise RuntimeError("the unit %s:\n%s" % ("was not made" if made is None else "failed at once", said))
    return {"made": True, "state": word(made)}


def delete(connection, request, step, heard):
    """Deletes one of our units with its node, by force: a failed one has to go too. Gone already is success.

    request: group, unit, ip, parallel.
    """
    connection.sdk()
    step.stage = "before"
    group = find_group(connection, request["group"], heard)
    unit = None if group is None else group.get_unit(request["unit"])
    if unit is None or word(unit) == "DELETING":
        return {"gone": unit is None}
    ready(group, request["parallel"])
    strangers = [n for n in map(read_node, unit.find_nodes() or []) if n["address"] not in ("", request["ip"])]
    step.stage = "sent"
    heard.begin()
    try:
        if strangers:
            # Somebody added nodes to our unit: only ours goes.
            call(unit.delete_nodes, ip_address=request["ip"], wait_for=False)
        else:
            call(group.delete_units, request["unit"], wait_for=False, force=True)
    except BaseException:
        if not strangers and _state_of(connection, request) in (None, "DELETING"):
            return {"gone": False}
        raise
    return {"gone": False}


def cleanup(connection, request, step, heard):
    """The specification's deletion of everything, only when nothing in the group is foreign.

    request: group, units (all names of ours that may go), addresses, parallel.
    """
    connection.sdk()
    step.stage = "before"
    group = find_group(connection, request["group"], heard)
    if group is None or word(group) == "DELETING":
        return {"gone": group is None}
    if not hasattr(group, "find_units"):
        raise Refused("foreign", "this release cannot list units, so nobody knows whether all are ours")
    names = {str(unit.name) for unit in units_of(group)}
    foreign = sorted(names - set(request["units"]))
    addresses = {node["address"] for node in map(read_node, group.find_nodes() or [])} - {""}
    foreign += sorted(addresses - set(request["addresses"]))
    if foreign:
        raise Refused("foreign", "not ours: %s" % ", ".join(foreign))
    ready(group, request["parallel"])
    step.stage = "sent"
    heard.begin()
    call(group.cleanup, wait_for=False)
    return {"gone": False}


def ready(group, parallel):
    """A group on its way out takes nothing; with VCP_PARALLEL=no one that is being changed does not either."""
    state = word(group)
    if state == "DELETING" or (state == "APPLYING" and not parallel):
        raise Refused("busy", "the Unit Group is %s" % state)


def _address_is_free(group, request):
    siblings = re.compile(request["siblings"])
    for unit in units_of(group, request.get("known", ())):
        if siblings.match(str(unit.name)):
            raise Refused("ip-in-use", "unit %s already stands for %s" % (unit.name, request["hostname"]))
    for node in map(read_node, group.find_nodes() or []):
        if node["address"] == request["ip"]:
            raise Refused("ip-in-use", "a node of the Unit Group already has %s" % request["ip"])


def base_spec(sdk, request):
    """The flavor's specification; made from the local files alone."""
    try:
        spec = sdk.get_spec(request["provider"], request["flavor"])
    except Exception as error:
        raise Refused(
            "config",
            "vcp_flavor.yml or vcp_config.yml has no usable entry for PROVIDER_NAME %s and FLAVOR_NAME %s: %s: %s"
            % (request["provider"], request["flavor"], type(error).__name__, error),
        )
    if spec is None:
        raise Refused("config", "vcp_flavor.yml has no flavor %s under %s" % (request["flavor"], request["provider"]))
    return spec


def _spec(sdk, request):
    spec = base_spec(sdk, request)
    spec.image = request["image"]
    spec.num_nodes = 1
    spec.hostname = request["hostname"]
    spec.ip_addresses = [request["ip"]]
    spec.params_v = list(request["params_v"])
    if request.get("user_name"):
        spec.user_name = request["user_name"]
    _public_key(spec, request["ssh_key"])
    if request["params_e"]:
        # A live list in all releases, to which the key was just added.
        spec.params_e.extend(request["params_e"])
    return spec


def _public_key(spec, text):
    """The SDK takes a path; it reads the file at once."""
    handle, path = tempfile.mkstemp(prefix="hybrid-cloud-", suffix=".pub")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text.rstrip("\n") + "\n")
        spec.set_ssh_pubkey(path)
    finally:
        os.unlink(path)


def _fresh(connection, request):
    """The unit through a new SDK object; the old one may remember what was before."""
    connection.drop()
    group = connection.sdk().get_ugroup(request["group"])
    return None if group is None else group.get_unit(request["unit"])


def _state_of(connection, request):
    """The unit's state, None when it is proven that there is none; raises the first error when nobody can tell."""
    unit = _fresh(connection, request)
    if unit is None:
        return None
    reason = why(unit)
    if reason:
        print("unit %s: %s" % (request["unit"], reason))
    return word(unit)
