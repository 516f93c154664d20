"""VcpUnitGroupClass, VcpUnitClass and VcNode."""
import logging
import time

from . import controller
from .behave import VcpException, emulated, refuse

logger = logging.getLogger("vcpsdk")


def hide_missing(thing):
    """Methods the emulated release does not have."""
    for name in controller.behaviour()["without"]:
        if hasattr(type(thing), name):
            delattr(type(thing), name)


class VcNode:
    def __init__(self, record, late_address):
        self.no = record["no"]
        self.id = record["id"]
        self.state = record["state"]
        hidden = late_address and record["state"] == "BOOTING"
        self.cloud_instance_address = "" if hidden else record["ip"]
        self.cloud_instance_id = record["instance"]

    def __str__(self):
        return "[VcNode]\n+ no(%s) state[%s] id[%s] cloud_instance_address[%s] cloud_instance_id[%s]" % (
            self.no, self.state, self.id, self.cloud_instance_address, self.cloud_instance_id,
        )


def nodes_of(records, **wanted):
    late = controller.behaviour()["late_address"]
    nodes = sorted((VcNode(record, late) for record in records), key=lambda node: node.no)
    addresses = set(wanted.get("ip_addresses") or [])
    if wanted.get("ip_address"):
        addresses.add(wanted["ip_address"])
    tests = [
        lambda n: not wanted.get("node_id") or n.id == wanted["node_id"],
        lambda n: not wanted.get("node_state") or n.state == wanted["node_state"],
        lambda n: wanted.get("node_no") in ("", None) or n.no == int(wanted["node_no"]),
        lambda n: not addresses or n.cloud_instance_address in addresses,
        lambda n: not wanted.get("cloud_instance_id") or n.cloud_instance_id == wanted["cloud_instance_id"],
    ]
    found = [node for node in nodes if all(test(node) for test in tests)]
    return list(map(wanted["mapper"], found)) if wanted.get("mapper") else found


class VcpUnitGroupClass:
    def __init__(self, sdk, name):
        self._sdk = sdk
        self.name = name
        self.owner = "nobody"
        hide_missing(self)

    def _record(self, data):
        record = data["groups"].get(self.name)
        if record is None:
            raise VcpException("vc %s is not found: http_status(404)" % self.name)
        return record

    @property
    def state(self):
        with controller.locked() as data:
            return controller.group_state(self._record(data))

    def __str__(self):
        with controller.locked() as data:
            r = self._record(data)
            state = controller.group_state(r)
        return "[Vc]\n+ type[%s] name[%s] owner(%s) vcno(%s) state[%s] vcid[%s]" % (
            r["type"], self.name, self.owner, r["vcno"], state, r["vcid"],
        )

    @emulated
    def create_unit(self, unit_name, spec, wait_for=True, privileged=False, verbose=-1):
        self._sdk._token_is_good()
        rules = controller.behaviour()
        with controller.locked() as data:
            group = self._record(data)
            busy = self._busy(group, rules)
            if busy:
                return refuse(busy, rules)
            if unit_name in group["units"]:
                return refuse("add unit failed: http_status(409)\nunit %s exists" % unit_name, rules)
            unit = {"state": "BOOTING", "nodes": [], "error": "", "spec": spec_record(spec)}
            for address in list(spec.ip_addresses) or [None] * spec.num_nodes:
                text = controller.new_node(data, self.name, unit_name, unit, address, rules)
                if text:
                    return refuse("add unit failed: http_status(400)\n" + text, rules)
            group["units"][unit_name] = unit
        made = VcpUnitClass(self, unit_name)
        if wait_for:
            self.wait_unit_applied(unit_name)
        return made

    def _busy(self, group, rules):
        state = controller.group_state(group)
        if state == "DELETING" or (rules["serial"] and state == "APPLYING"):
            return "add unit failed: http_status(409)\nVc state is %s" % state
        return None

    @emulated
    def wait_unit_applied(self, unit_name):
        """Blocks until RUNNING or ERROR; at wait_timeout_sec it raises and the creation goes on (assumed)."""
        end = time.time() + self._sdk._wait
        while True:
            with controller.locked() as data:
                unit = self._record(data)["units"].get(unit_name)
                state = unit["state"] if unit else "ERROR"
            if state != "BOOTING":
                break
            if time.time() >= end:
                raise TimeoutError("wait_for unit %s timeout" % unit_name)
            time.sleep(min(controller.behaviour()["poll"], max(0.01, end - time.time())))
            logger.info("BOOTING ... %d sec", self._sdk._wait - (end - time.time()))
        logger.info("unit %s is %s", unit_name, state)
        if state == "ERROR" and unit:
            logger.error("%s\n%s", self, VcpUnitClass(self, unit_name))

    @emulated
    def get_unit(self, unit_name, privileged=False):
        """None when absent."""
        self._sdk._token_is_good()
        with controller.locked() as data:
            if unit_name not in self._record(data)["units"]:
                return None
        return VcpUnitClass(self, unit_name)

    @emulated
    def find_units(self, unit_name="", privileged=False):
        self._sdk._token_is_good()
        with controller.locked() as data:
            return [VcpUnitClass(self, name) for name in self._record(data)["units"] if unit_name in ("", name)]

    @emulated
    def find_nodes(self, unit_name="", node_id="", node_state="", node_no="", ip_addresses=[], ip_address=None,
                   cloud_instance_id=None, mapper=None, privileged=False):
        with controller.locked() as data:
            units = self._record(data)["units"]
            records = [n for name, unit in units.items() if unit_name in ("", name) for n in unit["nodes"]]
        return nodes_of(records, node_id=node_id, node_state=node_state, node_no=node_no, ip_addresses=ip_addresses,
                        ip_address=ip_address, cloud_instance_id=cloud_instance_id, mapper=mapper)

    @emulated
    def find_ip_addresses(self, node_state=""):
        return [node.cloud_instance_address for node in self.find_nodes(node_state=node_state)]

    @emulated
    def delete_units(self, unit_name, wait_for=True, force=False, privileged=False, verbose=0):
        self._sdk._token_is_good()
        rules = controller.behaviour()
        with controller.locked() as data:
            group = self._record(data)
            if unit_name not in group["units"]:
                return refuse("delete unit failed: http_status(404)\nunit %s is not found" % unit_name, rules)
            if rules["serial"] and controller.group_state(group) == "APPLYING":
                return refuse("delete unit failed: http_status(409)\nVc state is APPLYING", rules)
            unit = group["units"][unit_name]
            if unit["nodes"] and not force:
                return refuse("unit %s has nodes" % unit_name, rules)
            self._end_unit(unit_name, unit, rules)
        if wait_for:
            self._wait_gone(lambda group: unit_name not in group["units"])
        return None

    def _end_unit(self, unit_name, unit, rules):
        unit["state"] = "DELETING"
        for node in unit["nodes"]:
            controller.end_node(unit_name, unit, node, rules)

    @emulated
    def cleanup(self, wait_for=True, privileged=False):
        """All units and nodes, and the group itself."""
        self._sdk._token_is_good()
        rules = controller.behaviour()
        with controller.locked() as data:
            group = self._record(data)
            group["ending"] = True
            for name, unit in group["units"].items():
                self._end_unit(name, unit, rules)
        if wait_for:
            self._wait_gone(lambda group: False)
        logger.info("cleanup completed. vc %s is cleanup(no unit)", self.name)
        return None

    def _wait_gone(self, test):
        end = time.time() + self._sdk._wait
        while time.time() < end:
            with controller.locked() as data:
                group = data["groups"].get(self.name)
                if group is None or test(group):
                    return
            time.sleep(controller.behaviour()["poll"])
            logger.info("%s is DELETING ... %d sec", self.name, self._sdk._wait - (end - time.time()))
        raise TimeoutError("wait_for delete timeout")


class VcpUnitClass:
    def __init__(self, ugroup, name):
        self._ugroup = ugroup
        self.name = name
        hide_missing(self)

    def _record(self, data):
        unit = self._ugroup._record(data)["units"].get(self.name)
        if unit is None:
            raise VcpException("unit %s is not found: http_status(404)" % self.name)
        return unit

    @property
    def state(self):
        with controller.locked() as data:
            return self._record(data)["state"]

    def __str__(self):
        with controller.locked() as data:
            r = self._record(data)
        text = "[VcUnit]\n+ type[compute] name[%s]  state[%s]" % (self.name, r["state"])
        if r["state"] == "ERROR":
            text += "\n*** HAS ERROR:\n---\n2026/11/23 00:00:00 UTC: %s" % r["error"]
        return text

    @emulated
    def add_nodes(self, num_add_nodes=1, ip_addresses=[], ip_address=None, mac_addresses=[], mac_address=None,
                  wait_for=True, verbose=0, privileged=False):
        """With addresses, num_add_nodes is ignored."""
        self._ugroup._sdk._token_is_good()
        rules = controller.behaviour()
        addresses = list(ip_addresses) + ([ip_address] if ip_address and ip_address not in ip_addresses else [])
        with controller.locked() as data:
            busy = self._ugroup._busy(self._ugroup._record(data), rules)
            if busy:
                return refuse(busy, rules)
            unit = self._record(data)
            before = {node["id"] for node in unit["nodes"]}
            for address in addresses or [None] * num_add_nodes:
                text = controller.new_node(data, self._ugroup.name, self.name, unit, address, rules)
                if text:
                    return refuse("add node failed: http_status(400)\n" + text, rules)
        if wait_for:
            end = time.time() + self._ugroup._sdk._wait
            while any(n.state == "BOOTING" for n in self.find_nodes()):
                if time.time() >= end:
                    raise TimeoutError("add_nodes timeout")
                time.sleep(controller.behaviour()["poll"])
        return [node for node in self.find_nodes() if node.id not in before]

    @emulated
    def delete_nodes(self, num_delete_nodes=None, node_no=None, cloud_instance_id=None, ip_addresses=None,
                     ip_address=None, wait_for=True, verbose=0, privileged=False):
        """At most one search condition; none = the SDK picks; wait_for=False deletes one node only."""
        self._ugroup._sdk._token_is_good()
        rules = controller.behaviour()
        conditions = [c for c in (node_no, cloud_instance_id, ip_addresses, ip_address) if c not in (None, "", [])]
        if len(conditions) > 1:
            raise VcpException("only one search condition is allowed")
        with controller.locked() as data:
            if rules["serial"] and controller.group_state(self._ugroup._record(data)) == "APPLYING":
                return refuse("delete node failed: http_status(409)\nVc state is APPLYING", rules)
            unit = self._record(data)
            late = rules["late_address"]
            found = nodes_of(unit["nodes"], node_no=node_no, cloud_instance_id=cloud_instance_id,
                             ip_addresses=ip_addresses, ip_address=ip_address)
            if not conditions:
                found = found[-(num_delete_nodes or 1):]
            if not wait_for and len(found) > 1:
                raise VcpException("wait_for=False deletes one node only")
            ids = {node.id for node in found}
            for record in unit["nodes"]:
                if record["id"] in ids:
                    controller.end_node(self.name, unit, record, rules)
            ended = [VcNode(record, late) for record in unit["nodes"] if record["id"] in ids]
        if wait_for:
            self._ugroup._wait_gone(lambda g: not ids & {n["id"] for n in g["units"].get(self.name, {"nodes": []})["nodes"]})
        return ended

    @emulated
    def find_nodes(self, node_id="", node_state="", node_no="", ip_addresses=[], ip_address=None,
                   cloud_instance_id=None, mapper=None, privileged=False):
        with controller.locked() as data:
            records = self._record(data)["nodes"]
        return nodes_of(records, node_id=node_id, node_state=node_state, node_no=node_no, ip_addresses=ip_addresses,
                        ip_address=ip_address, cloud_instance_id=cloud_instance_id, mapper=mapper)

    @emulated
    def find_ip_addresses(self, node_state=""):
        return [node.cloud_instance_address for node in self.find_nodes(node_state=node_state)]


def spec_record(spec):
    return {
        "provider": spec.provider, "image": spec.image, "hostname": spec.hostname, "params_v": list(spec.params_v),
        "params_e": list(spec.params_e), "add_host": list(spec.add_host), "user_name": spec.user_name,
    }
