// The forward pass of a network. Images have the channels last; numbers are float32
// between layers and float64 within them.

function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new DataView(bytes.buffer);
}

// An array as float32. All of them are little-endian.
function arrayOf({ shape, bits, scale, data }) {
  const size = shape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(size);
  const view = decoded(data);
  if (bits === 32) {
    for (let i = 0; i < size; i++) values[i] = view.getFloat32(4 * i, true);
    return values;
  }
  const scales = decoded(scale);
  const units = shape[shape.length - 1];
  for (let i = 0; i < size; i++) {
    const integer = bits === 16 ? view.getInt16(2 * i, true) : view.getInt8(i);
    values[i] = integer * scales.getFloat32(4 * (i % units), true);
  }
  return values;
}

// The error function, by its series and its continued fraction.
function erf(x) {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 100; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  const rest = Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction));
  return Math.sign(x) * (1 - rest);
}

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const hardSigmoid = (x) => clamp(x / 6 + 0.5, 0, 1);
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

// Activations of one number.
const ACTIVATIONS = {
  celu: (x) => (x > 0 ? x : Math.expm1(x)),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  exponential: Math.exp,
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  hard_shrink: (x) => (Math.abs(x) > 0.5 ? x : 0),
  hard_sigmoid: hardSigmoid,
  hard_silu: (x) => x * hardSigmoid(x),
  hard_swish: (x) => x * hardSigmoid(x),
  hard_tanh: (x) => clamp(x, -1, 1),
  leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
  log_sigmoid: (x) => -softplus(-x),
  mish: (x) => x * Math.tanh(softplus(x)),
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clamp(x, 0, 6),
  selu: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  sigmoid,
  silu: (x) => x * sigmoid(x),
  soft_shrink: (x) => Math.sign(x) * Math.max(Math.abs(x) - 0.5, 0),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  sparse_plus: (x) => (x <= -1 ? 0 : x >= 1 ? x : ((x + 1) / 2) ** 2),
  sparse_sigmoid: (x) => clamp(x / 2 + 0.5, 0, 1),
  squareplus: (x) => (x + Math.sqrt(x * x + 4)) / 2,
  swish: (x) => x * sigmoid(x),
  tanh: Math.tanh,
  tanh_shrink: (x) => x - Math.tanh(x),
};

// Activations of all units, or of all channels of a pixel.
const VECTOR_ACTIVATIONS = {
  softmax(values) {
    const largest = Math.max(...values);
    const powers = Array.from(values, (x) => Math.exp(x - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  },
  log_softmax(values) {
    const largest = Math.max(...values);
    const total = values.reduce((sum, x) => sum + Math.exp(x - largest), 0);
    return Array.from(values, (x) => x - largest - Math.log(total));
  },
  sparsemax(values) {
    const ordered = Float64Array.from(values).sort().reverse();
    let sum = 0;
    let count = 0;
    let total = 0;
    ordered.forEach((value, index) => {
      sum += value;
      if (1 + (index + 1) * value > sum) {
        count += 1;
        total += sum; // Keras sums the cumulative sums, and so the networks learn
      }
    });
    const threshold = (total - 1) / count;
    return Array.from(values, (x) => Math.max(x - threshold, 0));
  },
};

function activate({ shape, values }, name) {
  if (name === null || name === undefined || name === "linear") return;
  if (name in ACTIVATIONS) {
    const activation = ACTIVATIONS[name];
    for (let i = 0; i < values.length; i++) values[i] = activation(values[i]);
    return;
  }
  const n = shape[shape.length - 1];
  for (let start = 0; start < values.length; start += n) {
    const part = values.subarray(start, start + n);
    part.set(VECTOR_ACTIVATIONS[name](part));
  }
}

// Padding before the first row or column, as TensorFlow pads.
function before(size, kernel, step, padding) {
  if (padding === "valid") return 0;
  const needed = (Math.ceil(size / step) - 1) * step + kernel - size;
  return Math.max(Math.floor(needed / 2), 0);
}

function convolved(images, layer, [kernel, bias]) {
  const [height, width, channels] = images.shape;
  const [kernelHeight, kernelWidth] = layer.kernel_size;
  const [down, right] = layer.strides;
  const filters = layer.filters;
  const isSame = layer.padding === "same";
  const rows = Math.ceil((isSame ? height : height - kernelHeight + 1) / down);
  const columns = Math.ceil((isSame ? width : width - kernelWidth + 1) / right);
  const top = before(height, kernelHeight, down, layer.padding);
  const left = before(width, kernelWidth, right, layer.padding);
  const values = new Float32Array(rows * columns * filters);
  const sums = new Float64Array(filters);
  for (let row = 0, target = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, target += filters) {
      if (bias) sums.set(bias);
      else sums.fill(0);
      for (let ky = 0; ky < kernelHeight; ky++) {
        const y = row * down - top + ky;
        if (y < 0 || y >= height) continue;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const x = column * right - left + kx;
          if (x < 0 || x >= width) continue;
          const pixel = (y * width + x) * channels;
          const first = (ky * kernelWidth + kx) * channels;
          for (let channel = 0; channel < channels; channel++) {
            const value = images.values[pixel + channel];
            if (value === 0) continue; // much of a drawing, and after ReLU
            const place = (first + channel) * filters;
            for (let f = 0; f < filters; f++) sums[f] += value * kernel[place + f];
          }
        }
      }
      values.set(sums, target);
    }
  }
  return { shape: [rows, columns, filters], values };
}

// Maxima or means of windows that do not overlap. What is left over is dropped.
function pooled(images, kind, [windowHeight, windowWidth]) {
  const [height, width, channels] = images.shape;
  const rows = Math.floor(height / windowHeight);
  const columns = Math.floor(width / windowWidth);
  const values = new Float32Array(rows * columns * channels);
  for (let row = 0, target = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++, target++) {
        let largest = -Infinity;
        let sum = 0;
        for (let y = row * windowHeight; y < (row + 1) * windowHeight; y++) {
          for (let x = column * windowWidth; x < (column + 1) * windowWidth; x++) {
            const value = images.values[(y * width + x) * channels + channel];
            if (value > largest) largest = value;
            sum += value;
          }
        }
        values[target] = kind === "max" ? largest : sum / (windowHeight * windowWidth);
      }
    }
  }
  return { shape: [rows, columns, channels], values };
}

function flat({ values }) {
  return { shape: [values.length], values };
}

// One function per kind of layer: what comes in, the layer, its weights.
const LAYERS = {
  Convolution: convolved,
  Pooling: (images, layer) => pooled(images, layer.kind, layer.pool_size),
  GlobalPooling: (images, layer) =>
    flat(pooled(images, layer.kind, images.shape.slice(0, 2))),
  BatchNormalization({ shape, values }, { epsilon }, [gamma, beta, mean, variance]) {
    const normalized = values.map((value, i) => {
      const unit = i % gamma.length;
      const factor = gamma[unit] / Math.sqrt(variance[unit] + epsilon);
      return (value - mean[unit]) * factor + beta[unit];
    });
    return { shape, values: normalized };
  },
  Activation: ({ shape, values }) => ({ shape, values: values.slice() }),
  Flatten: flat,
  Dense({ values }, { units }, [kernel, bias]) {
    const sums = new Float64Array(units);
    if (bias) sums.set(bias);
    for (let i = 0, place = 0; i < values.length; i++, place += units) {
      const value = values[i];
      if (value === 0) continue;
      for (let unit = 0; unit < units; unit++) sums[unit] += value * kernel[place + unit];
    }
    return { shape: [units], values: Float32Array.from(sums) };
  },
};

function networkOf({ shape, layers }) {
  const decodedLayers = layers.map((layer) => ({
    ...layer,
    weights: layer.weights.map(arrayOf),
  }));
  return { shape, layers: decodedLayers };
}

// Logits of an image.
function logitsOf({ shape, layers }, pixels) {
  let tensor = { shape, values: Float32Array.from(pixels) };
  for (const layer of layers) {
    tensor = LAYERS[layer.op](tensor, layer, layer.weights);
    activate(tensor, layer.activation);
  }
  return tensor.values;
}

// The mean of the probabilities of networks.
function meanProbabilities(outputs) {
  const each = outputs.map((logits) => VECTOR_ACTIVATIONS.softmax(logits));
  return each[0].map((_, i) => each.reduce((sum, p) => sum + p[i], 0) / each.length);
}
