"use strict";

// Shows how hard a new password is to guess while it is typed. An estimate: only the server refuses passwords.

const NEW_KIND = 4.5; // bits of a character that begins a word, or is of another kind than the one before
const SAME_KIND = 2.5; // a letter in a word, or a digit in a number
const IDEOGRAPH = 5; // one of a few thousand, in a word
const OTHER_CASE = 1;
const FORESEEN = 0.5; // repeated, next in the alphabet, or after the same character as before
const LEVELS = [35, 50, 65]; // bits: four random words have 52

const kindOf = (character) =>
  /\s/u.test(character) ? "space" : /\p{L}/u.test(character) ? "letter" : /\p{Nd}/u.test(character) ? "digit" : "sign";

function bitsOf(character, before) {
  const kind = kindOf(character);
  if (kind === "space") return OTHER_CASE;
  if (/[\p{Script=Han}\p{Script=Hangul}]/u.test(character)) return IDEOGRAPH;
  if (!before || kind !== kindOf(before)) return NEW_KIND;
  const isUpperCase = character !== character.toLowerCase() && before !== before.toUpperCase();
  return SAME_KIND + (isUpperCase ? OTHER_CASE : 0);
}

function estimate(password) {
  const pairs = new Set();
  let bits = 0;
  let before = "";
  for (const character of password) {
    const pair = before + character;
    const isNext = before && Math.abs(character.codePointAt(0) - before.codePointAt(0)) <= 1;
    bits += isNext || pairs.has(pair) ? FORESEEN : bitsOf(character, before);
    pairs.add(pair);
    before = character;
  }
  return bits;
}

// What attackers know of the user counts as one character.
function withoutNames(password, form) {
  const known = ["username", "name", "email"].map((name) => form.elements[name]?.value ?? "");
  const parts = known.flatMap((text) => text.split(/[\s@.]+/u)).filter((part) => part.length > 2);
  const escaped = parts.map((part) => part.replace(/[^\p{L}\p{N}]/gu, "\\$&"));
  return escaped.length ? password.replace(new RegExp(escaped.join("|"), "giu"), "x") : password;
}

for (const shown of document.querySelectorAll("[data-strength]")) {
  const input = document.getElementById(shown.dataset.strength);
  const output = shown.querySelector("output");
  const { weak, fair, good, strong } = shown.dataset;
  input.addEventListener("input", () => {
    const bits = input.value.length < input.minLength ? 0 : estimate(withoutNames(input.value, input.form));
    const level = LEVELS.filter((least) => bits >= least).length;
    const words = [weak, fair, good, strong][level];
    shown.dataset.level = level + 1;
    shown.hidden = !input.value;
    if (output.textContent !== words) output.textContent = words; // screen readers say it once
  });
}
