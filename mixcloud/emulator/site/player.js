// The player of the Mixcloud emulator. It plays a generated loop for the length of the show, and sends events as JSON messages
// to the page that embeds it: {"mixcloud": "playerWidget", "type": "event", "data": {"eventName": "play", "args": []}}.
// The form of the messages is inferred from the names in Mixcloud's documentation of the widget.
"use strict";

const player = document.querySelector(".player");
const button = document.querySelector(".play");
const slider = document.querySelector(".seek");
const clock = document.querySelector(".clock");
const length = Number(player.dataset.length);
const audio = new Audio(player.dataset.audio);
audio.loop = true;
audio.preload = "none";

let position = 0; // seconds in the show
let last = 0; // the loop's time at the latest update

function send(type, data) {
  if (parent !== window) parent.postMessage(JSON.stringify({ mixcloud: "playerWidget", type, data }), "*");
}
const event = (eventName, ...args) => send("event", { eventName, args });

const time = (seconds) => {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

function show() {
  slider.value = String(Math.floor(position));
  slider.setAttribute("aria-valuetext", `${time(position)} of ${time(length)}`);
  clock.textContent = `${time(position)} / ${time(length)}`;
  button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  player.classList.toggle("playing", !audio.paused);
}

function seek(seconds) {
  position = Math.min(Math.max(Number(seconds) || 0, 0), length);
  show();
  return true;
}

const play = () => audio.play().catch(() => event("error", "The browser does not play audio before the user clicks."));

audio.addEventListener("waiting", () => event("buffering"));
audio.addEventListener("playing", () => {
  last = audio.currentTime;
  show();
  event("play");
});
audio.addEventListener("pause", () => {
  show();
  event("pause");
});
audio.addEventListener("error", () => event("error", "The audio cannot be loaded."));
audio.addEventListener("timeupdate", () => {
  const step = audio.currentTime - last;
  position = Math.min(position + (step < 0 ? step + audio.duration : step), length);
  last = audio.currentTime;
  show();
  event("progress", position, length);
  if (position >= length) {
    audio.pause();
    position = 0;
    event("ended");
  }
});
button.addEventListener("click", () => (audio.paused ? play() : audio.pause()));
slider.addEventListener("input", () => seek(slider.value));

const methods = {
  play,
  pause: () => audio.pause(),
  togglePlay: () => (audio.paused ? play() : audio.pause()),
  seek,
  getPosition: () => position,
  getDuration: () => length,
  getIsPaused: () => audio.paused,
  getVolume: () => audio.volume,
  setVolume: (volume) => {
    audio.volume = Math.min(Math.max(Number(volume) || 0, 0), 1);
  },
};

addEventListener("message", async ({ source, data }) => {
  if (source !== parent) return;
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return;
  }
  if (message?.mixcloud !== "playerWidget") return;
  if (message.type === "getApi") send("api", { methods: Object.keys(methods), events: ["progress", "buffering", "play", "pause", "ended", "error"] });
  const { methodName, methodId, args = [] } = message.data ?? {};
  if (message.type === "method" && Object.hasOwn(methods, methodName)) send("methodResponse", { methodId, value: await methods[methodName](...args) });
});

show();
send("ready");
