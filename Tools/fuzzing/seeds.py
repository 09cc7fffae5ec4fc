"""Writes files for Tools/fuzz.sh, by reader: FOLDER/READER/corpus gets small valid ones to start from,
FOLDER/worst/READER the worst ones made by hand.

python3 Tools/fuzzing/seeds.py FOLDER
"""

import base64
import io
import json
import pathlib
import struct
import sys
import tarfile
import zipfile
import zlib

from making import checkpoint_of, form, packed, png, safetensors, text_chunks

folder = pathlib.Path(sys.argv[1])


def seed(reader, name, content):
    (folder / reader / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / reader / "corpus" / name).write_bytes(content)


def worst(reader, name, content):
    (folder / "worst" / reader).mkdir(parents=True, exist_ok=True)
    (folder / "worst" / reader / name).write_bytes(content)


seed(
    "safetensors",
    "two",
    safetensors({"a": ("F32", [2, 3], bytes(24)), "b": ("BF16", [1], bytes(2))}, {"jersey": "{}"}),
)
seed("safetensors", "scalar", safetensors({"n": ("I64", [], bytes(8))}, {}))

# A checkpoint as torch.save writes it: an ordered dictionary with one tensor, and a string beside
# it.
pickle = (
    b"\x80\x02}q\x00(X\x0b\x00\x00\x00model_stateq\x01ccollections\nOrderedDict\nq\x02)Rq\x03X\x01\x00\x00\x00wq\x04ctorch._utils\n_rebuild_tensor_v2\n"
    b"q\x05((X\x07\x00\x00\x00storageq\x06ctorch\nFloatStorage\nq\x07X\x01\x00\x00\x000q\x08X\x03\x00\x00\x00cpuq\tK\x06tq\nQK\x00K\x02K\x03\x86q\x0bK\x03K\x01"
    b"\x86q\x0c\x89h\x02)Rq\rtq\x0eRq\x0fsX\x06\x00\x00\x00jerseyq\x10X\x02\x00\x00\x00{}q\x11u."
)
checkpoint = io.BytesIO()
with zipfile.ZipFile(checkpoint, "w", zipfile.ZIP_STORED) as file:
    for name, content in [
        ("data.pkl", pickle),
        ("byteorder", b"little"),
        ("data/0", bytes(24)),
        ("version", b"3\n"),
    ]:
        file.writestr("archive/" + name, content)
seed("pth", "one", checkpoint.getvalue())

seed(
    "card",
    "some",
    json.dumps(
        {"model": "basic_r18", "height": 48, "width": 48, "calibration": {"temperature": 1.5}}
    ).encode(),
)


for kind, depth in [(0, 8), (2, 8), (2, 16), (3, 8), (4, 8), (6, 8)]:
    seed("image", f"{kind}-{depth}.png", png(7, 5, kind, depth))
# An image of 8x8 pixels, with Huffman tables of one code each and an orientation.
tables = b"".join(b"\xff\xc4\x00\x14" + bytes([table]) + b"\x01" + bytes(16) for table in (0, 0x10))
exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
jpeg = (
    b"\xff\xd8"
    + exif
    + b"\xff\xdb\x00\x43\0"
    + b"\x01" * 64
    + b"\xff\xc0\x00\x0b\x08\0\x08\0\x08\x01\x01\x11\0"
    + tables
    + b"\xff\xda\x00\x08\x01\x01\0\0\x3f\0\x3f\xff\xd9"
)
seed("image", "grey.jpg", jpeg)

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
    file.writestr("7/a/1.png", png(4, 4))
    file.writestr("7/a/2.png", png(4, 4))
seed("archive", "crops.zip", archive.getvalue())
for mode in ("w", "w:gz"):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as file:
        member = tarfile.TarInfo("7/a/1.png")
        member.size = len(png(4, 4))
        file.addfile(member, io.BytesIO(png(4, 4)))
    seed("archive", f"crops{len(mode)}.tar", archive.getvalue())

seed(
    "boxes",
    "mot.txt",
    b"1,1,10,20,30,60,0.9,-1,-1,-1\n2,1,11.5,20,30,60,1,-1,-1,-1\n2,2,300,20,30,60,1,-1,-1,-1\n",
)
seed("boxes", "table.csv", b'frame,track,left,top,width,height\n1,a,10,20,30,60\n2,"b",1e2,-3,30,60\n')

seed("roster", "comma.csv", b'team,number,name\nReds,7,Ann Lee\nBlues,7,"Ek, Bo"\nReds,07,X\n')
seed("roster", "semicolon.csv", b'number;name;team\n10;A;B\n23;"C ""D""";B\n')
seed(
    "splits",
    "some.json",
    b'{"train_tracks":["7/a"],"val_tracks":["7/b"],"test_tracks":["7/c"],"held_out_tracks":[]}',
)
seed("soccernet", "some.json", b'{"0": 10, "1": -1, "2": 7}')
seed(
    "config",
    "some.yaml",
    b"model: attn_bgru_luong\ndata:\n  classes: ['4', '07']\n  ratios: [0.8, 0.1, 0.1]\n"
    b"training: {epochs: 10}\n",
)
seed("config", "alias.yaml", b"model: basic_r18\ntraining: &a {threads: 1}\n")
seed(
    "experiment",
    "some.yaml",
    b"name: x\nmodels: [seq_bgru_mp]\nseeds: [1, 2]\n"
    b"variants:\n  - {name: a, settings: {optimizer: {rate: 0.001}}}\n",
)


def shares(count):
    return [round(1 / count, 4)] * count


outcome = {
    "attention": shares(2),
    "confidence": 0.5,
    "frames": ["0.jpg", "1.jpg"],
    "heights": [62, 61],
    "length": 2,
    "ones": shares(10),
    "prediction": "57",
    "sequence": "7/a/0",
    "tens": shares(11),
    "track": "7/a",
    "truth": "7",
}
part = {"loss": 5, "number_accuracy": 0.5, "ones_accuracy": 0.5, "tens_accuracy": 0.5, "sequences": 4}
epoch = {
    "best": True,
    "epoch": 1,
    "rate_factor": 1,
    "seconds": 0.1,
    "train": part,
    "unreadable_files": 0,
    "validation": part,
}
group = {"sequences": {"count": 0, "number_accuracy": None}, "tracks": {"count": 0, "number_accuracy": None}}
result = {
    "best_epoch": 1,
    "device": "cpu",
    "encoder": "resnet18",
    "epochs": 1,
    "libtorch": "2",
    "model": "basic_r18",
    "parameters": 1,
    "published": False,
    "seconds": 1,
    "seed": 3,
    "train_sequences": 9,
    "validation": part,
    "test": {"loss": 1, "unreadable_files": 0, "unreadable_sequences": 0, **group, "seen": group},
}
seed(
    "outcomes",
    "two.jsonl",
    b"".join(json.dumps(row).encode() + b"\n" for row in (outcome, {**outcome, "truth": None})),
)
seed("metrics", "two.jsonl", b"".join(json.dumps({**epoch, "epoch": n}).encode() + b"\n" for n in (1, 2)))
seed("result", "one.json", json.dumps(result).encode())
seed("progress", "one.json", b'{"batch":1,"batches":2,"epoch":6,"epochs":6,"seconds":0.4}')

encoded = base64.b64encode(png(4, 4)).decode()


as_json, as_form = b"application/json\n", b'multipart/form-data; boundary="x"\n'
seed("body", "frames", as_json + json.dumps({"frames": [encoded, encoded]}).encode())
seed(
    "body",
    "names",
    as_json + json.dumps({"sequence": "7", "frames": [{"name": "a.png", "data": encoded}]}).encode(),
)
seed("body", "form", as_form + form([(b"frames", b"1.png", png(4, 4)), (b"sequence", b"", b"7")]))
seed("body", "film", as_form + form([(b"video", b"a.mp4", b"film")]))
asked = {"inputs": [{"name": "frames", "shape": [2, 1], "datatype": "BYTES", "data": [[encoded], [encoded]]}]}
seed("infer", "all", json.dumps({"id": "a", **asked}).encode())
seed("infer", "one", json.dumps({**asked, "outputs": [{"name": "number"}, {"name": "weights"}]}).encode())
seed("head", "own", b"localhost:8080\nhttp://localhost:8080")
seed("head", "other", b"[::1]:8080\nhttps://pages.example.org")
seed("head", "address", b"::ffff:127.0.0.1\nnull")


def numbers(*values):
    return b"".join(struct.pack("<q", value) for value in values)


seed("packet", "picture", numbers(1, 0, 4, 4))
seed("packet", "file", numbers(3, 7) + b"7/1.png" + numbers(9))
seed("packet", "job", numbers(2, 3) + b"zip" + numbers(1, 2, 3, 4, 5, 6, 7, 2, 8, 9))


# The worst we could think of, a few megabytes each: small or repeated data that demand much.
mega = 1 << 20


large = bytes(4 * mega)
worst(
    "pth",
    "one-record-400-names",
    checkpoint_of([(f"t{n}", str(n), 0, mega) for n in range(400)], {str(n): large for n in range(400)}),
)
worst(
    "pth",
    "views-of-one-storage",
    checkpoint_of([(f"t{n}", "0", n, mega // 2) for n in range(4000)], {"0": large}),
)
for name, operations in {
    "none": b"N",
    "list": b"]",
    "tuple": b")",
    "mark": b"(",
    "memo": b"Nq\1",
    "nested": b"]\x85",
}.items():
    worst(
        "pth",
        "pickle-of-" + name,
        checkpoint_of([], {}, b"\x80\2" + operations * (4 * mega // len(operations)) + b"."),
    )
worst("pth", "plain-of-none", b"\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + b"N" * 4 * mega)
worst("safetensors", "4096-empty", safetensors({f"t{n}": ("F32", [0] * 8, b"") for n in range(4096)}, {}))
worst("safetensors", "long-metadata", safetensors({}, {f"k{n}": "x" * 20 for n in range(20000)}))
header = b'{"__metadata__":' + b'{"a":' * 190_000
worst("safetensors", "deep-header", struct.pack("<Q", len(header)) + header)
worst("card", "long-numbers", json.dumps({"model": "basic_r18", "numbers": ["7"] * 100_000}).encode())
worst("card", "deep", b'{"spec":' * 100_000)
worst("image", "black.png", png(3999, 3999))
worst("image", "black-16-bit.png", png(3999, 3999, 6, 16))


worst("image", "text-bomb.png", text_chunks(b"zTXt", b"k\0\0" + zlib.compress(bytes(64 * mega)), 20))
worst("image", "many-texts.png", text_chunks(b"tEXt", b"k\0v", 200_000))
worst("image", "profile-bomb.png", text_chunks(b"iCCP", b"k\0\0" + zlib.compress(bytes(64 * mega)), 1))
progressive = jpeg.replace(b"\xff\xc0\x00\x0b\x08\0\x08\0\x08", b"\xff\xc2\x00\x0b\x08\x0f\x9f\x0f\x9f")
worst(
    "image",
    "many-scans.jpg",
    progressive[:-2] + (b"\xff\xda\x00\x08\x01\x01\0\0\0\0\0" + bytes(4)) * 50_000 + b"\xff\xd9",
)
worst("image", "many-markers.jpg", b"\xff\xd8" + b"\xff\xe1\0\2" * mega + jpeg[2:])


worst("archive", "zeros.zip", packed([(f"{n}.png", bytes(60 * mega)) for n in range(4)]))
worst("archive", "100000-entries.zip", packed([(f"{n % 100}/{n}.png", b"") for n in range(100_000)]))
worst("archive", "deep.zip", packed([("/".join(["a"] * 16) + f"/{n}/x.png", b"x") for n in range(2_000)]))
for mode in ("w", "w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for n in range(20_000):
            archive.addfile(tarfile.TarInfo(f"{n}.txt"))
    worst("archive", f"20000-files{len(mode)}.tar", file.getvalue())


def lines(row, count=200_000):
    return b"".join(row % n for n in range(count))


worst("boxes", "lines", b"\n" * 4 * mega)
worst("boxes", "one-line", b"1," * 2 * mega)
worst("boxes", "a-track-a-row", lines(b"1,t%d,10,20,30,60\n"))
worst("boxes", "one-track", lines(b"%d,1,10,20,30,60\n"))
worst("boxes", "all-wrong", b"x,y,z\n" * 600_000)
worst("boxes", "columns", b",".join(b"c%d" % n for n in range(400_000)) + b"\n")
worst("boxes", "quotes", b'"' * 4 * mega)
worst("roster", "commas", b"team,number,name\n" + b"," * 4 * mega)
worst("roster", "lines", b"team,number,name\n" + b"\n" * 4 * mega)
worst("roster", "quotes", b"team,number,name\n" + b'  "a" ' * 600_000)
worst("roster", "teams", b"team,number,name\n" + lines(b"t%d,7,n\n"))
worst("roster", "columns", lines(b"c%d,") + b"\n1")
worst("roster", "accents", b"team,number,name\n" + "\u0301".encode() * 2 * mega)
worst(
    "splits",
    "tracks.json",
    json.dumps(
        {"train_tracks": [f"7/{n}" for n in range(200_000)], "val_tracks": [], "test_tracks": []}
    ).encode(),
)
worst(
    "splits",
    "same.json",
    json.dumps({"train_tracks": ["7/a"] * 400_000, "val_tracks": ["7/a"] * 9, "test_tracks": []}).encode(),
)
worst("soccernet", "players.json", json.dumps({str(n): 7 for n in range(200_000)}).encode())
worst("soccernet", "deep.json", b'{"a":' * 500_000)
worst("soccernet", "digits.json", b'{"0": ' + b"9" * 4 * mega + b"}")
laughs = b"a0: &a0 [" + b",".join([b"x"] * 10) + b"]\n"
laughs += b"".join(
    b"a%d: &a%d [" % (n, n) + b",".join([b"*a%d" % (n - 1)] * 10) + b"]\n" for n in range(1, 12)
)
for reader in ("config", "experiment"):
    worst(reader, "aliases.yaml", laughs)
    worst(reader, "deep.yaml", b"a: " + b"[" * mega)
    worst(reader, "dashes.yaml", b"- " * mega)
    worst(reader, "list.yaml", b"a: [" + b"1," * 200_000 + b"1]\n")
    worst(reader, "keys.yaml", lines(b"k%d: 1\n", 50_000))
    worst(reader, "anchors.yaml", lines(b"k%d: &a 1\n", 50_000))
    worst(reader, "long-key.yaml", b"x" * 4 * mega + b": 1\n")
    worst(reader, "long-model.yaml", b"name: x\nseeds: [1]\nmodel: " + b"x" * 4 * mega)
seeds = b"[" + b",".join(b"%d" % n for n in range(20_000)) + b"]"
worst("experiment", "runs.yaml", b"name: x\nmodels: all\nseeds: " + seeds + b"\n")
worst("experiment", "models.yaml", b"name: x\nseeds: [1]\nmodels: [" + lines(b"m%d,", 50_000) + b"x]\n")
worst("outcomes", "rows.jsonl", (json.dumps(outcome).encode() + b"\n") * 8_000)
worst("outcomes", "empty.jsonl", b"{}\n" * mega)
worst("outcomes", "lines.jsonl", b"\n" * 4 * mega)
worst("outcomes", "long.jsonl", json.dumps({**outcome, "tens": [0.1] * 500_000}).encode() + b"\n")
worst(
    "outcomes",
    "frames.jsonl",
    json.dumps({**outcome, "frames": ["x"] * 400_000, "attention": None, "heights": None}).encode(),
)
worst("metrics", "rows.jsonl", (json.dumps(epoch).encode() + b"\n") * 8_000)
worst("result", "deep.json", b'{"test":' * 500_000)
worst("result", "long.json", json.dumps({**result, "model": "x" * 4 * mega}).encode())
long = b"x" * 60 * mega
worst("body", "deep", as_json + b'{"frames":' + b"[" * 4 * mega)
worst("body", "values", as_json + b'{"frames": [' + b"1," * 2 * mega + b"1]}")
worst("body", "base64", as_json + b'{"frames": ["' + long + b'"]}')
worst("body", "long-name", as_json + b'{"sequence": "' + long + b'", "frames": []}')
worst("body", "escapes", as_json + b'{"sequence": "' + b"\\u0301" * 2 * mega + b'", "frames": []}')
worst("body", "accents", as_json + b'{"sequence": "a' + "\u0301".encode() * 4 * mega + b'", "frames": []}')
worst("body", "keys", as_json + b"{" + lines(b'"k%d": 1,', 90_000) + b'"frames": []}')
worst("body", "number", as_json + b'{"frames": [' + b"9" * 4 * mega + b"]}")
worst("body", "boundaries", as_form + b"\r\n--x\r\n" * mega)
worst("body", "nearly-boundaries", as_form + b"--x\r\n\r\n\r\n" + b"\r\n-" * 4 * mega)
worst("body", "parts", as_form + form([(b"frames", b"", b"")] * 50_000))
worst("body", "long-field", as_form + form([(b"sequence", b"", b"a" * 16 * mega)]))
worst("body", "type", b"multipart/form-data;" + b"a=b;" * mega + b"boundary=x\n")
worst("infer", "long-output", json.dumps({"inputs": [], "outputs": [{"name": "x" * 60 * mega}]}).encode())
worst("infer", "outputs", json.dumps({**asked, "outputs": [{"name": "number"}] * 30_000}).encode())
worst(
    "infer",
    "shape",
    b'{"inputs": [{"name": "frames", "datatype": "BYTES", "data": [], "shape": [' + b"1," * 90_000 + b"1]}]}",
)
worst(
    "infer",
    "rows",
    json.dumps(
        {"inputs": [{"name": "frames", "datatype": "BYTES", "shape": [1], "data": [["a"]] * 30_000}]}
    ).encode(),
)
worst("infer", "inputs", json.dumps({"inputs": asked["inputs"] * 9_000}).encode())
worst("head", "host", b"a" * mega + b"\nhttp://" + b"a." * mega)
worst("head", "brackets", b"[" + b":" * mega + b"]\nhttps://[" + b"1:" * mega)
worst("packet", "sizes", numbers(0, 0, 0, 0, 0, 0, 0, 0, 0, 131_000) + bytes(8 * 131_000))
worst("progress", "long.json", b'{"batch":' + b"1" * 4 * mega + b"}")
