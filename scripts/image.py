"""Writes a container image as an OCI layout, without an engine: image.py OUT --binary FILE --tag TAG ...

The image has the binary, the shared libraries that it was linked with, their loader, the certificates of the
authorities, and nothing else: no shell, no package manager. The same input gives the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tarfile

USER = 65532
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
ETC = {
    "etc/passwd": f"root:x:0:0:root:/:/none\nqanda:x:{USER}:{USER}:qanda:/data:/none\n",
    "etc/group": f"root:x:0:\nqanda:x:{USER}:\n",
    # Names are looked up in /etc/hosts first, which the engine writes.
    "etc/nsswitch.conf": "hosts: files dns\n",
}


class Layer:
    """A tar with fixed owners and times, in order of its names."""

    def __init__(self):
        self.entries = {}

    def file(self, name, source, mode=0o644):
        self.entries[name] = (tarfile.REGTYPE, pathlib.Path(source).read_bytes(), mode, 0)

    def text(self, name, text):
        self.entries[name] = (tarfile.REGTYPE, text.encode(), 0o644, 0)

    def folder(self, name, mode=0o755, owner=0):
        self.entries[name] = (tarfile.DIRTYPE, b"", mode, owner)

    def tree(self, name, source):
        for path in sorted(pathlib.Path(source).rglob("*")):
            if path.is_file():
                self.file(f"{name}/{path.relative_to(source)}", path)

    def tar(self):
        for name in list(self.entries):
            for parent in list(pathlib.PurePosixPath(name).parents)[:-1]:
                self.entries.setdefault(str(parent), (tarfile.DIRTYPE, b"", 0o755, 0))
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, (kind, data, mode, owner) in sorted(self.entries.items()):
                info = tarfile.TarInfo(name)
                info.type, info.size, info.mode, info.uid, info.gid = kind, len(data), mode, owner, owner
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()


def libraries(binary):
    """What the loader would load, and the loader itself, by the paths under which they are looked for."""
    listed = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    if "not found" in listed:
        raise SystemExit(f"error: a library of {binary} is missing:\n{listed}")
    return sorted(set(re.findall(r"(/\S+) \(0x", listed)))


def system_layer(binary):
    layer = Layer()
    for library in libraries(binary):
        layer.file(library.lstrip("/"), os.path.realpath(library), 0o755)
    for package in ("libc6", "libgcc-s1", "libstdc++6", "gcc-12-base"):
        notice = pathlib.Path(f"/usr/share/doc/{package}/copyright")
        if notice.is_file():
            layer.file(str(notice).lstrip("/"), notice)
    bundle = next((file for file in CERTIFICATES if os.path.isfile(file)), None)
    if bundle is None:
        raise SystemExit("error: there are no certificates of authorities here: install ca-certificates")
    layer.file("etc/ssl/certs/ca-certificates.crt", bundle)
    for name, text in ETC.items():
        layer.text(name, text)
    # Engines mount these, and may find the root read-only.
    for mount in ("dev", "proc", "sys"):
        layer.folder(mount)
    layer.folder("data", 0o750, USER)
    layer.folder("tmp", 0o1777)
    return layer


def model_layer(models):
    layer = Layer()
    for model in map(pathlib.Path, models):
        if model.is_dir():
            layer.tree(f"models/{model.name}", model)
        else:
            layer.file(f"models/{model.name}", model)
    return layer


def binary_layer(binary, licences):
    layer = Layer()
    layer.file("usr/local/bin/qanda", binary, 0o755)
    for licence in licences:
        layer.file(f"usr/share/doc/qanda/{pathlib.Path(licence).name}", licence)
    return layer


class Layout:
    def __init__(self, out):
        self.out = pathlib.Path(out)
        shutil.rmtree(self.out, ignore_errors=True)
        (self.out / "blobs/sha256").mkdir(parents=True)

    def blob(self, data, kind):
        digest = hashlib.sha256(data).hexdigest()
        (self.out / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def document(self, value, kind):
        return self.blob(json.dumps(value, sort_keys=True).encode(), kind)

    def write(self, layers, config, tag):
        tars = [layer.tar() for layer in layers]
        # Weights hardly compress; speed matters more.
        packed = [self.blob(gzip.compress(tar, 6, mtime=0), "layer.v1.tar+gzip") for tar in tars]
        config["rootfs"] = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]}
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.document(config, "config.v1+json"),
            "layers": packed,
        }
        entry = self.document(manifest, "manifest.v1+json")
        entry["platform"] = {"os": config["os"], "architecture": config["architecture"]}
        entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
        (self.out / "index.json").write_text(json.dumps(index), encoding="utf-8")
        (self.out / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
        return sum(blob["size"] for blob in packed)


def config(arguments):
    labels = {
        "org.opencontainers.image.title": "qanda",
        "org.opencontainers.image.version": arguments.tag,
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        "org.opencontainers.image.revision": arguments.revision,
        "qanda.cpu": arguments.cpu,
    }
    return {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/usr/local/bin/qanda"],
            "Env": ["PATH=/usr/local/bin", "HOME=/data", "QANDA_DATA_DIR=/data", "QANDA_MODELS_DIR=/models"],
            "WorkingDir": "/data",
            "ExposedPorts": {"8000/tcp": {}},
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--cpu", required=True)
    parser.add_argument("--revision", default="unknown")
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--licence", action="append", default=[])
    arguments = parser.parse_args()
    # What changes least comes first, so that registries and nodes keep it.
    layers = [system_layer(arguments.binary)]
    if arguments.model:
        layers.append(model_layer(arguments.model))
    layers.append(binary_layer(arguments.binary, arguments.licence))
    size = Layout(arguments.out).write(layers, config(arguments), arguments.tag)
    print(f"{arguments.out}:{arguments.tag}, {size / 1e6:.0f} MB in {len(layers)} layers")


if __name__ == "__main__":
    main()
