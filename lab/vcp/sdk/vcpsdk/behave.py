"""What every emulated method has in common: noise, refusals, hanging, dying after the work was done."""
import functools
import logging
import os
import subprocess
import sys
import time

from . import controller

logger = logging.getLogger("vcpsdk")


class VcpException(Exception):
    """The class of the real one is not documented."""


def emulated(method):
    """Wraps a method of the API: notes the call and behaves as behaviour.json says."""
    name = method.__name__

    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        rules = controller.behaviour()
        controller.note(name, {"args": [str(a) for a in args], **{k: str(v) for k, v in kwargs.items()}})
        if rules["noise"]:
            make_noise(name)
        while name in controller.behaviour()["hang"]:
            time.sleep(0.05)
        text = rules["fail"].get(name) or rules["fail"].get("*")
        if text:
            return refuse(controller.USUAL.get(text, text), rules)
        answer = method(self, *args, **kwargs)
        if once("lose", name, rules):
            os._exit(9)
        if once("break_off", name, rules):
            raise ConnectionError("('Connection aborted.', RemoteDisconnected('Remote end closed connection'))")
        return answer

    return wrapped


def refuse(text, rules=None):
    """As the controller's refusals come: raised, or only logged."""
    if (rules or controller.behaviour())["logs_only"]:
        for line in text.splitlines():
            logger.error(line)
        return None
    raise VcpException(text)


def once(what, name, rules):
    if name not in rules[what]:
        return False
    with controller.locked() as data:
        mark = "%s %s" % (what, name)
        if mark in data["lost"]:
            return False
        data["lost"].append(mark)
    return True


def make_noise(name):
    print("*** %s ***" % name)
    print('{"id": 1, "ok": {"group": null, "units": []}}')
    sys.stdout.flush()
    os.write(1, b"noise below Python\n")
    subprocess.run(["echo", "noise of a child"], check=False)
    logger.info("%s ... 0 sec", name)
