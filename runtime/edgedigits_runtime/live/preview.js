"use strict";

const EVERY = 300; // milliseconds between two requests

const show = (name, text) => {
  const element = document.getElementById(name);
  if (element.textContent !== text) element.textContent = text;
};

let lost = false;

async function update() {
  try {
    const answer = await fetch("reading.json", { cache: "no-store" });
    const reading = await answer.json();
    if (reading.source !== undefined) {
      show("text", reading.text || "no digit");
      document.getElementById("text").classList.toggle("empty", !reading.text);
      show("source", reading.source);
      show("fps", reading.fps.toFixed(1));
      show("reads", reading.reads.toFixed(1));
      show("age", `${Math.round(reading.age)} ms`);
      show("dropped", String(reading.dropped));
      show("model", `${reading.model} on ${reading.engine}, ${reading.device}`);
    }
    show("state", reading.source === undefined ? "Waiting for the first frame." : reading.notice || "");
    // The browser stopped the stream when the server was gone, so request it again.
    if (lost) document.getElementById("picture").src = `stream.mjpg?${Date.now()}`;
    lost = false;
  } catch {
    lost = true;
    show("state", "Connection lost; retrying.");
  }
  setTimeout(update, EVERY);
}

update();
