"""The attribute bag that get_spec makes."""
import base64

DEFAULTS = {
    "num_nodes": 1,
    "image": "vcp/base:1.8.1-alpine3.13-x86_64",
    "cloud_image": "default",
    "hostname": None,
    "dns": [],
    "dns_search": "",
    "dns_opt": [],
    "gpus": None,
    "user_name": None,
}


class VcpSpecResource:
    def __init__(self, provider, flavor, options):
        self.provider = provider
        for name, value in {**DEFAULTS, **flavor}.items():
            setattr(self, name, value)
        self.params_v, self.params_e, self.ip_addresses, self.disks, self.tags = [], [], [], [], {}
        self.add_host = list(options.get("add_host") or [])
        for name in ("dns", "dns_search", "hostname", "gpus"):
            if options.get(name):
                setattr(self, name, options[name])

    def set_ssh_pubkey(self, path):
        with open(path, "rb") as file:
            self.params_e.append("AUTHORIZED_KEYS=" + base64.b64encode(file.read()).decode())

    def set_tag(self, key, value):
        self.tags[key] = value
