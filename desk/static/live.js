// Keeps the regions of a page as the server last drew them, counts the times, and says how old everything is.

const OLD_S = 5;
const QUIET_MS = 6000;

const ages = document.getElementById("ages");
let offset = ages ? Number(ages.dataset.at) - Date.now() / 1000 : 0; // the server's clock minus ours
let heardAt = Date.now();
let askedAt = Date.now();
let source = null;
let over = false;

const now = () => Date.now() / 1000 + offset;

function lengthOf(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours) return `${hours}時間${String(minutes).padStart(2, "0")}分`;
  return minutes ? `${minutes}分${String(whole % 60).padStart(2, "0")}秒` : `${whole}秒`;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function count() {
  const at = now();
  for (const element of document.querySelectorAll("time[data-since]")) {
    put(element, lengthOf(at - Number(element.dataset.since)));
  }
  for (const element of document.querySelectorAll("time[data-until]")) {
    const left = Number(element.dataset.until) - at;
    put(element, left >= 0 ? `あと ${lengthOf(left)}` : `${lengthOf(-left)} 超過`);
    element.classList.toggle("past", left < 0);
  }
  for (const row of document.querySelectorAll("[data-limit]")) {
    row.classList.toggle("late", at > Number(row.dataset.limit));
  }
  if (ages) showAges(at);
}

const isQuiet = () => Date.now() - heardAt > QUIET_MS;

function showAges(at) {
  for (const part of ages.querySelectorAll("[data-age]")) {
    const told = ages.dataset[part.dataset.age];
    const age = told === "" ? Infinity : at - Number(told);
    put(part.querySelector("b"), age === Infinity ? "まだ分かりません" : age < 2 ? "いま" : `${lengthOf(age)}前`);
    part.classList.toggle("old", age > OLD_S);
  }
  const lost = document.getElementById("lost");
  const cut = isQuiet();
  document.body.classList.toggle("cut", cut || over);
  if (over) put(lost, "サインインが終わりました。画面を開きなおしてください。");
  else if (cut) put(lost, "つながっていません。つなぎなおしています。表示は切れたときのままです。");
  else if (ages.dataset.heard !== "yes") put(lost, "交換機の様子が分かりません。表示は最後に分かったときのものです。");
  else put(lost, "");
}

/** What had the keyboard keeps it when its region is drawn anew. */
function keyOf(element) {
  return element && (element.id ? `#${CSS.escape(element.id)}` : element.getAttribute("href") ? `a[href="${CSS.escape(element.getAttribute("href"))}"]` : null);
}

function draw(name, html) {
  const region = document.getElementById(`r-${name}`);
  if (!region) return;
  const held = region.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  const scrolled = [...region.querySelectorAll(".scroll")].map((element) => element.scrollLeft);
  region.innerHTML = html; // drawn by our own server, which escapes what people and telephones send
  region.querySelectorAll(".scroll").forEach((element, index) => {
    element.scrollLeft = scrolled[index] ?? 0;
  });
  if (held) region.querySelector(held)?.focus();
}

/** Of a long table only the rows that differ have come. */
function drawRows(name, { order, rows }) {
  const region = document.getElementById(`r-${name}`);
  const known = new Map([...(region?.querySelectorAll("[data-row]") ?? [])].map((row) => [row.dataset.row, row]));
  const body = known.values().next().value?.parentNode ?? region?.querySelector("tbody");
  if (!body) return;
  const held = body.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  const made = document.createElement("tbody");
  for (const [key, html] of Object.entries(rows)) {
    made.innerHTML = html; // drawn by our own server, which escapes what people and telephones send
    const row = made.firstElementChild;
    known.get(key)?.replaceWith(row);
    known.set(key, row);
  }
  const wanted = new Set(order);
  for (const [key, row] of known) if (!wanted.has(key)) row.remove();
  let place = body.firstElementChild;
  for (const key of order) {
    const row = known.get(key);
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
  }
  if (held && !body.contains(document.activeElement)) region.querySelector(held)?.focus();
}

function listen(address) {
  source?.close();
  source = new EventSource(address);
  askedAt = Date.now();
  const mine = source;
  const hear = () => {
    heardAt = Date.now();
  };
  source.addEventListener("regions", (event) => {
    hear();
    const { regions, rows } = JSON.parse(event.data);
    for (const [name, html] of Object.entries(regions)) draw(name, html);
    for (const [name, told] of Object.entries(rows)) drawRows(name, told);
    count();
    // An event, not an import: imported by another address than the page's, this module would run and listen twice.
    document.dispatchEvent(new CustomEvent("drawn", { detail: [...Object.keys(regions), ...Object.keys(rows)] }));
  });
  source.addEventListener("pulse", (event) => {
    hear();
    const told = JSON.parse(event.data);
    offset = told.now - Date.now() / 1000;
    if (ages) {
      ages.dataset.live = told.live_at ?? "";
      ages.dataset.ledger = told.ledger_at ?? "";
      ages.dataset.heard = told.heard ? "yes" : "no";
    }
    count();
  });
  source.addEventListener("over", () => {
    over = true;
    mine.close();
    count();
  });
  source.addEventListener("error", () => {
    // The browser tries again by itself unless the answer was a refusal.
    if (mine.readyState === EventSource.CLOSED && mine === source && !over) setTimeout(() => listen(address), 2000);
  });
}

const address = document.querySelector("script[data-live]")?.dataset.live;
if (address) listen(address);
count();
setInterval(() => {
  // A network that swallows everything ends no connection: nobody would ever tell the browser to try again.
  if (address && !over && isQuiet() && Date.now() - askedAt > QUIET_MS) listen(address);
  count();
}, 1000);
