"use strict";

// OpenID Connect Session Management 1.0 §3.3: has the sign-in changed since the client was told?

const cookie = document.currentScript.dataset.cookie;

function browserState() {
  const pair = document.cookie.split("; ").find((each) => each.startsWith(`${cookie}=`));
  return pair?.slice(cookie.length + 1);
}

async function hashed(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function status(message, origin) {
  const [, clientId, hash, salt] = /^(\S+) ([0-9a-f]{64})\.(\S+)$/.exec(message) ?? [];
  const state = browserState();
  // Where the browser hides the cookie from a frame, "changed" would send the client round for ever.
  if (!hash || state === undefined) return "error";
  return (await hashed(`${clientId} ${origin} ${state} ${salt}`)) === hash ? "unchanged" : "changed";
}

addEventListener("message", async (event) => {
  if (event.origin === "null" || !event.source) return;
  event.source.postMessage(await status(String(event.data), event.origin), event.origin);
});
