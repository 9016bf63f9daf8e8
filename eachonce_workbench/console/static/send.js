// A form and the JSON beside it say the same: what is typed in one is put into the other, which counts from then on.
const form = document.getElementById("send");
const data = document.getElementById("data");
const fields = [...document.querySelectorAll("#send [data-kind]")];
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const name = (field) => field.name.slice("field.".length);

// The JSON text of one field, as the server makes it; a number stays as it is written, however long.
function textOf(field) {
  const { kind } = field.dataset;
  const plain = (kind === "number" && NUMBER.test(field.value)) || (kind === "truth" && /^(true|false)$/.test(field.value));
  if (plain) return field.value;
  if (kind === "json") {
    try {
      return JSON.stringify(JSON.parse(field.value), null, 2).replaceAll("\n", "\n  ");
    } catch {
      // it is a string then, for the contract to refuse
    }
  }
  return JSON.stringify(field.value);
}

function count(mode) {
  for (const radio of form.querySelectorAll("input[name=mode]")) radio.checked = radio.value === mode;
}

function intoJson() {
  const given = fields.filter((field) => field.value || (field.dataset.kind === "text" && field.dataset.required === "true"));
  data.value = given.length ? `{\n${given.map((field) => `  ${JSON.stringify(name(field))}: ${textOf(field)}`).join(",\n")}\n}` : "{}";
  count("fields");
}

function intoFields() {
  count("json");
  let read;
  try {
    read = JSON.parse(data.value);
  } catch {
    return;
  }
  if (read === null || typeof read !== "object") return;
  for (const field of fields) {
    const value = read[name(field)];
    if (value === undefined || value === null) field.value = "";
    else if (field.dataset.kind === "json") field.value = JSON.stringify(value, null, 2);
    else field.value = typeof value === "string" ? value : JSON.stringify(value);
  }
}

for (const field of fields) field.addEventListener("input", intoJson);
if (fields.length) data.addEventListener("input", intoFields);

// Until the contracts are read there is nothing to type.
if (document.querySelector("[data-reading]")) fetch(`${document.body.dataset.root}send/ready`).then((answer) => answer.ok && location.reload());
