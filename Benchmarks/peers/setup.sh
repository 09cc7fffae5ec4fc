#!/bin/sh
# Creates the peers' Python environment outside the repository; quick if it exists. Prints the path
# of its interpreter. JERSEY_PEERS=DIR puts it elsewhere.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
peers=${JERSEY_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/jersey/peers}
python=$peers/bin/python

# The requirements are copied last, so an interrupted installation is repeated.
if cmp -s "$here/requirements.txt" "$peers/requirements.txt" && [ -x "$python" ]; then
  echo "$python"
  exit 0
fi

echo "peers: installing PyTorch and Pillow into $peers" >&2
python3 -m venv --clear --without-pip "$peers"
python3 -m pip --python "$python" install --quiet -r "$here/requirements.txt" >&2

# The usual torchvision is built for CUDA. With a CPU PyTorch its compiled operators do not load
# (the study uses none), and the import fails on two undeclared operators. Declare them.
if ! "$python" -c 'import torchvision' 2>/dev/null; then
  "$python" - >&2 <<'PYTHON'
import importlib.util, pathlib

package = pathlib.Path(importlib.util.find_spec("torchvision").origin).parent
source = package / "_meta_registrations.py"
anchor = "import torchvision.extension  # noqa: F401\n"
declare = '''
if not torchvision.extension._has_ops():
    _declared = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _declared.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
'''
text = source.read_text()
assert anchor in text, f"{source}: not as expected; install torchvision built for CPU"
source.write_text(text.replace(anchor, anchor + declare, 1))
PYTHON
  "$python" -c 'import torchvision'
fi

cp "$here/requirements.txt" "$peers/requirements.txt"
echo "$python"
