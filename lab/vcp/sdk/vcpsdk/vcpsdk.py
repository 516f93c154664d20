"""`from vcpsdk.vcpsdk import VcpSDK`, as documented for release 22.10."""
import uuid

from . import controller
from .behave import VcpException, emulated, refuse
from .config import load_config
from .spec import VcpSpecResource
from .unitgroup import VcpUnitGroupClass, hide_missing


class VcpConfigYaml:
    def __init__(self, config_dir):
        self.config_dir = config_dir

    def load_config(self, name):
        return load_config(self.config_dir, name)


class VcpSDK:
    def __init__(self, vcc_access_token="", config_dir="", verbose=0):
        self.config_dir = config_dir
        self.verbose = verbose
        self._token = vcc_access_token
        self._config = load_config(config_dir, "vcp_config")
        self._flavors = load_config(config_dir, "vcp_flavor")
        self._host = str((self._config.get("vcc") or {}).get("host", ""))
        self._wait = int((self._config.get("vcc") or {}).get("wait_timeout_sec", 1000))
        self._enter()
        hide_missing(self)

    @emulated
    def _enter(self):
        self._token_is_good()

    def _token_is_good(self):
        rules = controller.behaviour()
        if rules["controller"] and self._host != rules["controller"]:
            raise ConnectionError(controller.USUAL["down"].replace("10.0.0.1", self._host))
        if rules["token"] is not None and self._token != rules["token"]:
            raise VcpException(controller.USUAL["auth"])

    @emulated
    def version(self):
        print("vcplib:\n  filename: vcplib\n  version: 22.10.0\nvcpsdk:\n  version: 22.10.0")

    @emulated
    def authority(self):
        self._token_is_good()
        return {"role": "fullaccess", "user_name": "nobody", "user_role": "regular"}

    @emulated
    def vcc_info(self):
        return {"host": "%s:443" % self._host, "vault_url": "https://%s:8443" % self._host}

    @emulated
    def get_publickey(self):
        return "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC emulated"

    @emulated
    def get_spec(self, provider_name, flavor):
        """Local only. What an unknown name does is not documented: KeyError assumed."""
        return VcpSpecResource(
            provider_name, self._flavors[provider_name][flavor], self._config.get("spec_options") or {}
        )

    @emulated
    def get_vpn_catalog(self, provider=None, vpn_catalog_name="default"):
        network = controller.behaviour()["network"]
        return {"private_network_ipmask": network} if network else {}

    @emulated
    def create_ugroup(self, ugroup_name, ugroup_type="compute", privileged=False):
        self._token_is_good()
        if ugroup_type not in ("compute", "storage"):
            raise VcpException("ugroup_type must be compute or storage")
        with controller.locked() as data:
            if ugroup_name in data["groups"]:
                return refuse("create vc failed: http_status(409)\n%s exists" % ugroup_name)
            number = data["next"]
            data["next"] += 1
            data["groups"][ugroup_name] = {
                "vcno": number, "vcid": uuid.uuid4().hex, "type": ugroup_type, "units": {}, "ending": False,
            }
        return VcpUnitGroupClass(self, ugroup_name)

    @emulated
    def get_ugroup(self, ugroup_name, privileged=False):
        """None when absent."""
        self._token_is_good()
        with controller.locked() as data:
            if ugroup_name not in data["groups"]:
                return None
        return VcpUnitGroupClass(self, ugroup_name)

    @emulated
    def find_ugroups(self, ugroup_name="", vcid="", vcno="", state=None, ugroup_type="", privileged=False):
        with controller.locked() as data:
            return [VcpUnitGroupClass(self, name) for name in data["groups"] if ugroup_name in ("", name)]
