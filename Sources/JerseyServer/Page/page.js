"use strict";

const element = id => document.getElementById(id);
// One decimal where it matters: 0.4%, 52%, 99.3%.
const percent = share => (100 * share).toFixed(share >= 0.0995 && share < 0.9 ? 0 : 1).replace(/\.0$/, "") + "%";
const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const isArchive = file => /\.(zip|tar|tgz|tar\.gz)$/i.test(file.name);
const isVideo = file => file.type.startsWith("video/") || /\.(mp4|mov|mkv|webm|avi|m4v|mpe?g)$/i.test(file.name);
const isPicture = file => /^image\/(jpeg|png)$/.test(file.type) || /\.(jpe?g|png)$/i.test(file.name);
const byName = new Intl.Collator("en", { numeric: true });

let request = null;

function say(text, kind = "") {
  element("status").textContent = text;
  element("status").className = kind;
}

// All pictures are one player; each archive or video is its own request.
function jobs(files) {
  const pictures = files.filter(isPicture).sort((a, b) => byName.compare(a.name, b.name));
  const list = files.filter(file => !isPicture(file)).map(file => {
    const form = new FormData();
    if (isArchive(file)) {
      form.append("archive", file, file.name);
      return { name: file.name, path: "v1/predict/archive", body: form };
    }
    if (!isVideo(file)) throw new Error(`${file.name} is not a JPEG or PNG picture, a zip file or a video`);
    form.append("sequence", file.name);
    form.append("video", file, file.name);
    return { name: file.name, path: "v1/predict", body: form };
  });
  if (pictures.length) {
    const form = new FormData();
    const name = pictures.length === 1 ? pictures[0].name : counted(pictures.length, "picture");
    form.append("sequence", name);
    for (const picture of pictures) form.append("frames", picture, picture.name);
    list.unshift({ name, path: "v1/predict", body: form });
  }
  return list;
}

async function send(job, signal) {
  const query = new URLSearchParams({ pictures: "true" });
  if (element("model").value) query.set("model", element("model").value);
  const answer = await fetch(`${job.path}?${query}`, { method: "POST", body: job.body, signal });
  const text = await answer.text();
  let value;
  try { value = JSON.parse(text); } catch { value = { error: `the service returned status ${answer.status}` }; }
  if (!answer.ok) throw new Error(`${job.name}: ${value.error}`);
  return Array.isArray(value) ? value : [value];
}

async function read(files) {
  if (!files.length) return;
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  element("results").replaceChildren();
  try {
    let count = 0, answered = 0;
    for (const job of jobs(files)) {
      say(`Reading ${job.name}`, "busy");
      for (const prediction of await send(job, signal)) {
        element("results").append(show(prediction));
        count += 1;
        answered += prediction.number === null ? 0 : 1;
      }
    }
    const numbers = [...document.querySelectorAll(".result:not(.unsure) .number")].map(number => number.textContent);
    say(count === 1 ? (answered ? `The number is ${numbers[0]}.` : "No number was read with enough confidence.")
      : `Read ${answered} of ${count} players: ${numbers.join(", ")}`);
  } catch (error) {
    if (error.name === "AbortError") return;
    say(error instanceof TypeError ? "Cannot reach the service. Is it still running?" : error.message, "error");
  }
}

function show(prediction) {
  const article = element("result").content.cloneNode(true).firstElementChild;
  const part = selector => article.querySelector(selector);
  part("h2").textContent = prediction.sequence;
  const isRead = prediction.number !== null;
  article.classList.toggle("unsure", !isRead);
  part(".number").textContent = isRead ? prediction.number : "?";
  if (prediction.confidence === null) {
    part(".verdict").textContent = "None of the frames could be read.";
    part(".digits").remove();
  } else {
    part(".verdict").textContent = isRead
      ? `Number ${prediction.number}, with ${percent(prediction.confidence)} confidence`
      : `Unreadable: ${percent(prediction.confidence)} confidence is too low for an answer`;
    bars(part(".tens .bars"), prediction.tens, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"], "tens digit");
    bars(part(".ones .bars"), prediction.ones, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "ones digit");
  }
  for (const { number, probability } of prediction.top) {
    const item = document.createElement("li");
    item.textContent = `${number} ${percent(probability)}`;
    part(".top").append(item);
  }
  frames(part(".frames"), prediction);
  if (!prediction.frames.length) part("h3").remove();
  if (prediction.left_out.length) {
    part(".left-out").hidden = false;
    part("summary").textContent = `${prediction.left_out.length} skipped`;
    for (const { path, reason } of prediction.left_out) {
      const item = document.createElement("li");
      item.textContent = `${path} ${reason}`;
      part(".left-out ul").append(item);
    }
  }
  return article;
}

function bars(place, shares, names, what) {
  const best = Math.max(...shares);
  const order = shares.map((share, index) => [share, names[index]]).sort((a, b) => b[0] - a[0]).slice(0, 3);
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${what}: ` + order.map(([share, name]) => `${name} ${percent(share)}`).join(", "));
  shares.forEach((share, index) => {
    const bar = document.createElement("span");
    bar.className = share === best ? "bar best" : "bar";
    const [value, fill, name] = ["b", "i", "span"].map(tag => bar.appendChild(document.createElement(tag)));
    value.textContent = share >= 0.01 ? percent(share) : "";
    fill.style.height = `${Math.max(1, Math.round(share * 66))}px`;
    name.textContent = names[index] === "none" ? "–" : names[index];
    place.append(bar);
  });
}

function frames(place, prediction) {
  const most = Math.max(...prediction.frames.map(frame => frame.weight ?? 0));
  for (const { path, weight } of prediction.frames) {
    const item = document.createElement("li");
    const name = path.split("/").pop();
    const picture = prediction.pictures?.[path];
    if (picture) {
      const image = document.createElement("img");
      image.src = picture;
      image.alt = `Frame ${name}`;
      item.append(image);
    }
    if (typeof weight === "number") {
      const share = document.createElement("span");
      share.className = "share";
      share.append(document.createElement("i"));
      share.firstElementChild.style.width = `${100 * weight / (most || 1)}%`;
      item.append(share, `${percent(weight)} `);
      item.classList.toggle("most", weight === most && prediction.frames.length > 1);
    }
    item.append(name);
    place.append(item);
  }
}

async function listModels() {
  const answer = await fetch("v2/repository/index", { method: "POST" });
  const models = await answer.json();
  for (const { name } of models) element("model").append(new Option(name));
  element("model-row").hidden = models.length < 2;
}

// Dropped folders are replaced by the files in them.
async function dropped(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(entry => entry);
  if (!entries.some(entry => entry.isDirectory)) return [...transfer.files];
  const files = [];
  const visit = async entry => {
    if (entry.isFile) return files.push(await new Promise((done, fail) => entry.file(done, fail)));
    const reader = entry.createReader();
    for (;;) {
      const batch = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!batch.length) return;
      for (const inner of batch) await visit(inner);
    }
  };
  for (const entry of entries) await visit(entry);
  return files.filter(file => isPicture(file) || isArchive(file) || isVideo(file));
}

const field = element("files");
field.addEventListener("change", () => {
  const files = [...field.files];
  // Lets the user choose the same files again.
  field.value = "";
  read(files);
});
element("form").addEventListener("submit", event => event.preventDefault());
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, event => { event.preventDefault(); element("drop").classList.add("over"); });
}
document.addEventListener("dragleave", event => { if (!event.relatedTarget) element("drop").classList.remove("over"); });
document.addEventListener("drop", async event => {
  event.preventDefault();
  element("drop").classList.remove("over");
  read(await dropped(event.dataTransfer));
});
document.addEventListener("paste", event => read([...event.clipboardData.files]));
listModels().catch(() => say("Cannot reach the service. Is it still running?", "error"));
