// What speaks for an answer: the occlusion method of Zeiler and Fergus (2014). A patch
// of background covers each part of the image in turn. Where the answer becomes less
// likely, the ink below the patch speaks for it.

// The logarithm of a sum of exponentials, which themselves may be too small or large.
function logSum(values) {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}

// Log odds of a class by the mean probabilities of networks, from their logits.
function logOdds(outputs, index) {
  const logs = outputs.map((logits) => VECTOR_ACTIVATIONS.log_softmax(logits));
  const others = logs.flatMap((each) => each.filter((_, i) => i !== index));
  return logSum(logs.map((each) => each[index])) - logSum(others);
}

// Every so many places from 0 to the last, both included.
function starts(last, step) {
  return Array.from({ length: Math.ceil(last / step) + 1 }, (_, i) => Math.min(i * step, last));
}

// Yields after each patch; returns the mean effect of covering each pixel.
function* occlusion({ size: [height, width], values }, index, outputsOf) {
  const patch = Math.max(Math.round(Math.min(height, width) / 6), 2);
  const step = Math.floor(patch / 2);
  const [tops, lefts] = [height, width].map((side) => starts(side - patch, step));
  const [background] = extremes(values);
  const whole = logOdds(outputsOf(values), index);
  const [effects, counts] = [0, 1].map(() => new Float64Array(values.length));
  for (const top of tops) {
    for (const left of lefts) {
      const covered = [];
      for (let y = top; y < top + patch; y++) {
        for (let x = left; x < left + patch; x++) covered.push(y * width + x);
      }
      let effect = 0;
      if (covered.some((place) => values[place] !== background)) {
        const changed = values.slice();
        for (const place of covered) changed[place] = background;
        effect = whole - logOdds(outputsOf(changed), index);
        yield;
      }
      for (const place of covered) {
        effects[place] += effect;
        counts[place] += 1;
      }
    }
  }
  return effects.map((effect, place) => effect / counts[place]);
}

const PAUSE = 150; // milliseconds without a change, before the work begins

// Runs a generator when the browser has nothing else to do; returns what cancels it.
function whenIdle(steps, onResult) {
  const [ask, cancel] = window.requestIdleCallback
    ? [requestIdleCallback, cancelIdleCallback]
    : [(run) => setTimeout(run, 16, null), clearTimeout]; // Safari
  const run = (deadline) => {
    const end = performance.now() + (deadline ? deadline.timeRemaining() : 8);
    do {
      const { done, value } = steps.next();
      if (done) return onResult(value);
    } while (performance.now() < end);
    request = ask(run);
  };
  let request = null;
  const timer = setTimeout(() => (request = ask(run)), PAUSE);
  return () => {
    clearTimeout(timer);
    if (request !== null) cancel(request);
  };
}
