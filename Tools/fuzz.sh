#!/usr/bin/env bash
# Feeds the readers of files from outside with what libFuzzer makes of good files, under the address sanitizer.
#
#   Tools/fuzz.sh [SECONDS] [READER...]     seconds for each reader (default: 600); all readers where none is named
#
# Ends with status 1 at the first input on which a reader traps, overruns memory, takes more than half a minute or 4 GiB; the input stays
# in .build-fuzz/READER/. What was found interesting stays there, too, and is where the next time begins.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-600}
shift || true
readers=("$@")
if [ ${#readers[@]} -eq 0 ]; then readers=(safetensors pth card image archive boxes); fi
folder=$PWD/.build-fuzz

echo "fuzz: building with libFuzzer and the address sanitizer"
JERSEY_FUZZ=1 swift build -c release --product jersey-fuzz --scratch-path "$folder" --sanitize address -Xswiftc -sanitize=fuzzer \
    -Xcc -fsanitize=fuzzer-no-link -Xcxx -fsanitize=fuzzer-no-link -Xswiftc -use-ld=lld

# What is good to begin with: small, since small files are mutated faster.
python3 - "$folder" << 'PYTHON'
import io, json, pathlib, struct, sys, tarfile, zipfile, zlib

folder = pathlib.Path(sys.argv[1])


def seed(reader, name, content):
    (folder / reader / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / reader / "corpus" / name).write_bytes(content)


def safetensors(tensors, metadata):
    header, body = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(content)]}
        body += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


seed("safetensors", "two", safetensors({"a": ("F32", [2, 3], bytes(24)), "b": ("BF16", [1], bytes(2))}, {"jersey": "{}"}))
seed("safetensors", "scalar", safetensors({"n": ("I64", [], bytes(8))}, {}))

# A checkpoint as torch.save writes it: an ordered dictionary with one tensor, and a text beside it.
pickle = (
    b"\x80\x02}q\x00(X\x0b\x00\x00\x00model_stateq\x01ccollections\nOrderedDict\nq\x02)Rq\x03X\x01\x00\x00\x00wq\x04ctorch._utils\n_rebuild_tensor_v2\n"
    b"q\x05((X\x07\x00\x00\x00storageq\x06ctorch\nFloatStorage\nq\x07X\x01\x00\x00\x000q\x08X\x03\x00\x00\x00cpuq\tK\x06tq\nQK\x00K\x02K\x03\x86q\x0bK\x03K\x01"
    b"\x86q\x0c\x89h\x02)Rq\rtq\x0eRq\x0fsX\x06\x00\x00\x00jerseyq\x10X\x02\x00\x00\x00{}q\x11u."
)
checkpoint = io.BytesIO()
with zipfile.ZipFile(checkpoint, "w", zipfile.ZIP_STORED) as file:
    for name, content in [("data.pkl", pickle), ("byteorder", b"little"), ("data/0", bytes(24)), ("version", b"3\n")]:
        file.writestr("archive/" + name, content)
seed("pth", "one", checkpoint.getvalue())

seed("card", "some", json.dumps({"model": "basic_r18", "height": 48, "width": 48, "calibration": {"temperature": 1.5}}).encode())


def png(width, height, kind=2, depth=8):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    rows = zlib.compress(b"".join(b"\0" + bytes(width * channels * depth // 8) for _ in range(height)))
    palette = chunk(b"PLTE", bytes(12)) if kind == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)) + palette + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


for kind, depth in [(0, 8), (2, 8), (2, 16), (3, 8), (4, 8), (6, 8)]:
    seed("image", f"{kind}-{depth}.png", png(7, 5, kind, depth))
# A picture of 8x8 pixels with Huffman tables of one code each, and an orientation.
tables = b"".join(b"\xff\xc4\x00\x14" + bytes([table]) + b"\x01" + bytes(16) for table in (0, 0x10))
exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
jpeg = b"\xff\xd8" + exif + b"\xff\xdb\x00\x43\0" + b"\x01" * 64 + b"\xff\xc0\x00\x0b\x08\0\x08\0\x08\x01\x01\x11\0" + tables + b"\xff\xda\x00\x08\x01\x01\0\0\x3f\0\x3f\xff\xd9"
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

seed("boxes", "mot.txt", b"1,1,10,20,30,60,0.9,-1,-1,-1\n2,1,11.5,20,30,60,1,-1,-1,-1\n2,2,300,20,30,60,1,-1,-1,-1\n")
seed("boxes", "table.csv", b"frame,track,left,top,width,height\n1,a,10,20,30,60\n2,\"b\",1e2,-3,30,60\n")
PYTHON

for reader in "${readers[@]}"; do
    echo "fuzz: $reader for $seconds s"
    # libtorch is not compiled for the sanitizer; what it does with containers that cross its border is not for it to judge.
    (
        cd "$folder/$reader"
        JERSEY_FUZZ=$reader ASAN_OPTIONS=detect_container_overflow=0:detect_odr_violation=0:alloc_dealloc_mismatch=0:detect_leaks=0 \
            "$folder/release/jersey-fuzz" corpus -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 -max_len=65536 \
            -print_final_stats=1 -artifact_prefix=found- > log 2>&1
    ) || { tail -n 40 "$folder/$reader/log"; echo "fuzz: $reader failed; $(ls "$folder/$reader"/found-* 2> /dev/null | tail -n 1)" >&2; exit 1; }
    grep -E "cov:|exec/s" "$folder/$reader/log" | tail -n 1
done
