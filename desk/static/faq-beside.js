// The knowledge base beside a call: found while somebody types, read out, and noted as told.

const csrf = document.querySelector("meta[name=csrf]").content;
const input = document.getElementById("faq-words");
const places = { found: document.getElementById("faq-found"), hints: document.getElementById("faq-hints"), entry: document.getElementById("faq-entry") };
const said = document.getElementById("faq-said");
const LIVE_MS = 250;
const SETTLED_MS = 1500;
const SUGGEST_MS = 900;
const LONGEST_WORDS = 4000;

const timers = {};
let turn = 0; // only the newest answer is shown
let logged = { words: "", search: 0 };

const call = () => document.querySelector("form[data-case]")?.dataset.case ?? "";

function later(name, wait, work) {
  clearTimeout(timers[name]);
  timers[name] = setTimeout(work, wait);
}

function post(address, body) {
  return fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10000),
  });
}

async function problem(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return "うまくいきませんでした";
  }
}

async function search(settled) {
  const words = input.value.trim();
  const mine = ++turn;
  try {
    const answer = await post("/desk/faq/search", { words, call: call(), settled: settled && words !== "" });
    if (!answer.ok) {
      said.textContent = await problem(answer);
      return;
    }
    const text = await answer.text();
    if (mine !== turn) return;
    places.found.innerHTML = text; // drawn by our own server, which escapes what people write
    if (settled) {
      logged = { words, search: Number(places.found.firstElementChild.dataset.search) };
      said.textContent = words ? `${places.found.querySelectorAll("[data-open]").length} 件` : "";
    }
  } catch {
    said.textContent = "FAQ につながっていません";
  }
}

async function settle() {
  clearTimeout(timers.live);
  clearTimeout(timers.settled);
  const words = input.value.trim();
  if (words && words !== logged.words) await search(true);
  return words && words === logged.words ? logged.search : 0;
}

async function open(article) {
  const number = await settle();
  try {
    const answer = await post(`/desk/faq/entries/${encodeURIComponent(article)}/open`, { call: call(), search: number });
    if (!answer.ok) {
      said.textContent = await problem(answer);
      return;
    }
    places.entry.innerHTML = await answer.text();
    places.entry.hidden = false;
    places.entry.focus();
  } catch {
    said.textContent = "FAQ につながっていません";
  }
}

async function told(button) {
  const entry = places.entry.querySelector("[data-entry]");
  button.disabled = true;
  const words = input.value.trim();
  const search = words && words === logged.words ? logged.search : 0;
  const body = { call: call(), version: Number(entry.dataset.version), search };
  try {
    const answer = await post(`/desk/faq/entries/${encodeURIComponent(entry.dataset.entry)}/told`, body);
    if (answer.ok) {
      button.textContent = "案内済み";
      said.textContent = (await answer.json()).text;
      return;
    }
    said.textContent = await problem(answer);
  } catch {
    said.textContent = "FAQ につながっていません";
  }
  button.disabled = false;
}

async function suggest() {
  const words = (document.getElementById("question")?.value ?? "").slice(-LONGEST_WORDS);
  if (!call()) return;
  try {
    const answer = await post("/desk/faq/suggest", { words, call: call() });
    if (!answer.ok) return;
    places.hints.innerHTML = await answer.text();
    places.hints.hidden = places.hints.querySelector("[data-open]") === null;
  } catch {
    // asked again with the next word
  }
}

input.addEventListener("input", () => {
  later("live", LIVE_MS, () => search(false));
  later("settled", SETTLED_MS, settle);
});
document.getElementById("faq-form").addEventListener("submit", (event) => {
  event.preventDefault();
  settle();
});
document.getElementById("faq").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.open) open(button.dataset.open);
  else if (button && "told" in button.dataset) told(button);
  else if (button && "close" in button.dataset) {
    places.entry.hidden = true;
    input.focus();
  }
});
document.getElementById("faq").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [input, ...document.querySelectorAll("#faq-hints [data-open], #faq-found [data-open]")].filter((each) => each.offsetParent);
  const here = stops.indexOf(document.activeElement);
  if (here < 0) return;
  event.preventDefault();
  stops[Math.min(Math.max(here + (event.key === "ArrowDown" ? 1 : -1), 0), stops.length - 1)].focus();
});
document.getElementById("case").addEventListener("input", (event) => {
  if (event.target.id === "question") later("suggest", SUGGEST_MS, suggest);
});
new MutationObserver(() => later("suggest", SUGGEST_MS, suggest)).observe(document.getElementById("case"), { childList: true });
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyQ") return;
  event.preventDefault();
  input.focus();
  input.select();
});
suggest();
