// What comes before the network: size, position, slant and range of the pixels, as
// DigitNormalizer, Deskewer and ImageScaler compute them.

// Like numpy.rint and Python's round: ties go to the even number.
function rounded(x) {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

// The smallest and the largest number.
function extremes(values) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return [low, high];
}

// The first line with ink, and the one after the last; all of them without ink.
function ends(hasInk) {
  if (!hasInk.includes(true)) return [0, hasInk.length];
  return [hasInk.indexOf(true), hasInk.lastIndexOf(true) + 1];
}

function hamming(x) {
  const distance = Math.abs(x);
  if (distance === 0) return 1;
  if (distance >= 1) return 0;
  const angle = distance * Math.PI;
  const window = Math.fround(0.54) + Math.fround(0.46) * Math.cos(angle);
  return (Math.sin(angle) / angle) * window;
}

// The weights with which Pillow's HAMMING filter resizes [start, stop) of a line of
// `length` numbers to `size` numbers.
function resizing(start, stop, length, size) {
  const step = (Math.fround(stop) - Math.fround(start)) / size;
  const support = Math.max(step, 1);
  return Array.from({ length: size }, (_, target) => {
    const center = Math.fround(start) + (target + 0.5) * step;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), length);
    const weights = [];
    for (let i = first; i < end; i++) weights.push(hamming((i - center + 0.5) / support));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => (total ? weight / total : weight)) };
  });
}

// Resize a box [left, top, right, bottom] to [height, width], with 0 where the box
// exceeds the image.
function resized({ size: [height, width], values }, box, [rows, columns]) {
  const [left, top] = [Math.floor(box[0]), Math.floor(box[1])];
  const [right, bottom] = [Math.ceil(box[2]), Math.ceil(box[3])];
  const across = resizing(box[0] - left, box[2] - left, right - left, columns);
  const down = resizing(box[1] - top, box[3] - top, bottom - top, rows);
  const narrow = new Float32Array((bottom - top) * columns);
  for (let y = Math.max(top, 0); y < Math.min(bottom, height); y++) {
    for (let column = 0; column < columns; column++) {
      const { first, weights } = across[column];
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        const x = left + first + i;
        if (x >= 0 && x < width) sum += weights[i] * values[y * width + x];
      }
      narrow[(y - top) * columns + column] = sum;
    }
  }
  const result = new Float32Array(rows * columns);
  down.forEach(({ first, weights }, row) => {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        sum += weights[i] * narrow[(first + i) * columns + column];
      }
      result[row * columns + column] = sum;
    }
  });
  return result;
}

// How many pixels of the output lie before the ink on one axis.
function margin(side, masses, start, stop, scale) {
  let total = 0;
  let moment = 0;
  for (let i = start; i < stop; i++) {
    total += masses[i];
    moment += masses[i] * (i + 0.5);
  }
  const mean = total > 0 ? moment / total : 0;
  // Symmetric digits lie on a tie: it is broken on purpose, not by rounding errors.
  const centred = rounded(Math.floor(side / 2) + 0.5 - scale * (mean - start) - 1e-6);
  return clamp(centred, 0, Math.floor(side - scale * (stop - start) + 1e-6));
}

// Centre of mass [y, x] of an image, and the columns per row by which it slants.
function slant({ size: [height, width], values }) {
  let [total, yMean, xMean] = [0, 0, 0];
  values.forEach((mass, i) => {
    total += mass;
    yMean += mass * Math.floor(i / width);
    xMean += mass * (i % width);
  });
  if (total === 0) return [(height - 1) / 2, (width - 1) / 2, 0];
  yMean /= total;
  xMean /= total;
  let [variance, covariance] = [0, 0];
  values.forEach((mass, i) => {
    const y = Math.floor(i / width) - yMean;
    variance += (mass * y * y) / total;
    covariance += (mass * y * ((i % width) - xMean)) / total;
  });
  return [yMean, xMean, variance < 1e-9 ? 0 : covariance / variance];
}

// The number that `read` has between two places, with 0 beyond the ends of the line.
function between(read, length, position) {
  const first = Math.floor(position);
  const weight = position - first;
  const left = first >= 0 && first < length ? read(first) : 0;
  const right = first >= -1 && first < length - 1 ? read(first + 1) : 0;
  return left * (1 - weight) + right * weight;
}

const STEPS = {
  normalize({ size: [height, width], values }, { size, box, threshold }) {
    const [low, high] = extremes(values);
    const peak = high - low;
    const ink = new Float32Array(values.length);
    for (let i = 0; i < ink.length; i++) ink[i] = (values[i] - low) / (peak || 1);
    const [hasInkRows, hasInkColumns] = [height, width].map((n) => Array(n).fill(false));
    const limit = Math.fround(threshold) * (peak ? 1 : 0);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (ink[y * width + x] > limit) hasInkRows[y] = hasInkColumns[x] = true;
      }
    }
    const [top, bottom] = ends(hasInkRows);
    const [left, right] = ends(hasInkColumns);
    const [rowMasses, columnMasses] = [new Float64Array(height), new Float64Array(width)];
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        rowMasses[y] += ink[y * width + x];
        columnMasses[x] += ink[y * width + x];
      }
    }
    const scale = Math.min(box[0] / (bottom - top), box[1] / (right - left));
    const y = top - margin(size[0], rowMasses, top, bottom, scale) / scale;
    const x = left - margin(size[1], columnMasses, left, right, scale) / scale;
    const corners = [x, y, x + size[1] / scale, y + size[0] / scale];
    const placed = resized({ size: [height, width], values: ink }, corners, size);
    const largest = extremes(placed)[1] || 1;
    return { size, values: placed.map((value) => Math.fround(value / largest) * peak + low) };
  },
  deskew({ size: [height, width], values }, { limit, center }) {
    const [low] = extremes(values);
    const image = { size: [height, width], values: Float64Array.from(values, (v) => v - low) };
    const [yMean, xMean, measured] = slant(image);
    const shear = clamp(measured, -limit, limit);
    const down = center ? yMean - (height - 1) / 2 : 0;
    const across = center ? xMean - (width - 1) / 2 : 0;
    const row = new Float64Array(width);
    const result = new Float32Array(values.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        row[x] = between((i) => image.values[i * width + x], height, y + down);
      }
      const shift = across + shear * (y + down - yMean);
      for (let x = 0; x < width; x++) {
        result[y * width + x] = between((i) => row[i], width, x + shift) + low;
      }
    }
    return { size: [height, width], values: result };
  },
  scale({ size, values }, { low, span, clip }) {
    const scaled = new Float32Array(values.length);
    for (let i = 0; i < scaled.length; i++) {
      const share = (values[i] - low) / span;
      scaled[i] = clip ? clamp(share, 0, 1) : share;
    }
    return { size, values: scaled };
  },
};

// The image that a network gets, of one with pixels from `black` to `white`.
function prepared(image, steps) {
  return steps.reduce((made, step) => STEPS[step.op](made, step), image);
}
