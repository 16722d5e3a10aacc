// The network at one moment, once for each of two controllers. A link's two directions are two arrows that meet half
// way.

const mapWidth = 620;
let layout = null;  // of the nodes, the same for both maps

// Where nodes stand: by coordinates; those without, between their neighbours; all by their links if few have any.
function placeNodes() {
  const nodes = data.nodes;
  const placed = nodes.map((node) => (node.lat === undefined ? null : [node.lon, -mercator(node.lat)]));
  const known = placed.filter((at) => at !== null).length;
  if (known < 2 || known * 2 < nodes.length) {
    return placeByLinks();
  }
  for (let round = 0; round < nodes.length && placed.includes(null); ++round) {
    nodes.forEach((node, n) => {
      if (placed[n] !== null) return;
      const around = data.links.filter((link) => link.from === n && placed[link.to]).map((link) => placed[link.to]);
      if (around.length === 0) return;
      const mean = (axis) => around.reduce((sum, at) => sum + at[axis], 0) / around.length;
      placed[n] = [mean(0) + 0.6, mean(1) + 0.6];
    });
  }
  const middle = placed.find((at) => at !== null);
  return placed.map((at) => at || middle);
}
// Links pull, nodes push, from a circle on; the same every time.
// Source: Fruchterman and Reingold, "Graph drawing by force-directed placement", Software 1991.
function placeByLinks() {
  const count = data.nodes.length, ideal = 1 / Math.sqrt(count), rounds = count > 250 ? 40 : 300;
  const at = data.nodes.map((node, n) => [Math.cos(2 * Math.PI * n / count), Math.sin(2 * Math.PI * n / count)]);
  for (let round = 0; round < rounds; ++round) {
    const move = at.map(() => [0, 0]), heat = 0.12 * (1 - round / rounds);
    const force = (a, b, strength) => {
      const dx = at[b][0] - at[a][0], dy = at[b][1] - at[a][1], apart = Math.max(1e-3, Math.hypot(dx, dy));
      const size = strength(apart) / apart;
      move[a][0] += dx * size; move[a][1] += dy * size;
      move[b][0] -= dx * size; move[b][1] -= dy * size;
    };
    for (let a = 0; a < count; ++a) for (let b = a + 1; b < count; ++b) force(a, b, (apart) => -ideal * ideal / apart);
    for (const link of data.links) if (link.from < link.to) force(link.from, link.to, (apart) => apart * apart / ideal);
    at.forEach((spot, n) => {
      const length = Math.max(1e-9, Math.hypot(...move[n])), limited = Math.min(heat, length) / length;
      spot[0] += move[n][0] * limited;
      spot[1] += move[n][1] * limited;
    });
  }
  return at;
}

function mercator(latitude) {
  const bounded = Math.max(-80, Math.min(80, latitude)) * Math.PI / 180;
  return Math.log(Math.tan(Math.PI / 4 + bounded / 2)) * 180 / Math.PI;
}

// Fills the width: a map is stretched sideways by up to 1.6, and cities that lie close are moved apart.
function makeLayout() {
  const placed = placeNodes(), margin = 50;
  const range = (axis) => [Math.min(...placed.map((at) => at[axis])), Math.max(...placed.map((at) => at[axis]))];
  const [left, right] = range(0), [top, bottom] = range(1);
  const spanX = Math.max(right - left, 1e-6), spanY = Math.max(bottom - top, 1e-6);
  const height = Math.max(300, Math.min(460, (mapWidth - 2 * margin) * spanY / spanX + 2 * margin));
  const scaleY = Math.min((mapWidth - 2 * margin) / spanX, (height - 2 * margin) / spanY);
  const scaleX = Math.min((mapWidth - 2 * margin) / spanX, scaleY * 1.6);
  const at = placed.map(([x, y]) => [mapWidth / 2 + (x - (left + right) / 2) * scaleX,
                                     height / 2 + (y - (top + bottom) / 2) * scaleY]);
  moveApart(at, Math.min(68, 190 / Math.sqrt(at.length)), margin - 14, height);
  return {at: at, height: height};
}

function moveApart(at, distance, margin, height) {
  for (let round = 0; round < 60; ++round) {
    for (let a = 0; a < at.length; ++a) {
      for (let b = a + 1; b < at.length; ++b) {
        let dx = at[b][0] - at[a][0], dy = at[b][1] - at[a][1], apart = Math.hypot(dx, dy);
        if (apart >= distance) continue;
        if (apart < 1e-6) [dx, dy, apart] = [1, 0, 1];  // on the same spot
        const push = 0.25 * (distance - apart) / apart;
        at[a] = [at[a][0] - dx * push, at[a][1] - dy * push];
        at[b] = [at[b][0] + dx * push, at[b][1] + dy * push];
      }
    }
    for (const spot of at) {
      spot[0] = Math.max(margin, Math.min(mapWidth - margin, spot[0]));
      spot[1] = Math.max(margin, Math.min(height - margin, spot[1]));
    }
  }
}

// How thick a link is drawn: by the logarithm of its capacity, from the thinnest to the thickest of this network.
function linkWidths() {
  const logs = data.links.map((link) => Math.log(link.gbps));
  const low = Math.min(...logs), high = Math.max(...logs);
  const least = data.links.length > 300 ? 1.4 : 4, most = data.links.length > 300 ? 3 : 9;
  return logs.map((log) => (high > low ? least + (most - least) * (log - low) / (high - low) : (least + most) / 2));
}

// An arrow from a link's source to the middle of the way, beside parallel links.
function arrows() {
  const widths = linkWidths(), sides = new Map();
  data.links.forEach((link, l) => {
    const way = link.from + ">" + link.to;
    if (!sides.has(way)) sides.set(way, []);
    sides.get(way).push(l);
  });
  return data.links.map((link, l) => {
    const parallel = sides.get(link.from + ">" + link.to), width = widths[l];
    const [x1, y1] = layout.at[link.from], [x2, y2] = layout.at[link.to];
    const length = Math.max(1, Math.hypot(x2 - x1, y2 - y1)), ux = (x2 - x1) / length, uy = (y2 - y1) / length;
    const flip = link.from < link.to ? 1 : -1;
    const aside = flip * (parallel.indexOf(l) - (parallel.length - 1) / 2) * (width + 5);
    const end = length / 2 - 1, head = Math.min(width * 1.5, end * 0.5), half = width / 2;
    const point = (along, across) => {
      const [a, b] = [along, across + aside];
      return `${(x1 + ux * a - uy * b).toFixed(1)} ${(y1 + uy * a + ux * b).toFixed(1)}`;
    };
    const shape = [point(4, -half), point(end - head, -half), point(end - head, -half * 1.9), point(end, 0),
                   point(end - head, half * 1.9), point(end - head, half), point(4, half)];
    return {d: "M" + shape.join("L") + "Z", line: `M${point(4, 0)}L${point(end + 1, 0)}`,
            label: point(length * 0.29, half + 12).split(" "), middle: point(end + 1, 0).split(" ")};
  });
}

// Where names go: of eight places around each node, the one that covers least of links, nodes and names placed before.
function placeNames(svg) {
  const points = [];
  for (const link of data.links) {
    const [x1, y1] = layout.at[link.from], [x2, y2] = layout.at[link.to];
    const pieces = Math.ceil(Math.hypot(x2 - x1, y2 - y1) / 5);
    for (let i = 1; i < pieces; ++i) points.push([x1 + (x2 - x1) * i / pieces, y1 + (y2 - y1) * i / pieces, 1]);
  }
  for (const [x, y] of layout.at) points.push([x, y, 30]);
  const boxes = [], fontSize = 12.5;
  return data.nodes.map((node, n) => {
    const probe = add(svg, "text", {class: "node-name"}, mapName(node)), length = probe.getComputedTextLength();
    probe.remove();
    let best = null;
    for (let i = 0; i < 8; ++i) {
      const turn = Math.PI / 4 * i, across = Math.round(Math.cos(turn) * 10) / 10;
      const left = layout.at[n][0] + 10 * across + (across > 0 ? 0 : across < 0 ? -length : -length / 2);
      const middle = layout.at[n][1] + 15 * Math.sin(turn);
      const box = {left: left, right: left + length, top: middle - 7, bottom: middle + 7};
      let cost = box.left < 2 || box.right > mapWidth - 2 || box.top < 2 || box.bottom > layout.height - 2 ? 100 : 0;
      for (const [x, y, weight] of points) {
        if (x > box.left - 3 && x < box.right + 3 && y > box.top - 2 && y < box.bottom + 2) cost += weight;
      }
      for (const other of boxes) {
        const beside = box.left >= other.right || box.right <= other.left;
        const above = box.top >= other.bottom || box.bottom <= other.top;
        if (!beside && !above) cost += 40;
      }
      if (best === null || cost < best.cost) best = {cost: cost, box: box};
    }
    boxes.push(best.box);
    return {x: best.box.left, y: best.box.bottom - 7 + fontSize * 0.35};
  });
}

function mapName(node) { return node.name.length > 24 ? node.name.slice(0, 23) + "…" : node.name; }

function drawNodes(svg) {
  const named = data.nodes.length <= 70;
  const spots = named ? placeNames(svg) : [];
  data.nodes.forEach((node, n) => {
    const circle = add(svg, "circle", {class: named ? "node" : "node small", cx: layout.at[n][0], cy: layout.at[n][1],
                                       r: named ? 5 : 1.7});
    add(circle, "title", {}, node.name);
    if (named) add(svg, "text", {class: "node-name", x: spots[n].x, y: spots[n].y}, mapName(node));
  });
}

function makeMap(parent, controller) {
  const map = {controller: controller};
  const box = add(parent, "div", {class: "map"}), head = add(box, "div", {class: "map-head"});
  map.select = add(head, "select", {"aria-label": "controller of this map"});
  data.controllers.forEach((each, c) => add(map.select, "option", {value: c}, each.name));
  map.select.value = controller;
  map.select.addEventListener("change", () => { map.controller = Number(map.select.value); updateMap(map); });
  add(head, "button", {type: "button"}, "worst moment").addEventListener("click", () => {
    const mlu = data.controllers[map.controller].mlu;
    choose(mlu.indexOf(Math.max(...mlu)));
  });
  map.peak = add(head, "span", {class: "peak"});

  const svg = box.appendChild(document.createElementNS(svgNamespace, "svg"));
  svg.setAttribute("viewBox", `0 0 ${mapWidth} ${layout.height}`);
  add(svg, "rect", {class: "ground", width: mapWidth, height: layout.height, rx: 8});
  map.shapes = layout.arrows.map((arrow, l) => {
    const half = add(svg, "path", {class: "half", d: arrow.d});
    half.addEventListener("pointermove", (event) => showTip(event, (tipBox) => fillLinkTip(tipBox, map, l)));
    half.addEventListener("pointerleave", hideTip);
    return half;
  });
  drawNodes(svg);
  map.marks = add(svg, "g");
  map.now = add(box, "ul", {class: "now"});
  map.why = add(box, "p", {class: "why"});
  return map;
}

// The shown interval at or before the chosen one: long runs leave some out.
function shownBefore(t) {
  let k = 0;
  while (k + 1 < data.shown.length && data.shown[k + 1] <= t) ++k;
  return k;
}

function updateMap(map) {
  const k = shownBefore(chosen), t = data.shown[k], controller = data.controllers[map.controller];
  const row = data.utilization[map.controller][k], down = new Set(data.intervals.down[t]), marked = new Set();
  map.marks.replaceChildren();
  map.row = row;
  map.down = down;
  data.links.forEach((link, l) => {
    const utilization = row[l] / 1000, arrow = layout.arrows[l], shape = map.shapes[l];
    const is_down = down.has(l);
    shape.setAttribute("class", is_down ? "half is-down" : "half u" + step(utilization));
    shape.setAttribute("d", is_down ? arrow.line : arrow.d);
    const pair = Math.min(link.from, link.to) + "-" + Math.max(link.from, link.to);
    if (is_down && !marked.has(pair)) {
      marked.add(pair);
      add(map.marks, "text", {class: "down-mark", x: arrow.middle[0], y: Number(arrow.middle[1]) + 6}, "✕");
    } else if (!is_down && utilization > 1) {
      const [x, y] = arrow.label;
      add(map.marks, "text", {class: "over-text", x: x, y: Number(y) + 4}, utilization.toFixed(2));
    }
  });
  map.peak.replaceChildren();
  map.peak.classList.toggle("bad", controller.overloaded[t] > 0);
  const over = controller.overloaded[t];
  add(map.peak, "span", {}, over ? `${over} link${over > 1 ? "s" : ""} overloaded, largest ` : "largest utilisation ");
  add(map.peak, "b", {}, utilizationText(controller.mlu[t]));
  listBusiest(map, row, down);
  map.why.textContent = data.texts[controller.action[t]] + ": " + data.texts[controller.reason[t]];
}

function listBusiest(map, row, down) {
  map.now.replaceChildren();
  const order = row.map((utilization, l) => [utilization, l]).filter(([, l]) => !down.has(l))
    .sort((a, b) => b[0] - a[0] || a[1] - b[1]).slice(0, 5);
  for (const [thousandths, l] of order) {
    const utilization = thousandths / 1000, link = data.links[l], item = add(map.now, "li");
    add(item, "span", {class: "name", title: linkName(link)}, linkName(link));
    const bar = add(add(item, "span", {class: "bar"}), "i", {class: "u" + step(utilization)});
    bar.style.width = Math.min(100, utilization * 100) + "%";
    add(item, "span", {class: "value"}, utilization.toFixed(2));
    add(item, "span", {class: "load"}, loadOfCapacity(utilization, link.gbps));
  }
}

// 49.3 of 40 Gbit/s
function loadOfCapacity(utilization, gbps) {
  const [number, unit] = plainRate(gbps).split(" "), load = utilization * Number(number);
  return load.toFixed(load < 100 ? 1 : 0) + " of " + number + " " + unit;
}

function linkName(link) {
  const plain = data.nodes[link.from].name + " → " + data.nodes[link.to].name;
  const copy = /#\d+$/.exec(link.name);  // of parallel links, the second and on
  return copy ? plain + " " + copy[0] : plain;
}

function fillLinkTip(box, map, l) {
  const link = data.links[l], utilization = map.row[l] / 1000;
  add(box, "div", {class: "tip-head"}, linkName(link));
  if (map.down.has(l)) {
    add(box, "div", {class: "alarm"}, "down");
  } else {
    tipRow(box, "utilisation", utilization.toFixed(3), null, utilization > 1);
    tipRow(box, "offered", rate(utilization * link.gbps));
  }
  tipRow(box, "capacity", plainRate(link.gbps));
  tipRow(box, "delay", link.delay_ms.toFixed(2) + " ms");
}

function makeMapLegend() {
  const legend = document.getElementById("map-legend");
  stepNames.forEach((name, i) => {
    const item = add(legend, "li");
    add(item, "i", {class: "swatch u" + i});
    add(item, "span", {}, name);
  });
  const down = add(legend, "li");
  add(down, "i", {class: "swatch is-down"});
  add(down, "span", {}, "down");
}
