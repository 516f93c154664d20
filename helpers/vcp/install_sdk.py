"""install_sdk.py FOLDER VERSION [SOURCE]: unpacks an archive of the VCP SDK so that FOLDER can be PYTHONPATH.

Archives differ: releases for Jupyter keep the packages below other folders, a source archive has one folder around
all. So the package is looked for, and all that stands beside it comes along. No program but Python is needed.
"""
import io
import os
import shutil
import sys
import tarfile
import tempfile
import urllib.request

RELEASES = "https://s3-ap-northeast-1.amazonaws.com/vcp-jupyternotebook/{0}/jupyternotebook_vcpsdk-{0}.tgz"


def main(folder, version, source=""):
    archive = read(source or RELEASES.format(version))
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                inside(unpacked, os.path.join(unpacked, member.name))
                if member.issym() or member.islnk():
                    inside(unpacked, os.path.join(unpacked, os.path.dirname(member.name), member.linkname))
            tar.extractall(unpacked)
        home = find(unpacked)
        os.makedirs(folder, exist_ok=True)
        for name in sorted(os.listdir(home)):
            source_path = os.path.join(home, name)
            if os.path.isdir(source_path):
                shutil.copytree(source_path, os.path.join(folder, name))
            else:
                shutil.copy(source_path, folder)
    print("VCP SDK %s: %s" % (version, " ".join(sorted(os.listdir(folder)))))


def read(source):
    if "://" in source:
        with urllib.request.urlopen(source, timeout=120) as answer:
            return answer.read()
    for path in (source, os.path.join(os.path.dirname(os.path.abspath(__file__)), source)):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return file.read()
    sys.exit("%s is neither a URL nor a file of the folder sdk/" % source)


def inside(folder, path):
    if not (os.path.realpath(path) + os.sep).startswith(os.path.realpath(folder) + os.sep):
        sys.exit("the archive holds a path outside itself: %s" % path)


def find(folder):
    """The folder whose `vcpsdk` is the package."""
    found = []
    for parent, _, files in os.walk(folder):
        if os.path.basename(parent) == "vcpsdk" and "vcpsdk.py" in files:
            found.append(os.path.dirname(parent))
    if not found:
        sys.exit("no package vcpsdk in the archive")
    return min(found, key=len)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
