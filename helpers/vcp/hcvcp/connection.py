"""One SDK object. It is not known to bear several threads, so each lane has one of its own."""
import importlib
import inspect
import os
import shutil
import sys
import threading

from .trouble import Refused

# Where the images of both generations keep the SDK, should PYTHONPATH not say it.
PLACES = ("/opt/vcpsdk", "/app/vcpsdk", "/app")
FILES = ("vcp_config.yml", "vcp_flavor.yml")
_loading = threading.Lock()


class Connection:
    def __init__(self):
        self._sdk = None
        self._access = None
        # The group was seen, or we made it: from then on its absence must be proven.
        self.group_seen = False

    def access(self, token, config_dir):
        """From now on with this token; the old SDK object is forgotten."""
        self._access = (token, config_dir)
        self._sdk = None

    def sdk(self):
        if self._sdk is None:
            if self._access is None:
                raise Refused("config", "no access token was given yet")
            self._sdk = _connect(*self._access)
        return self._sdk

    def drop(self):
        """After an error nobody knows what the object remembers: the next call makes a new one."""
        self._sdk = None


def call(function, *values, **wanted):
    """Calls with those keyword arguments that this release of the SDK has."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return function(*values, **wanted)
    if not any(one.kind == one.VAR_KEYWORD for one in known.values()):
        wanted = {name: value for name, value in wanted.items() if name in known}
    return function(*values, **wanted)


def _connect(token, config_dir):
    for name in FILES:
        path = os.path.join(config_dir, name)
        if not os.path.isfile(path):
            raise Refused("config", "%s is not there: it belongs beside the env file" % path)
    kind = _load()
    # The first releases have no config_dir and read the folder of their own package.
    if "config_dir" not in inspect.signature(kind).parameters and not _any_keyword(kind):
        own = os.path.join(os.path.dirname(os.path.abspath(sys.modules[kind.__module__].__file__)), "config")
        if os.path.realpath(own) != os.path.realpath(config_dir):
            try:
                os.makedirs(own, exist_ok=True)
                for name in FILES:
                    shutil.copyfile(os.path.join(config_dir, name), os.path.join(own, name))
            except OSError as error:
                raise Refused("config", "this SDK reads %s, which cannot be written: %s" % (own, error))
        return kind(token)
    return kind(token, config_dir=config_dir)


def _any_keyword(kind):
    return any(one.kind == one.VAR_KEYWORD for one in inspect.signature(kind).parameters.values())


def _load():
    with _loading:
        try:
            module = importlib.import_module("vcpsdk.vcpsdk")
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("vcpsdk"):
                raise
            sys.path.extend(place for place in PLACES if place not in sys.path)
            importlib.invalidate_caches()
            sys.modules.pop("vcpsdk", None)
            module = importlib.import_module("vcpsdk.vcpsdk")
        try:
            importlib.import_module("common.logsetting")
        except Exception:  # its log is welcome, not needed; newer releases may not have it
            pass
        return module.VcpSDK
