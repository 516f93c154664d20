"""The operations. Each is run(connection, request, step, heard) -> dict, in the lane that is named beside it."""
from collections import namedtuple

from . import spec_mode, unit_mode
from .connection import call
from .group import read_group

Operation = namedtuple("Operation", "lane run")


def _open(connection, request, step, heard):
    connection.access(request["token"], request["config_dir"])
    connection.sdk()
    return {}


def _check(connection, request, step, heard):
    """Is everything there for the first create? What not every release tells is None."""
    sdk = connection.sdk()
    step.stage = "before"
    answer = {"user": None, "network": None, "spec": None}
    if hasattr(sdk, "authority"):
        authority = sdk.authority()
        answer["user"] = authority.get("user_name") if isinstance(authority, dict) else None
    if request.get("provider"):
        answer["spec"] = type(spec_mode.base_spec(sdk, request)).__name__
        answer["network"] = _network(sdk, request["provider"])
    return answer


def _network(sdk, provider):
    """private_network_ipmask of the provider's VPN catalog; its shape differs between releases."""
    try:
        catalog = call(sdk.get_vpn_catalog, provider)
    except Exception:  # not needed: the controller refuses a wrong address too
        return None
    if not isinstance(catalog, dict):
        return None
    inner = catalog.get("default") if isinstance(catalog.get("default"), dict) else catalog
    return inner.get("private_network_ipmask")


def _list(connection, request, step, heard):
    step.stage = "open"
    connection.sdk()
    step.stage = "before"
    return read_group(connection, request["group"], request.get("known", ()), heard)


OPERATIONS = {
    "open": Operation("read", _open),
    "check": Operation("read", _check),
    "list": Operation("read", _list),
    "create_unit": Operation("change", spec_mode.create),
    "delete_unit": Operation("change", spec_mode.delete),
    "cleanup": Operation("change", spec_mode.cleanup),
    "add_node": Operation("change", unit_mode.add),
    "delete_node": Operation("change", unit_mode.delete),
}
