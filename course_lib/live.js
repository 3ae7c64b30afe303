// The browser's half of a live view: sliders, a canvas, and one or two questions to the kernel at a time.
// The kernel's half stands in widgets.py; what `scene` and `answer` mean, in _canvas.py.

const UNIT = 16; // coordinates come in sixteenths of a pixel
const GAP = -(2 ** 15); // in place of x: lift the pen
const NUDGES = [8, 20]; // milliseconds after which a lone question is followed by an empty message
const REST = 250; // milliseconds without a move after which pictures sent in haste are asked for again
const PATIENCE = 5000; // milliseconds without an answer until the reader is told
const PAUSE = 600; // milliseconds without a change after which the text below the picture is spoken

const STOPPED = "The kernel of this view has stopped. Run its cell again to move it.";
const SILENT = "No answer from the kernel for 5 s: it is busy with another cell, or it has stopped.";

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// ---- The picture ---------------------------------------------------------------------------------------

function decode(data, type, size = {}) {
  return createImageBitmap(new Blob([data], { type }), size);
}

// Return a function that gives what stays, in as many pixels as the screen has now.
function makeLayers(model) {
  const [width, height] = model.get("size");
  let [known, decoded] = [0, null];
  const scaled = async (ratio) => {
    const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    const options = { resizeWidth: size.width, resizeHeight: size.height, resizeQuality: "high" };
    const files = model.get("layers");
    const layers = await Promise.all(files.map((data) => decode(data, "image/png", options)));
    return { ...size, ratio, layers };
  };
  return () => {
    const ratio = Math.max(1, window.devicePixelRatio);
    if (ratio !== known) [known, decoded] = [ratio, scaled(ratio)];
    return decoded;
  };
}

async function decodePicture({ box, type, data }) {
  return { box, bitmap: await decode(data, type) };
}

// Split the coordinates of an answer into one Int16Array for each path of the scene.
function coordinates(answer) {
  const view = answer.points;
  const all = new Int16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  let end = 0;
  return answer.counts.map((count) => all.subarray(2 * end, 2 * (end += count)));
}

function polyline(points, closed) {
  const path = new Path2D();
  let drawing = false;
  for (let i = 0; i < points.length; i += 2) {
    if (points[i] === GAP) {
      if (closed) path.closePath();
      drawing = false;
    } else {
      const [x, y] = [points[i] / UNIT, points[i + 1] / UNIT];
      drawing ? path.lineTo(x, y) : path.moveTo(x, y);
      drawing = true;
    }
  }
  if (closed) path.closePath();
  return path;
}

function ink(context, item, path) {
  if (item.fill) context.fill(path);
  if (item.stroke) context.stroke(path);
}

function drawPath(context, item, points) {
  context.save();
  if (item.clip) {
    context.beginPath();
    context.rect(...item.clip);
    context.clip();
  }
  context.fillStyle = item.fill;
  if (item.stroke) {
    context.strokeStyle = item.stroke;
    context.lineWidth = item.width;
    context.lineCap = item.cap;
    context.lineJoin = item.join;
    context.setLineDash(item.dashes);
    context.lineDashOffset = item.offset;
  }
  if (item.kind === "line") {
    ink(context, item, polyline(points, item.fill));
  } else {
    const marker = new Path2D(item.shape);
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i] / UNIT, points[i + 1] / UNIT];
      context.translate(x, y);
      ink(context, item, marker);
      context.translate(-x, -y);
    }
  }
  context.restore();
}

// Stack what stays and what moves on the canvas, lowest first, in the order in which Matplotlib draws.
function draw(canvas, { width, height, ratio, layers }, scene, paths, pictures) {
  const context = canvas.getContext("2d");
  const next = { layer: 0, picture: 0, path: 0 };
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  for (const item of scene) {
    if (item.kind === "layer") {
      context.drawImage(layers[next.layer++], 0, 0, width / ratio, height / ratio);
    } else if (item.kind === "picture") {
      const { bitmap, box } = pictures[next.picture++];
      const [left, top, right, bottom] = box;
      context.drawImage(bitmap, left, top, right - left, bottom - top);
    } else {
      drawPath(context, item, paths[next.path++]);
    }
  }
}

// ---- The controls --------------------------------------------------------------------------------------

function makeSlider(control, onMove) {
  const last = control.texts.length - 1;
  const input = element("input", { type: "range", name: control.name, min: 0, max: last, step: 1 });
  const text = element("span", { class: "live-value", "aria-hidden": true }); // spoken as aria-valuetext
  const label = element("label", {}, element("span", {}, control.label), input);
  const slider = {
    name: control.name,
    row: element("div", { class: "live-control" }, label, text),
    last,
    get position() {
      return Number(input.value);
    },
    set position(i) {
      input.value = i;
      text.textContent = control.texts[i];
      input.setAttribute("aria-valuetext", control.texts[i]);
    },
    reset() {
      slider.pause();
      slider.position = control.start;
    },
    pause() {},
    isPlaying: () => false,
  };
  input.addEventListener("input", () => {
    slider.pause();
    slider.position = slider.position;
    onMove();
  });
  text.style.minWidth = `${Math.max(...control.texts.map((t) => t.length))}ch`;
  slider.position = control.start;
  return slider;
}

// A slider that moves on by itself; one step at each press where the reader asked for reduced motion.
function makePlayer(control, onMove) {
  const slider = makeSlider(control, onMove);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const button = element("button", { type: "button" });
  let timer = null;

  const show = () => {
    const action = timer !== null ? "pause" : still.matches ? "step" : "play";
    button.textContent = { pause: "Pause", step: "Next step", play: "Play" }[action];
    button.dataset.action = action;
  };
  const advance = () => {
    slider.position = slider.position === slider.last ? 0 : slider.position + 1;
    if (slider.position === slider.last) slider.pause();
    onMove();
  };
  slider.isPlaying = () => timer !== null;
  slider.pause = () => {
    clearInterval(timer);
    timer = null;
    show();
  };
  button.addEventListener("click", () => {
    if (timer !== null) {
      slider.pause();
    } else {
      if (!still.matches) timer = setInterval(advance, 1000 / control.fps);
      show();
      advance();
    }
  });
  still.addEventListener("change", slider.pause);
  slider.row.append(button);
  show();
  return slider;
}

// ---- The questions to the kernel -----------------------------------------------------------------------

// Ask for the newest positions only; what was passed over meanwhile is never asked for.
// A second question may be under way while the first is answered if the way takes longer than the work: a
// Jupyter server holds small messages that follow each other back (Nagle's algorithm) for some 40 ms, until
// the browser acknowledges the first. A lone question is therefore followed by empty messages, which the kernel
// ignores: each carries the acknowledgement that sets the answer free.
function talkToKernel(model, content, complain) {
  const view = String(Math.random());
  const sent = new Map();
  let [seq, atOnce, waiting, stopped, alarm, rest] = [0, 1, false, false, null, null];

  const giveUp = () => {
    sent.clear(); // answers may be lost: the next question does not wait for them
    complain(SILENT);
    if (waiting) ask();
  };
  const watch = () => {
    clearTimeout(alarm);
    alarm = sent.size && !stopped ? setTimeout(giveUp, PATIENCE) : null;
  };
  const nudge = (asked) => {
    if (!stopped && sent.size === 1 && sent.has(asked)) model.send({});
  };
  const ask = (haste = true) => {
    clearTimeout(rest);
    waiting = sent.size >= atOnce;
    if (stopped || waiting) return;
    seq += 1;
    sent.set(seq, { time: performance.now(), alone: sent.size === 0 });
    if (sent.size === 1) {
      watch();
      for (const wait of NUDGES) setTimeout(nudge, wait, seq);
    }
    model.send({ view, seq, haste, ...content() });
  };
  const hear = (answer) => {
    const question = answer.view === view && sent.get(answer.seq);
    if (!question) return;
    if (question.alone) atOnce = performance.now() - question.time > 2 * answer.kernel ? 2 : 1;
    for (const earlier of sent.keys()) if (earlier <= answer.seq) sent.delete(earlier);
    watch();
    if (waiting) ask();
    if (!sent.size && answer.pictures.length && answer.haste) {
      rest = setTimeout(ask, REST, false);
    }
  };
  const stop = () => {
    stopped = true;
    watch();
    complain(STOPPED);
  };
  return { ask, hear, stop, isQuiet: () => sent.size === 0 };
}

// ---- For who listens -----------------------------------------------------------------------------------

// Speak a text once it has stopped changing: a slider that moves says its own value meanwhile.
function makeSpeaker(isBusy) {
  const node = element("span", { class: "live-spoken", role: "status" });
  let [timer, last] = [null, null];
  const stop = () => clearTimeout(timer);
  const speak = (text) => {
    last ??= text; // what stands there from the start is read where it stands
    const say = () => {
      if (isBusy()) return speak(text);
      if (text !== last) node.textContent = last = text;
      timer = setTimeout(() => node.replaceChildren(), PATIENCE); // or it would be read twice
    };
    stop();
    timer = setTimeout(say, PAUSE);
  };
  return { node, speak, stop };
}

// JupyterLab leaves out the text alternative that `show` stores with a picture: its caption takes its place.
function describePictures() {
  for (const image of document.querySelectorAll(".jp-OutputArea-child img:not([alt])")) {
    const caption = image.closest(".jp-OutputArea-child").nextElementSibling?.querySelector(".course-caption");
    if (caption) image.alt = caption.textContent;
  }
}

function keepPicturesDescribed() {
  if (window.coursePictures) return; // one observer serves the whole page
  window.coursePictures = new MutationObserver(describePictures);
  window.coursePictures.observe(document.body, { childList: true, subtree: true });
  describePictures();
}

// ---- The view ------------------------------------------------------------------------------------------

function render({ model, el }) {
  const [width, height] = model.get("size");
  const alt = model.get("alt");
  const status = element("div", { class: "live-status", id: `live-status-${Math.random()}` });
  const canvas = element("canvas", { role: "img", "aria-label": alt, "aria-describedby": status.id });
  const reset = element("button", { type: "button" }, "Reset");
  const bar = element("div", { class: "live-controls" });
  const named = { class: "live-view", role: "group", "aria-label": `Live view: ${alt}` };
  const speaker = makeSpeaker(() => sliders.some((slider) => slider.isPlaying()));
  const box = element("div", named, bar, canvas, status, speaker.node);
  canvas.style.cssText = `width: ${width}px; aspect-ratio: ${width} / ${height}`;
  el.append(box);

  const say = (text, isError) => {
    status.textContent = text;
    status.classList.toggle("live-error", isError);
    speaker.speak(text);
  };
  const sliders = [];
  const content = () => ({
    positions: Object.fromEntries(sliders.map((slider) => [slider.name, slider.position])),
    ratio: window.devicePixelRatio,
  });
  const kernel = talkToKernel(model, content, (text) => say(text, true));
  for (const control of model.get("controls")) {
    const make = control.fps ? makePlayer : makeSlider;
    sliders.push(make(control, () => kernel.ask()));
    bar.append(sliders.at(-1).row);
  }
  bar.append(reset);
  reset.addEventListener("click", () => {
    for (const slider of sliders) slider.reset();
    kernel.ask();
  });

  const getLayers = makeLayers(model);
  let [begun, shown] = [0, 0];
  const show = async () => {
    const [turn, scene, answer] = [++begun, model.get("scene"), model.get("answer")];
    const paths = coordinates(answer);
    kernel.hear(answer);
    // The same view may stand in two places, or be opened anew: what was asked there is shown here too.
    if (kernel.isQuiet()) for (const slider of sliders) slider.position = answer.positions[slider.name];
    const pictures = await Promise.all(answer.pictures.map(decodePicture));
    const layers = await getLayers();
    if (turn < shown) return; // a later one was decoded sooner
    shown = turn;
    say(answer.error || answer.status, answer.error !== "");
    draw(canvas, layers, scene, paths, pictures);
    box.drawn = { answer, paths }; // for tests and benchmarks
    box.dispatchEvent(new CustomEvent("drawn"));
  };
  show();
  keepPicturesDescribed();

  // JupyterLab would take the arrow keys for moving between cells.
  box.addEventListener("keydown", (event) => {
    const theirs = event.ctrlKey || event.metaKey || event.altKey || ["Escape", "Tab"].includes(event.key);
    if (!theirs) event.stopPropagation();
  });
  const heard = { "change:answer": show, "comm:close": kernel.stop, comm_live_update: kernel.stop };
  for (const [event, react] of Object.entries(heard)) model.on(event, react);
  window.addEventListener("resize", show);
  return () => {
    for (const [event, react] of Object.entries(heard)) model.off(event, react);
    window.removeEventListener("resize", show);
    for (const slider of sliders) slider.pause();
    speaker.stop();
  };
}

export default { render };
