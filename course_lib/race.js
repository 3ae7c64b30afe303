// The player of a race: it needs nothing but what race.py wrote into `data`, and stands in the page as it is.

const UNIT = 16; // coordinates come in sixteenths of a pixel
const GAP = -(2 ** 15); // in place of x: here the track is lost
const SPEEDS = [0.25, 0.5, 1, 2, 4];

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// ---- The picture ---------------------------------------------------------------------------------------

function coordinates({ points, counts }) {
  const bytes = Uint8Array.from(atob(points), (letter) => letter.charCodeAt(0));
  const all = new Int16Array(bytes.buffer);
  let end = 0;
  return counts.map((count) => all.subarray(2 * end, 2 * (end += count)));
}

async function decode(url, size) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return createImageBitmap(image, { ...size, resizeQuality: "high" });
}

// Return a track as it stands at step k: its path so far, its tip, and whether it is lost.
function follow(points, k) {
  const last = points.length / 2 - 1;
  const [now, next] = [Math.min(Math.floor(k), last), Math.min(Math.floor(k) + 1, last)];
  const at = (i) => ({ x: points[2 * i] / UNIT, y: points[2 * i + 1] / UNIT, gap: points[2 * i] === GAP });
  const path = new Path2D();
  let [tip, drawing] = [null, false];
  const go = (point) => {
    if (!point.gap) {
      drawing ? path.lineTo(point.x, point.y) : path.moveTo(point.x, point.y);
      tip = point;
    }
    drawing = !point.gap;
  };
  for (let i = 0; i <= now; i++) go(at(i));
  const [lost, from, to] = [!drawing, at(now), at(next)];
  const part = k - now;
  if (!lost && !to.gap) go({ x: from.x + part * (to.x - from.x), y: from.y + part * (to.y - from.y) });
  return { path, tip, lost };
}

function paint(context, item, { path, tip, lost }) {
  const isTrack = item.kind === "track";
  if (!isTrack && lost !== (item.kind === "cross")) return;
  context.save();
  if (item.clip) {
    context.beginPath();
    context.rect(...item.clip);
    context.clip();
  }
  if (!isTrack) {
    context.translate(tip.x, tip.y);
    context.fillStyle = item.fill;
    path = new Path2D(item.shape);
    context.fill(path);
  }
  if (item.stroke) {
    context.strokeStyle = item.stroke;
    context.lineWidth = item.width;
    context.lineCap = item.cap;
    context.lineJoin = item.join;
    context.setLineDash(item.dashes);
    context.lineDashOffset = item.offset;
    context.stroke(path);
  }
  context.restore();
}

function draw(canvas, layers, { scene, size: [width, height] }, tracks, k) {
  const context = canvas.getContext("2d");
  const states = tracks.map((points) => follow(points, k));
  let next = 0;
  context.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
  for (const item of scene) {
    if (item.kind === "layer") context.drawImage(layers[next++], 0, 0, width, height);
    else paint(context, item, states[item.track]);
  }
}

// ---- The player ----------------------------------------------------------------------------------------

async function race(box, data) {
  const [width, height] = data.size;
  const tracks = coordinates(data);
  const steps = Math.max(...data.counts) - 1;
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const canvas = element("canvas", { role: "img", "aria-label": data.alt });
  canvas.style.cssText = `width: ${width}px; aspect-ratio: ${width} / ${height}`;
  const button = element("button", { type: "button", style: "min-width: 6.5em" });
  const slider = element("input", { type: "range", min: 0, max: steps, step: 1 });
  const text = element("span", { class: "live-value", "aria-hidden": true }); // spoken as aria-valuetext
  text.style.minWidth = `${2 * String(steps).length + 4}ch`;
  const speed = element("select", {}, ...SPEEDS.map((s) => element("option", { value: s }, `${s}×`)));
  speed.value = 1;
  const control = (name, input) => element("label", {}, element("span", {}, name), input);
  const bar = element(
    "div",
    { class: "live-controls" },
    element("div", { class: "live-control" }, button, control("step", slider), text),
  );
  const spoken = element("span", { class: "live-spoken", role: "status" });
  if (!reduced) bar.append(element("div", { class: "live-control" }, control("speed", speed)));
  bar.append(spoken);

  let [position, playing, before, frame, ratio, layers] = [steps, false, 0, 0, 0, null];

  // Make the pictures ready for as many pixels as the screen has now.
  const fit = async () => {
    ratio = window.devicePixelRatio;
    const size = data.size.map((length) => Math.round(length * Math.max(1, ratio)));
    const [resizeWidth, resizeHeight] = size;
    layers = await Promise.all(data.layers.map((url) => decode(url, { resizeWidth, resizeHeight })));
    [canvas.width, canvas.height] = size;
    show();
  };
  const show = () => {
    const words = `${Math.floor(position)} of ${steps}`;
    if (text.textContent !== words) {
      slider.value = Math.floor(position);
      text.textContent = words;
      slider.setAttribute("aria-valuetext", words);
    }
    draw(canvas, layers, data, tracks, position);
    box.drawn = { position, playing }; // for tests and benchmarks
    box.dispatchEvent(new CustomEvent("drawn"));
    if (ratio !== window.devicePixelRatio) fit();
  };
  const setPlaying = (on) => {
    playing = on;
    const action = playing ? "pause" : reduced ? "step" : "play";
    button.textContent = { pause: "Pause", step: "Next step", play: "Play" }[action];
    button.dataset.action = action;
    cancelAnimationFrame(frame);
    if (playing) [before, frame] = [0, requestAnimationFrame(tick)];
  };
  const say = () => {
    spoken.textContent = playing ? "" : `step ${text.textContent}`;
  };
  const tick = (now) => {
    const passed = before ? Math.min(now - before, 100) / 1000 : 0; // a page that was hidden has not run on
    before = now;
    position = Math.min(steps, position + (passed * Number(speed.value) * steps) / data.seconds);
    if (position === steps || !box.isConnected) setPlaying(false);
    else frame = requestAnimationFrame(tick);
    show();
    if (!playing) say();
  };

  button.addEventListener("click", () => {
    if (!playing && position === steps) position = 0;
    else if (reduced) position = Math.floor(position) + 1;
    setPlaying(!playing && !reduced);
    show();
    say();
  });
  slider.addEventListener("input", () => {
    position = Number(slider.value);
    setPlaying(false);
    show();
  });
  // JupyterLab would take the arrow keys for moving between cells, and slides for turning the page.
  box.addEventListener("keydown", (event) => {
    const theirs = event.ctrlKey || event.metaKey || event.altKey || ["Escape", "Tab"].includes(event.key);
    if (!theirs) event.stopPropagation();
  });

  setPlaying(false);
  await fit();
  box.querySelector("img").replaceWith(bar, canvas);
}
