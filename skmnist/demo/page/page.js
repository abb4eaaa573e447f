// The page: what is drawn goes through the network, and the answer into the page.

const model = JSON.parse(document.getElementById("model").textContent);
const networks = model.networks.map(networkOf);
const MOST_BARS = 12;
const NONE = "–";

const byId = (id) => document.getElementById(id);

// The image that the network gets for the ink of a drawing, and the probabilities.
function classify(ink) {
  const share = (model.white - model.black) / 255;
  const values = new Float32Array(ink.length);
  for (let i = 0; i < ink.length; i++) values[i] = model.black + share * ink[i];
  const image = prepared({ size: [SIDE, SIDE], values }, model.steps);
  return { image, probabilities: meanProbabilities(outputsOf(image.values)) };
}

function outputsOf(pixels) {
  return networks.map((network) => logitsOf(network, pixels));
}

function percent(probability) {
  const text = (100 * probability).toFixed(1);
  return `${text === "100.0" && probability < 1 ? "> 99.9" : text} %`;
}

// The places of the classes, most probable first.
function ranked(probabilities) {
  return probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
}

function makeBars() {
  const n = Math.min(model.classes.length, MOST_BARS);
  return Array.from({ length: n }, () => {
    const row = byId("bar").content.cloneNode(true).firstElementChild;
    byId("bars").append(row);
    const [name, track, value] = row.children;
    return { row, name, fill: track.firstElementChild, value };
  });
}

function showBars(probabilities, order) {
  // Many classes do not fit: the likeliest, by their order.
  const shown = order.slice(0, bars.length).sort((a, b) => a - b);
  bars.forEach(({ row, name, fill, value }, i) => {
    const probability = probabilities ? probabilities[shown[i]] : 0;
    name.textContent = model.classes[shown[i]];
    fill.style.transform = `scaleX(${probability})`;
    value.textContent = probabilities ? percent(probability) : NONE;
    row.classList.toggle("best", probabilities !== null && shown[i] === order[0]);
  });
}

function paint(canvas, [height, width], colorOf) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) picture.data.set(colorOf(i), 4 * i);
  context.putImageData(picture, 0, 0);
}

// Pixels of an image as brightness from 0 to 255.
function brightness(values) {
  const [low, high] = extremes(values);
  return Array.from(values, (value) => (255 * (value - low)) / (high - low || 1));
}

function paintSeen({ size, values }) {
  const grey = brightness(values);
  paint(byId("seen"), size, (i) => [grey[i], grey[i], grey[i], 255]);
}

const FOR = [255, 140, 40];
const AGAINST = [70, 150, 255];

function paintEffects({ size, values }, effects) {
  const grey = brightness(values);
  const largest = effects.reduce((most, effect) => Math.max(most, Math.abs(effect)), 1e-9);
  paint(byId("effects"), size, (i) => {
    const strength = Math.abs(effects[i]) / largest;
    const color = effects[i] > 0 ? FOR : AGAINST;
    const base = 0.45 * grey[i];
    return [...color.map((part) => base + (part - base) * 0.85 * strength), 255];
  });
}

let cancelExplanation = () => {};
let current = null; // what was classified last

function explain({ image, probabilities }) {
  const [best] = ranked(probabilities);
  paintEffects(image, image.values.map(() => 0));
  byId("effects").setAttribute("aria-label", "Heat map, which is being computed");
  byId("reasons").textContent = "";
  byId("explained").ariaBusy = "true";
  cancelExplanation = whenIdle(occlusion(image, best, outputsOf), (effects) => {
    paintEffects(image, effects);
    byId("explained").ariaBusy = "false";
    const label = model.classes[best];
    byId("effects").setAttribute("aria-label", `Heat map of the parts that speak for and against ${label}`);
    byId("reasons").textContent = `Without the orange parts, ${label} would be less likely; without the blue parts, more likely.`;
  });
}

function showLabel(text) {
  const letters = Math.max(...text.split(/\s+/).map((word) => word.length));
  byId("label").style.setProperty("--letters", letters);
  byId("label").textContent = text;
}

function showNothing() {
  cancelExplanation();
  current = null;
  document.body.classList.add("empty");
  showLabel(NONE);
  byId("confidence").textContent = "Nothing drawn yet";
  showBars(null, model.classes.map((_, i) => i));
  const size = model.size;
  for (const id of ["seen", "effects"]) paint(byId(id), size, () => [0, 0, 0, 255]);
  byId("seen").setAttribute("aria-label", "Empty image");
  byId("effects").setAttribute("aria-label", "Empty image");
  byId("explained").ariaBusy = "false";
  byId("reasons").textContent = "";
}

function showDrawing() {
  if (sheet.isEmpty) showNothing();
  else showAnswer();
}

function showAnswer() {
  current = classify(sheet.pixels);
  const { image, probabilities } = current;
  const order = ranked(probabilities);
  document.body.classList.remove("empty");
  showLabel(model.classes[order[0]]);
  byId("confidence").textContent = percent(probabilities[order[0]]);
  showBars(probabilities, order);
  paintSeen(image);
  byId("seen").setAttribute("aria-label", "The drawing as the network gets it");
  explain(current);
}

// For screen readers, when a stroke is finished.
function announce() {
  if (sheet.isEmpty) return say("The sheet is empty.");
  const [first, second] = ranked(current.probabilities).map(
    (i) => `${model.classes[i]}, ${percent(current.probabilities[i])}`,
  );
  return say(`${first}. Next: ${second}.`);
}

function say(text) {
  byId("status").textContent = text;
}

// While a stroke grows, at most half of the time goes into answers.
let frame = null;
let pauseUntil = 0;

function showLater() {
  frame ??= requestAnimationFrame((now) => {
    frame = null;
    if (now < pauseUntil) return showLater();
    showDrawing();
    pauseUntil = now + 2 * (performance.now() - now);
    return null;
  });
}

function onChange(isFinished) {
  cancelExplanation();
  byId("undo").disabled = sheet.earlier.length === 0;
  byId("clear").disabled = sheet.isEmpty;
  if (!isFinished) return showLater();
  cancelAnimationFrame(frame);
  frame = null;
  showDrawing();
  return announce();
}

const bars = makeBars();
const sheet = new Sheet(byId("sheet"), onChange, say);
byId("undo").addEventListener("click", () => sheet.undo());
byId("clear").addEventListener("click", () => sheet.clear());
for (const digit of Object.keys(SAMPLES)) {
  if (!model.classes.includes(digit)) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = digit;
  button.setAttribute("aria-label", `Example of ${digit}`);
  button.addEventListener("click", () => sheet.show(SAMPLES[digit]));
  byId("samples").append(button);
  byId("examples").hidden = false;
}
byId("undo").disabled = byId("clear").disabled = true;
showNothing();
