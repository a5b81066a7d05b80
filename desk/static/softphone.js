// The telephone in a browser: a window of its own, which stays while pages change in the others.

import { channelOf, listenToKeys, lockOf, possible, showButtons } from "./phone-words.js";

// By the version of this file: what is kept by browsers for ever must change its address when it changes.
const { default: JsSIP } = await import(`./jssip.js${new URL(import.meta.url).search}`);

const { number } = document.querySelector("script[data-number]").dataset;
const csrf = document.querySelector("meta[name=csrf]").content;
const byId = (id) => document.getElementById(id);
const channel = channelOf(number);
const me = crypto.randomUUID?.() ?? `${Date.now().toString(16)}-0000000000000000`;
const SIGN_IN = "*11";
const ELSEWHERE = 4409;
const OVER = 4401;
const REGISTER_S = 120;
const TITLE = document.title;

let agent = null;
let session = null; // JsSIP's, of the one call
let sound = null; // the microphone's stream, open as long as the telephone is
let ring = null;
let mine = false; // whether this window is the telephone of this browser
let leaving = false;
let wasCut = false;
let invite = null; // what rang last
let unanswered = null; // what rang when the line was cut: the switch still waits for an answer
let silent = false; // nothing comes from the other side
const told = { open: true, registered: false, phase: "", held: false, muted: false, kind: "out", text: "", more: "" };
const voice = new Audio();
voice.autoplay = true;

// ---- what is shown --------------------------------------------------------------------------------

const TALK = { ringing: ["ringing", "電話が鳴っています"], dialling: ["ringing", "つないでいます"], talking: ["talking", "通話中"], leaving: ["out", "切っています"] };

function show(cure = "") {
  const [kind, text] = TALK[told.phase] ?? [];
  if (told.phase) {
    told.kind = kind;
    told.text = told.held ? "保留中" : told.muted ? "通話中（消音：こちらの声は届きません）" : text;
  }
  byId("phone-now").className = `state ${told.kind}`;
  if (byId("phone-now").textContent !== told.text) byId("phone-now").textContent = told.text;
  byId("phone-more").textContent = told.more;
  byId("phone-again").hidden = cure !== "again";
  byId("phone-take").hidden = cure !== "take";
  showButtons(document.body, possible(told));
  for (const key of document.querySelectorAll("[data-key]")) key.disabled = told.phase !== "talking";
  document.title = told.phase === "ringing" ? `着信 – ${TITLE}` : TITLE;
  if (mine) channel.postMessage({ state: told });
}

function idle(text, { kind = "out", more = "", cure = "" } = {}) {
  Object.assign(told, { kind, text, more });
  show(cure);
}

function ready() {
  if (told.phase) show();
  else if (told.registered) idle("電話を受けられます", { kind: "ready", more: told.more });
}

// ---- sound ----------------------------------------------------------------------------------------

const REFUSED = {
  NotAllowedError: ["マイクが許可されていません", "アドレスの横の印からマイクを許可して、「もう一度」を押してください。"],
  NotFoundError: ["マイクが見つかりません", "ヘッドセットをつないで、「もう一度」を押してください。"],
  NotReadableError: ["マイクを使えません", "ほかのプログラムがマイクを使っていないか確かめて、「もう一度」を押してください。"],
};

const chosen = (what) => localStorage.getItem(`phone-${what}`) ?? "";

async function openMicrophone() {
  const device = chosen("microphone");
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...(device && { deviceId: device }) },
  });
  for (const track of sound?.getTracks() ?? []) track.stop();
  sound = stream;
  const [track] = stream.getAudioTracks();
  track.enabled = Boolean(told.phase) && !told.muted && !told.held; // nothing is taken up while nobody talks
  track.addEventListener("ended", () => {
    told.more = "マイクが外れました。ヘッドセットをつなぎなおし、「音」からマイクを選んでください。";
    show();
  });
  await listDevices();
}

async function listDevices() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  for (const [what, kind] of [["microphone", "audioinput"], ["speaker", "audiooutput"]]) {
    const list = byId(`phone-${what}`);
    list.replaceChildren(
      new Option("いつもの機器", ""),
      ...devices.filter((each) => each.kind === kind && each.deviceId && each.deviceId !== "default")
        .map((each, place) => new Option(each.label || `機器 ${place + 1}`, each.deviceId)),
    );
    list.value = chosen(what);
    if (!list.value) list.value = "";
  }
  byId("phone-speaker").disabled = !("setSinkId" in voice);
}

async function useMicrophone() {
  await openMicrophone();
  const sender = session?.connection?.getSenders().find((each) => each.track?.kind === "audio");
  await sender?.replaceTrack(sound.getAudioTracks()[0]);
}

async function useSpeaker() {
  if ("setSinkId" in voice) await voice.setSinkId(chosen("speaker")).catch(() => {});
}

/** A telephone's ring, softly: 400 Hz, swelling sixteen times a second, one second in three. */
function startRinging(seconds = Infinity) {
  stopRinging();
  const context = new AudioContext();
  if (chosen("speaker") && context.setSinkId) context.setSinkId(chosen("speaker")).catch(() => {});
  const tone = new OscillatorNode(context, { frequency: 400 });
  const swell = new OscillatorNode(context, { frequency: 16 });
  const depth = new GainNode(context, { gain: 0.05 });
  const level = new GainNode(context, { gain: 0.05 });
  const gate = new GainNode(context, { gain: 0 });
  swell.connect(depth).connect(level.gain);
  tone.connect(level).connect(gate).connect(context.destination);
  for (let at = 0; at < Math.min(seconds, 180); at += 3) {
    gate.gain.setValueAtTime(1, context.currentTime + at);
    gate.gain.setValueAtTime(0, context.currentTime + at + 1);
  }
  tone.start();
  swell.start();
  ring = context;
  if (seconds < Infinity) setTimeout(() => ring === context && stopRinging(), seconds * 1000);
}

function stopRinging() {
  ring?.close();
  ring = null;
}

// ---- the call -------------------------------------------------------------------------------------

const CALL = { pcConfig: { iceServers: [] } };
const CUT_BY_NETWORK = "通信が途切れたため、通話が切れました。";

function follow(call) {
  session = call;
  silent = false;
  const hear = (connection) => {
    connection.addEventListener("track", ({ streams, track }) => {
      voice.srcObject = streams[0] ?? new MediaStream([track]);
      voice.play().catch(() => {});
    });
    connection.addEventListener("iceconnectionstatechange", () => {
      const state = connection.iceConnectionState;
      if (session !== call) return;
      if (state === "failed") {
        told.more = CUT_BY_NETWORK;
        call.terminate();
      } else if (state === "disconnected" || state === "connected" || state === "completed") {
        silent = state === "disconnected";
        told.more = silent ? "音が途切れています。つながるのを待っています。" : "";
        if (wasCut) cut();
      }
      show();
    });
  };
  if (call.connection) hear(call.connection);
  call.on("peerconnection", ({ peerconnection }) => hear(peerconnection));
  call.on("accepted", () => {
    stopRinging();
    Object.assign(told, { phase: "talking", more: "" });
    show();
  });
  for (const [event, values] of [
    ["hold", { held: true }], ["unhold", { held: false }], ["muted", { muted: true }], ["unmuted", { muted: false }],
  ]) {
    call.on(event, (by) => {
      if (by?.originator === "remote") return;
      Object.assign(told, values);
      show();
    });
  }
  call.on("ended", () => finish(call));
  call.on("failed", () => finish(call));
}

function finish(call) {
  if (session !== call) return;
  stopRinging();
  session = null;
  voice.srcObject = null;
  for (const track of sound?.getTracks() ?? []) track.enabled = false;
  if (told.more !== CUT_BY_NETWORK) told.more = "";
  Object.assign(told, { phase: "", held: false, muted: false });
  if (told.registered) ready();
  else cut();
}

function come({ originator, request, session: call }) {
  if (originator === "local") return;
  if (session) {
    call.terminate({ status_code: 486 });
    return;
  }
  follow(call);
  invite = request;
  told.phase = "ringing";
  startRinging();
  window.focus();
  show();
}

function dial(code) {
  told.phase = "dialling";
  sound.getAudioTracks()[0].enabled = true;
  follow(agent.call(`sip:${code}@desk.invalid`, { ...CALL, mediaStream: sound }));
  show();
}

const ACTS = {
  answer() {
    stopRinging();
    sound.getAudioTracks()[0].enabled = true;
    session.answer({ ...CALL, mediaStream: sound });
    told.phase = "dialling";
    show();
  },
  hold: () => session.hold(),
  resume: () => session.unhold(),
  mute: () => session.mute({ audio: true }),
  unmute: () => session.unmute({ audio: true }),
  hang_up() {
    if (agent?.isConnected() || !session.isEstablished()) session.terminate();
    else leaveLater();
  },
  sign_in: () => dial(SIGN_IN),
};

/** The switch cannot be told yet; hearing nothing any more, it ends the call by itself after a while. */
function leaveLater() {
  session.connection.close();
  voice.srcObject = null;
  for (const track of sound?.getTracks() ?? []) track.enabled = false;
  Object.assign(told, { phase: "leaving", held: false, muted: false });
  cut();
}

function act(what) {
  if (possible(told)[what]) ACTS[what]();
}

// ---- the line -------------------------------------------------------------------------------------

async function pass(take) {
  const answer = await fetch("/desk/phone/open", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ window: me, take }),
    signal: AbortSignal.timeout(8000),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error.message), { told: said.error, status: answer.status });
  return said;
}

function cut() {
  let more = "通話は続いています。切れたままなら、画面の管理者に知らせてください。";
  if (!told.phase) more = "電話はまだ鳴りません。";
  else if (told.phase === "leaving") more = "つながりしだい、通話を切ります。こちらの声は、もう届きません。";
  else if (silent) more = "音も途切れています。相手の方が切ったのかもしれません。";
  if (told.phase) Object.assign(told, { more: `交換機とつながっていません。${more}` });
  if (told.phase) show();
  else idle("つなぎなおしています", { more: `交換機とつながっていません。${more}` });
}

/** Give the line back without its last words being taken for a cut. */
function leave() {
  const old = agent;
  agent = null;
  old?.stop();
}

function lost({ code }) {
  told.registered = false;
  if (code !== ELSEWHERE && code !== OVER) {
    if (told.phase === "ringing") {
      // No answer would reach the switch, and a telephone that rings on is busy for the next caller.
      unanswered = invite;
      session.terminate();
    }
    cut();
    // A line that is refused looks like one that is cut; whoever asks by a request is told which it is.
    if (!wasCut) {
      pass(false).then(
        (said) => said.elsewhere && lost({ code: ELSEWHERE }),
        (trouble) => trouble.status === 401 && lost({ code: OVER }),
      );
    }
    wasCut = true;
    return;
  }
  leave();
  if (code === ELSEWHERE) idle("ほかの窓で使われています", { more: "この番号の電話は、ほかの窓か、ほかの端末で開かれました。", cure: "take" });
  else idle("サインインが終わりました", { more: "サインインしなおして、電話を開いてください。" });
}

function registered() {
  told.registered = true;
  told.more = "";
  // Whoever waits for what rang then is free for somebody else, or for this telephone again.
  unanswered?.reply_sl(480);
  unanswered = null;
  if (told.phase === "leaving") session.terminate();
  // The switch sends what it has to say about a call to where the call last came from.
  else if (wasCut && session?.isEstablished()) session.renegotiate();
  wasCut = false;
  ready();
}

function refused({ response, cause }) {
  told.registered = false;
  if (!response) return; // the line is cut, which is told already
  idle("交換機が受け付けません", { more: `「もう一度」を押してください。続くときは管理者に知らせてください（${cause}）。`, cure: "again" });
}

async function open(take = false) {
  idle("電話を準備しています", { more: "マイクの許可を求められたら、許可してください。" });
  try {
    if (!navigator.mediaDevices?.getUserMedia) {
      idle("この接続では電話を使えません", { more: "https のアドレスで開いてください。" });
      return;
    }
    await openMicrophone();
  } catch (trouble) {
    const [text, more] = REFUSED[trouble.name] ?? ["マイクを使えません", "「もう一度」を押してください。"];
    idle(text, { more: `${more}電話はまだ鳴りません。`, cure: "again" });
    return;
  }
  let said;
  try {
    said = await pass(take);
  } catch (trouble) {
    const more = trouble.told ? `${trouble.told.message}。${trouble.told.cure}` : "つながっていません。";
    idle("電話を開けません", { more, cure: "again" });
    return;
  }
  if (said.elsewhere) {
    const more = said.talks ? "その窓で通話中です。ここで使うと、その通話を操作できなくなります。" : "";
    idle("ほかの窓で使われています", { more, cure: "take" });
    return;
  }
  await useSpeaker();
  const address = new URL(`/desk/phone/wire?window=${me}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  leave();
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(address.href)],
    uri: `sip:${said.user}@desk.invalid`,
    password: said.secret,
    register_expires: REGISTER_S,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 2,
    user_agent: "Toritsugi",
  });
  agent = ua;
  ua.on("registered", registered);
  ua.on("registrationFailed", refused);
  ua.on("disconnected", (event) => agent === ua && lost(event));
  ua.on("newRTCSession", come);
  idle("つないでいます");
  ua.start();
}

// ---- the window -----------------------------------------------------------------------------------

channel.addEventListener("message", ({ data }) => {
  if (data.hello && mine) channel.postMessage({ state: told });
  if (data.do) act(data.do);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.do) act(button.dataset.do);
  if (button?.dataset.key) session?.sendDTMF(button.dataset.key, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 });
});
listenToKeys(() => possible(told), act);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select") || told.phase !== "talking") return;
  byId("phone-keys").querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});
byId("phone-again").addEventListener("click", () => open());
byId("phone-take").addEventListener("click", () => open(true));
byId("phone-try").addEventListener("click", () => startRinging(1.2));
for (const [what, use] of [["microphone", useMicrophone], ["speaker", useSpeaker]]) {
  byId(`phone-${what}`).addEventListener("change", async ({ target }) => {
    localStorage.setItem(`phone-${what}`, target.value);
    try {
      await use();
      told.more = "";
    } catch {
      told.more = "その機器を使えません。ほかの機器を選んでください。";
    }
    show();
  });
}
byId("phone-close").addEventListener("click", () => {
  if (told.phase && !window.confirm("通話が切れます。閉じますか。")) return;
  leaving = true;
  session?.terminate();
  leave();
  told.registered = false;
  window.close();
  idle("電話を閉じました", { more: "この窓を閉じてください。", cure: "again" });
});
window.addEventListener("beforeunload", (event) => {
  if (leaving || !(told.phase || told.registered)) return;
  event.preventDefault();
  event.returnValue = "";
});

if (!navigator.locks) {
  mine = true;
  open();
} else {
  navigator.locks.request(lockOf(number), { ifAvailable: true }, async (lock) => {
    if (!lock) {
      idle("電話はもう開いています", { more: "この端末の、ほかの窓で開いています。この窓は閉じてください。" });
      return;
    }
    mine = true;
    await open();
    await new Promise(() => {}); // for as long as this window is open
  });
}
