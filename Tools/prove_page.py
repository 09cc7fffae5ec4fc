#!/usr/bin/env python3
"""Tests the page of `jersey serve` in headless Chromium: chooses and drops pictures, a zip file and a video,
by pointer and by keyboard, on a desktop, on a phone and in dark mode. Checks the page's messages, and saves
screenshots for inspection.

    python3 -m venv venv && venv/bin/pip install playwright && apt-get install chromium
    venv/bin/python Tools/prove_page.py [--jersey .build/release/jersey] [--out demo/page]

Needs FFmpeg's command line to make the video.
"""

import base64
import pathlib
import re
import shutil
import subprocess
import tempfile

from playwright.sync_api import Page, expect, sync_playwright

from harness.data import number_crops
from harness.programs import Parser
from harness.service import Service

DROP = """async ([files]) => {
  const transfer = new DataTransfer();
  for (const { name, type, data } of files) {
    const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def drop(page: Page, *paths: pathlib.Path) -> None:
    kinds = {".jpg": "image/jpeg", ".zip": "application/zip", ".mp4": "video/mp4", ".txt": "text/plain"}
    files = [
        {"name": path.name, "type": kinds[path.suffix], "data": base64.b64encode(path.read_bytes()).decode()}
        for path in paths
    ]
    page.evaluate(DROP, [files])


def check(
    page: Page, out: pathlib.Path, look: str, data: pathlib.Path, work: pathlib.Path, number: str
) -> None:
    status, results = page.locator("#status"), page.locator(".result")
    pictures = sorted((data / number).rglob("*.jpg"))
    page.screenshot(path=out / f"{look}-start.png", full_page=True)

    page.set_input_files("#files", [str(path) for path in pictures])
    expect(status).to_have_text(f"The number is {number}.")
    expect(results).to_have_count(1)
    expect(page.locator(".frames img")).to_have_count(len(pictures))
    label = page.locator(".ones .bars").get_attribute("aria-label")
    assert label.startswith(f"ones digit: {number[-1]} "), label
    page.screenshot(path=out / f"{look}-pictures.png", full_page=True)

    drop(page, work / "players.zip")
    expect(status).to_have_text(re.compile(r"Read \d+ of \d+ players: "))
    expect(results).to_have_count(len(list(data.glob("*/*/*"))))
    expect(page.locator(".result.unsure")).not_to_have_count(0)
    page.screenshot(path=out / f"{look}-zip.png", full_page=True)

    page.select_option("#videos", "player")
    drop(page, work / "player.mp4")
    expect(status).to_have_text(f"The number is {number}.")
    page.screenshot(path=out / f"{look}-video.png", full_page=True)

    drop(page, work / "notes.txt")
    expect(status).to_contain_text("notes.txt")
    drop(page, work / "broken.jpg")
    expect(status).to_contain_text("no frame can be read")
    page.screenshot(path=out / f"{look}-error.png", full_page=True)
    width, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= seen, f"{look}: the page is {width} pixels wide on a screen of {seen}"


def choose(page: Page, data: pathlib.Path, number: str, is_phone: bool) -> None:
    """Chooses files by a tap, or by keyboard: Tab to the skip link, Tab to the file input, Enter."""
    with page.expect_file_chooser() as chooser:
        if is_phone:
            page.tap("label[for=files]")
        else:
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.className") == "skip"
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.id") == "files"
            page.keyboard.press("Enter")
    chooser.value.set_files([str(path) for path in sorted((data / number).rglob("*.jpg"))])
    expect(page.locator("#status")).to_have_text(f"The number is {number}.")


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("demo/page"))
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    number = "23"
    models = ["--model", "bundled", "--model", "again=bundled"]
    with tempfile.TemporaryDirectory() as folder, Service(options.jersey, *models) as service:
        work = pathlib.Path(folder)
        data = number_crops(
            options.jersey, work / "data", "7,10,23,48,99", tracks=1, frames=8, seed=2, unreadable=0.2
        )
        shutil.make_archive(str(work / "players"), "zip", data)
        (work / "notes.txt").write_text("no picture")
        (work / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
        frames = sorted((data / number).rglob("*.jpg"))
        for index, frame in enumerate(frames):
            shutil.copy(frame, work / f"film-{index}.jpg")
        film = [
            "-framerate",
            "10",
            "-i",
            work / "film-%d.jpg",
            "-vf",
            "scale=96:96",
            "-crf",
            "10",
            "-pix_fmt",
            "yuv420p",
        ]
        subprocess.run(["ffmpeg", "-loglevel", "error", *film, work / "player.mp4"], check=True)
        desk, phone = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
        looks = {
            "desk": {"viewport": desk},
            "phone": {"viewport": phone, "device_scale_factor": 2, "is_mobile": True, "has_touch": True},
            "dark": {"viewport": desk, "color_scheme": "dark"},
        }
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
            for look, settings in looks.items():
                page = browser.new_context(**settings).new_page()
                messages, complaints, urls = [], [], []
                page.on("console", messages.append)
                page.on("pageerror", complaints.append)
                page.on("request", lambda request, urls=urls: urls.append(request.url))
                page.goto(service.address)
                expect(page.locator("#model option")).to_have_count(2)
                choose(page, data, number, is_phone=settings.get("is_mobile", False))
                page.reload()
                check(page, options.out, look, data, work, number)
                # The browser itself logs the request that was meant to fail.
                complaints += [message.text for message in messages if message.type == "error"]
                complaints = [text for text in map(str, complaints) if "422" not in text]
                assert not complaints, complaints
                foreign = [url for url in urls if not url.startswith((service.address, "data:", "blob:"))]
                assert not foreign, foreign
                print(f"{look}: passed")
            browser.close()
    print(f"screenshots in {options.out}")


if __name__ == "__main__":
    main()
