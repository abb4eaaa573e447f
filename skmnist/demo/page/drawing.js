// The sheet: strokes of finger, pen, mouse and keyboard, and their pixels.

const SIDE = 280; // pixels of the ink that is classified, on each side
const PEN = 0.075; // width of a stroke, as a fraction of the sheet
const KEY_STEP = 0.05; // of the pen, by arrow keys

// Points of strokes that look like digits; a point that comes twice is a corner.
const SAMPLES = {
  0: [[[0.52, 0.2], [0.37, 0.25], [0.29, 0.43], [0.3, 0.63], [0.41, 0.78], [0.55, 0.79], [0.68, 0.66], [0.71, 0.45], [0.64, 0.27], [0.51, 0.2]]],
  1: [[[0.42, 0.33], [0.55, 0.19], [0.55, 0.19], [0.53, 0.5], [0.51, 0.81]]],
  2: [[[0.33, 0.34], [0.38, 0.22], [0.53, 0.18], [0.67, 0.28], [0.63, 0.45], [0.48, 0.62], [0.31, 0.78], [0.31, 0.78], [0.5, 0.76], [0.71, 0.78]]],
  3: [[[0.34, 0.25], [0.48, 0.18], [0.65, 0.24], [0.63, 0.4], [0.46, 0.47], [0.46, 0.47], [0.65, 0.52], [0.69, 0.69], [0.54, 0.81], [0.33, 0.75]]],
  4: [[[0.42, 0.19], [0.36, 0.37], [0.32, 0.54], [0.32, 0.54], [0.5, 0.54], [0.71, 0.52]], [[0.61, 0.29], [0.59, 0.55], [0.57, 0.83]]],
  5: [[[0.67, 0.2], [0.42, 0.21], [0.42, 0.21], [0.37, 0.46], [0.37, 0.46], [0.54, 0.42], [0.68, 0.53], [0.65, 0.73], [0.48, 0.81], [0.32, 0.75]]],
  6: [[[0.61, 0.18], [0.44, 0.34], [0.34, 0.56], [0.37, 0.75], [0.52, 0.82], [0.66, 0.73], [0.65, 0.57], [0.51, 0.51], [0.38, 0.6]]],
  7: [[[0.31, 0.23], [0.5, 0.22], [0.69, 0.21], [0.69, 0.21], [0.57, 0.47], [0.47, 0.82]]],
  8: [[[0.63, 0.29], [0.54, 0.19], [0.39, 0.21], [0.37, 0.36], [0.51, 0.48], [0.65, 0.6], [0.64, 0.77], [0.48, 0.83], [0.34, 0.73], [0.4, 0.57], [0.57, 0.45], [0.65, 0.33], [0.61, 0.24]]],
  9: [[[0.66, 0.34], [0.56, 0.2], [0.4, 0.22], [0.34, 0.38], [0.44, 0.49], [0.58, 0.45], [0.66, 0.32], [0.66, 0.32], [0.64, 0.56], [0.57, 0.82]]],
};

// Draw strokes on a canvas of any size, in the colour of its context.
function drawStrokes(context, strokes) {
  const side = context.canvas.width;
  context.clearRect(0, 0, side, side);
  context.lineWidth = PEN * side;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [x * side, y * side]);
    context.beginPath();
    // A path of no length would leave no ink, so a stroke of one place is a tiny circle.
    const isDot = stroke.every((place) => String(place) === String(stroke[0]));
    if (isDot) context.arc(...points[0], 0.01, 0, 2 * Math.PI);
    context.moveTo(...points[0]);
    // From middle to middle, so that the corners of a fast stroke are rounded.
    for (let i = 1; i < points.length; i++) {
      const [[x, y], [nextX, nextY]] = [points[i - 1], points[i]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...points[points.length - 1]);
    context.stroke();
  }
}

class Sheet {
  // `onChange(isFinished)` is called after every change, `onKey(text)` to say what a key
  // did.
  constructor(canvas, onChange, onKey) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    const ink = document.createElement("canvas");
    ink.width = ink.height = SIDE;
    this.ink = ink.getContext("2d", { willReadFrequently: true });
    this.onChange = onChange;
    this.onKey = onKey;
    this.strokes = [];
    this.isEmpty = true; // strokes may lie outside
    this.earlier = []; // strokes before each change, for undo
    this.pen = null; // where the keyboard has the pen
    this.isDown = false; // whether it draws
    this.pointer = null;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.extend(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => this.end(event));
    }
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => (this.isDown ? this.togglePen() : this.draw()));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get isDrawing() {
    return this.pointer !== null || this.isDown;
  }

  // The ink of each pixel, from 0 to 255, in rows from the top.
  get pixels() {
    const { data } = this.ink.getImageData(0, 0, SIDE, SIDE);
    const ink = new Uint8Array(SIDE * SIDE);
    for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3];
    return ink;
  }

  // Show other strokes; those before can be brought back.
  show(strokes) {
    this.earlier.push(this.strokes);
    this.replace(strokes);
  }

  clear() {
    if (!this.isEmpty) this.show([]);
  }

  undo() {
    if (this.earlier.length > 0) this.replace(this.earlier.pop());
  }

  replace(strokes) {
    this.strokes = strokes;
    this.pointer = null; // a stroke that is being drawn ends
    this.isDown = false;
    this.changed();
  }

  // Begin a stroke, of which later places are added to the end.
  start(place) {
    this.earlier.push(this.strokes);
    this.strokes = [...this.strokes, [place]];
    this.changed();
  }

  add(places) {
    this.strokes[this.strokes.length - 1].push(...places);
    this.changed();
  }

  changed() {
    drawStrokes(this.ink, this.strokes);
    this.isEmpty = this.pixels.every((ink) => ink === 0);
    this.draw();
    this.onChange(!this.isDrawing);
  }

  draw() {
    const side = Math.max(Math.round(this.canvas.clientWidth * devicePixelRatio), 1);
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const style = getComputedStyle(this.canvas);
    this.context.strokeStyle = style.color;
    drawStrokes(this.context, this.strokes);
    if (this.pen && this.canvas.matches(":focus-visible")) this.drawPen(side, style);
  }

  drawPen(side, style) {
    const [x, y] = this.pen.map((place) => place * side);
    this.context.beginPath();
    this.context.arc(x, y, (PEN * side) / 2 + 3 * devicePixelRatio, 0, 2 * Math.PI);
    this.context.lineWidth = 2 * devicePixelRatio;
    this.context.strokeStyle = style.outlineColor;
    this.context.stroke();
    if (this.isDown) {
      this.context.fillStyle = style.outlineColor;
      this.context.globalAlpha = 0.4;
      this.context.fill();
      this.context.globalAlpha = 1;
    }
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  begin(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault(); // of selecting text
    this.canvas.focus({ focusVisible: false });
    this.canvas.setPointerCapture(event.pointerId);
    this.isDown = false;
    this.pointer = event.pointerId;
    this.start(this.place(event));
  }

  extend(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.add((events.length ? events : [event]).map((each) => this.place(each)));
  }

  end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.changed();
  }

  press(event) {
    if (this.pointer !== null) return;
    const undoes = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
    if (undoes) this.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key in KEYS) KEYS[event.key](this, event);
    else if (event.key in SAMPLES) this.show(SAMPLES[event.key]);
    else return;
    event.preventDefault();
  }

  movePen(right, down, isFast) {
    const step = KEY_STEP * (isFast ? 3 : 1);
    const [x, y] = this.pen ?? [0.5, 0.5];
    this.pen = [clamp(x + right * step, 0, 1), clamp(y + down * step, 0, 1)];
    if (this.isDown) this.add([this.pen]);
    else this.draw();
  }

  togglePen() {
    this.pen ??= [0.5, 0.5];
    this.isDown = !this.isDown;
    if (!this.isDown) return this.changed();
    this.start(this.pen);
    return this.onKey("Pen down.");
  }

  liftPen() {
    if (this.isDown) this.togglePen();
  }
}

const KEYS = {
  ArrowLeft: (sheet, event) => sheet.movePen(-1, 0, event.shiftKey),
  ArrowRight: (sheet, event) => sheet.movePen(1, 0, event.shiftKey),
  ArrowUp: (sheet, event) => sheet.movePen(0, -1, event.shiftKey),
  ArrowDown: (sheet, event) => sheet.movePen(0, 1, event.shiftKey),
  " ": (sheet) => sheet.togglePen(),
  Escape: (sheet) => sheet.liftPen(),
  Backspace: (sheet) => sheet.undo(),
  Delete: (sheet) => sheet.clear(),
};
