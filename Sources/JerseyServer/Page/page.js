"use strict";

const element = id => document.getElementById(id);
// One decimal where it matters: 0.4%, 52%, 99.3%.
const percent = share => (100 * share).toFixed(share >= 0.0995 && share < 0.9 ? 0 : 1).replace(/\.0$/, "") + "%";
const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const isArchive = file => /\.(zip|tar|tgz|tar\.gz)$/i.test(file.name);
const isVideo = file => file.type.startsWith("video/")
  || /\.(mp4|mov|mkv|webm|avi|m4v|mpe?g|ts|mts|m2ts|3gp|3g2|wmv|flv|ogv)$/i.test(file.name);
// The service names the pictures that it cannot read.
const isPicture = file => /^image\/(?!svg)/.test(file.type)
  || /\.(jpe?g|jpe|jfif|png|webp|bmp|tiff?|gif|avif|heic|heif|hif|jxl|jp2|dng|cr2|nef|arw)$/i.test(file.name);
// The folder of a file in a dropped folder, such as "squad/7"; empty for a single file.
const folderOf = file => file.folder ?? "";
const byName = new Intl.Collator("en", { numeric: true });

let request = null;

function say(text, kind = "") {
  element("status").textContent = text;
  element("status").className = kind;
}

// The pictures of a folder are one player, and so are single ones; each archive or video is its own request.
function jobs(files) {
  const pictures = grouped(files.filter(isPicture));
  const list = files.filter(file => isArchive(file) || isVideo(file)).map(file => {
    const form = new FormData();
    if (isArchive(file)) {
      form.append("archive", file, file.name);
      return { name: file.name, path: "v1/predict/archive", body: form };
    }
    const isMatch = element("videos").value === "match";
    if (!isMatch) form.append("sequence", file.name);
    form.append("video", file, file.name);
    return { name: file.name, path: isMatch ? "v1/predict/video" : "v1/predict", body: form, isMatch };
  });
  const folders = [...pictures.keys()].sort(byName.compare).reverse();
  for (const folder of folders) {
    const here = pictures.get(folder).sort((a, b) => byName.compare(a.name, b.name));
    const form = new FormData();
    const name = folder || (here.length === 1 ? here[0].name : counted(here.length, "picture"));
    form.append("sequence", name.split("/").pop());
    for (const picture of here) form.append("frames", picture, picture.name);
    list.unshift({ name, path: "v1/predict", body: form });
  }
  return list;
}

function grouped(files) {
  const groups = new Map();
  for (const file of files) groups.set(folderOf(file), [...(groups.get(folderOf(file)) ?? []), file]);
  return groups;
}

async function ask(job, path, options) {
  const answer = await fetch(path, options);
  const text = await answer.text();
  let value;
  try { value = JSON.parse(text); } catch { value = { error: `the service returned status ${answer.status}` }; }
  if (!answer.ok) throw new Error(`${job.name}: ${value.error}`);
  return value;
}

async function send(job, signal) {
  const query = new URLSearchParams(job.isMatch ? {} : { pictures: "true" });
  if (element("model").value) query.set("model", element("model").value);
  const value = await ask(job, `${job.path}?${query}`, { method: "POST", body: job.body, signal });
  return Array.isArray(value) ? value : [value];
}

// A match takes minutes: the service reads it on its own, and the page asks how far it is.
async function readMatch(job, signal) {
  const bar = element("progress");
  bar.removeAttribute("value");
  element("job").hidden = false;
  let path = null;
  const forget = () => { if (path) fetch(path, { method: "DELETE", keepalive: true }).catch(() => {}); };
  signal.addEventListener("abort", forget);
  addEventListener("pagehide", forget);
  try {
    say(`Sending ${job.name}`, "busy");
    let [status] = await send(job, signal);
    path = `v1/jobs/${status.id}`;
    while (status.state === "queued" || status.state === "running") {
      say(progressOf(status), "busy");
      // Following takes most of the time.
      const share = status.frames ? Math.min(1, status.frame / status.frames) : null;
      if (share !== null && status.step) bar.value = status.step === "following" ? 0.8 * share : 0.8 + 0.2 * share;
      await new Promise(done => setTimeout(done, 1000));
      signal.throwIfAborted();
      status = await ask(job, path, { signal });
    }
    if (status.state !== "done") throw new Error(`${job.name}: ${status.error}`);
    return await ask(job, `${path}/result`, { signal });
  } finally {
    signal.removeEventListener("abort", forget);
    removeEventListener("pagehide", forget);
    element("job").hidden = true;
  }
}

function progressOf({ video, state, before, step, frame, frames }) {
  if (state === "queued") return `${video} waits` + (before ? `, after ${counted(before, "other video")}` : "");
  const part = `${frame}${frames ? ` of about ${frames}` : ""} frames`;
  return step === "reading" ? `Reading numbers in ${video}: ${part}` : `Following players in ${video}: ${part}`;
}

// Minutes and seconds from the start of the video.
function moment(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function row(cells) {
  const row = document.createElement("tr");
  for (const cell of cells) {
    const place = row.appendChild(document.createElement("td"));
    if (typeof cell === "string") place.textContent = cell;
    else place.append(...cell);
  }
  return row;
}

function team(player) {
  const shirt = document.createElement("span");
  shirt.className = "colour";
  if (player.colour) shirt.style.background = player.colour;
  shirt.title = player.colour ?? "unknown colour";
  return [shirt, ` ${player.team ?? "unknown"}`];
}

function showMatch(name, match) {
  const article = element("match").content.cloneNode(true).firstElementChild;
  const [players, tracks] = article.querySelectorAll("tbody");
  const span = player => [moment(player.pieces[0].first_second), moment(Math.max(...player.pieces.map(piece => piece.last_second)))];
  const numbered = match.players.filter(player => player.number !== null);
  const others = match.players.filter(player => player.number === null);
  article.querySelector("h2").textContent = name;
  article.querySelector(".verdict").textContent =
    numbered.length ? `${counted(numbered.length, "player")} with a number` : "No number was read with enough confidence.";
  for (const player of numbered) {
    players.append(row([team(player), player.number, player.names.join(" or "), percent(player.confidence), ...span(player),
      `${player.seconds.toFixed(1)} s`]));
  }
  if (!numbered.length) article.querySelector(".scroll").remove();
  if (others.length) {
    article.querySelector(".left-out").hidden = false;
    article.querySelector("summary").textContent = `${counted(others.length, "track")} without a number`;
    for (const player of others) tracks.append(row([team(player), player.pieces[0].track, ...span(player)]));
  }
  return article;
}

async function read(files) {
  if (!files.length) return;
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  element("results").replaceChildren();
  const others = files.filter(file => !isPicture(file) && !isArchive(file) && !isVideo(file)).map(file => file.name);
  const rest = others.length ? ` Not a picture, an archive or a video: ${others.slice(0, 3).join(", ")}`
    + (others.length > 3 ? ` and ${others.length - 3} more` : "") + "." : "";
  try {
    let count = 0, answered = 0, seen = 0;
    const problems = [];
    const list = jobs(files);
    if (!list.length) return say(rest.trim(), "error");
    for (const job of list) {
      say(`Reading ${job.name}`, "busy");
      try {
        if (job.isMatch) {
          const match = await readMatch(job, signal);
          element("results").append(showMatch(job.name, match));
          seen += match.players.filter(player => player.number !== null).length;
          continue;
        }
        for (const prediction of await send(job, signal)) {
          element("results").append(show(prediction));
          count += 1;
          answered += prediction.number === null ? 0 : 1;
        }
      } catch (error) {
        // One that cannot be read does not keep the others from being read.
        if (error.name === "AbortError" || error instanceof TypeError || list.length === 1) throw error;
        problems.push(error.message);
      }
    }
    const found = list.some(job => job.isMatch) ? `Found ${counted(seen, "player")} with a number. ` : "";
    if (problems.length) {
      const share = count || !found ? `Read ${answered} of ${count + problems.length}. ` : "";
      return say(`${found}${share}${problems.slice(0, 3).join("; ")}.${rest}`, "error");
    }
    if (found && !count) return say((found + rest).trim());
    const numbers = [...document.querySelectorAll(".result:not(.unsure) .number")].map(number => number.textContent);
    say(found + (count === 1 ? (answered ? `The number is ${numbers[0]}.` : "No number was read with enough confidence.")
      : `Read ${answered} of ${count} players: ${numbers.join(", ")}.`) + rest);
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
  const visit = async (entry, folder) => {
    if (entry.isFile) {
      const file = await new Promise((done, fail) => entry.file(done, fail));
      if (!file.name.startsWith(".")) files.push(Object.assign(file, { folder }));
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const batch = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!batch.length) return;
      for (const inner of batch) await visit(inner, folder ? `${folder}/${entry.name}` : entry.name);
    }
  };
  for (const entry of entries) await visit(entry, "");
  if (!files.length) say("There are no files in it.", "error");
  return files;
}

const field = element("files");
field.addEventListener("change", () => {
  const files = [...field.files];
  // Lets the user choose the same files again.
  field.value = "";
  read(files);
});
element("cancel").addEventListener("click", () => {
  request?.abort();
  say("Cancelled.");
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
