// Largest link utilisation over time, a line a controller, with outages as bands; below it, when links were overloaded.

const timeChart = {
  svg: document.getElementById("time-chart"),
  hidden: new Set(),
  left: 74, right: 12, top: 26, height: 330, stripHeight: 9, stripGap: 5,
};

function tickStep(seconds, ticksMax) {
  const nice = [60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
  return nice.find((width) => seconds / width <= ticksMax) || Math.ceil(seconds / ticksMax / 604800) * 604800;
}

function drawTimeChart() {
  const chart = timeChart, svg = chart.svg, time = data.intervals.time;
  svg.replaceChildren();
  const width = Math.max(320, svg.parentNode.clientWidth - 44);
  const stripTop = chart.height + 46;
  const total = stripTop + data.controllers.length * (chart.stripHeight + chart.stripGap) + 4;
  svg.setAttribute("viewBox", `0 0 ${width} ${total}`);
  svg.setAttribute("height", total);

  chart.begin = time[0];
  chart.end = time[time.length - 1] + data.interval_s;
  const highest = Math.max(...data.controllers.map((controller) => Math.max(...controller.mlu.map((mlu) => mlu || 0))));
  const peak = Math.max(1.08, highest * 1.06);
  const plotWidth = width - chart.left - chart.right;
  chart.x = (unix) => chart.left + (unix - chart.begin) / (chart.end - chart.begin) * plotWidth;
  chart.y = (value) => chart.height - value / peak * (chart.height - chart.top);
  chart.plotRight = width - chart.right;

  add(svg, "rect", {class: "over", x: chart.left, y: chart.top, width: chart.plotRight - chart.left,
                    height: Math.max(0, chart.y(1) - chart.top)});
  drawAxes(peak, stripTop);
  drawOutages(total);
  drawLines();
  drawStrips(stripTop);

  add(svg, "line", {class: "limit", x1: chart.left, x2: chart.plotRight, y1: chart.y(1), y2: chart.y(1)});
  add(svg, "text", {class: "limit-text", x: chart.plotRight - 4, y: chart.y(1) - 5, "text-anchor": "end"}, "capacity");
  chart.cursor = add(svg, "line", {class: "cursor", y1: chart.top, y2: total, visibility: "hidden"});
  chart.chosen = add(svg, "line", {class: "chosen", y1: chart.top, y2: total});
  chart.grip = add(svg, "circle", {class: "chosen-grip", cy: chart.top, r: 4});
  listenToTimeChart(total);
}

function drawAxes(peak, stripTop) {
  const chart = timeChart, svg = chart.svg;
  const power = 10 ** Math.floor(Math.log10(peak / 8));
  const rise = power * [1, 2, 2.5, 5, 10].find((each) => peak / (each * power) <= 8);
  const isWhole = (number) => Math.abs(number - Math.round(number)) < 1e-6;
  const decimals = [0, 1, 2].find((places) => isWhole(rise * 10 ** places)) || 0;
  for (let i = 0; i * rise <= peak; ++i) {
    const value = i * rise, y = chart.y(value);
    add(svg, "line", {class: value === 0 ? "axis" : "grid", x1: chart.left, x2: chart.plotRight, y1: y, y2: y});
    add(svg, "text", {x: chart.left - 9, y: y + 4, "text-anchor": "end"}, value.toFixed(decimals));
  }
  const middle = (chart.top + chart.height) / 2;
  add(svg, "text", {transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle"},
      "utilisation (load / capacity)");
  const each = tickStep(chart.end - chart.begin, (chart.plotRight - chart.left) / 78);
  for (let unix = Math.ceil(chart.begin / each) * each; unix <= chart.end; unix += each) {
    const x = chart.x(unix);
    add(svg, "line", {class: "grid", x1: x, x2: x, y1: chart.top, y2: chart.height + 5});
    const label = unix % 86400 === 0 ? dayName(unix) : clockTime(unix);
    add(svg, "text", {x: x, y: chart.height + 20, "text-anchor": x > chart.plotRight - 30 ? "end" : "middle"}, label);
  }
  add(svg, "text", {class: "strip-head", x: chart.left, y: stripTop - 7},
      "when links were overloaded (darker: more links)");
  add(svg, "text", {class: "strip-head", x: chart.plotRight, y: stripTop - 7, "text-anchor": "end"}, "time, UTC");
}

function drawOutages(bottom) {
  const chart = timeChart, svg = chart.svg;
  let labelEnds = [];  // by row of labels, so that they do not lie on each other
  for (const outage of data.outages) {
    const from = chart.x(outage.from), to = chart.x(Math.min(outage.to, chart.end));
    const band = add(svg, "rect", {class: "outage", x: from, y: chart.top, width: Math.max(1, to - from),
                                   height: bottom - chart.top});
    add(band, "title", {}, outage.label);
    for (const x of [from, to]) add(svg, "line", {class: "outage-edge", x1: x, x2: x, y1: chart.top, y2: bottom});
    let row = labelEnds.findIndex((end) => end < from);
    if (row < 0) row = labelEnds.length < 4 ? labelEnds.length : 0;
    const text = add(svg, "text", {class: "outage-text", y: chart.top + 15 + 15 * row}, outage.label);
    const length = text.getComputedTextLength();
    text.setAttribute("x", Math.min(from + 6, chart.plotRight - length - 2));
    labelEnds[row] = Math.max(from + 6 + length, labelEnds[row] || 0);
  }
}

function drawLines() {
  const chart = timeChart, time = data.intervals.time;
  const path = (values) => {
    let shape = "";
    values.forEach((value, t) => {
      if (value === null) return;
      const y = chart.y(value).toFixed(1);  // an interval is a level, so a step
      const from = chart.x(time[t]).toFixed(1), to = chart.x(time[t] + data.interval_s).toFixed(1);
      shape += `${shape ? "L" : "M"}${from} ${y}H${to}`;
    });
    return shape;
  };
  add(chart.svg, "path", {class: "line optimum", d: path(data.intervals.optimal)});
  chart.lines = data.controllers.map((controller, c) => [c, c === data.subject])
    .sort((a, b) => a[1] - b[1])  // the subject on top
    .map(([c, subject]) => {
      const classes = `line ${colourOf(c)}${subject ? " subject" : ""}${chart.hidden.has(c) ? " hidden" : ""}`;
      return [c, add(chart.svg, "path", {class: classes, d: path(data.controllers[c].mlu)})];
    });
}

function drawStrips(top) {
  const chart = timeChart, time = data.intervals.time;
  const most = Math.max(1, ...data.controllers.map((controller) => Math.max(...controller.overloaded)));
  data.controllers.forEach((controller, c) => {
    const y = top + c * (chart.stripHeight + chart.stripGap);
    const baseline = y + chart.stripHeight - .5;
    add(chart.svg, "text", {class: "strip-name", x: chart.left - 9, y: baseline, "text-anchor": "end"},
        controller.name);
    add(chart.svg, "rect", {class: "strip", x: chart.left, y: y, width: chart.plotRight - chart.left,
                            height: chart.stripHeight, rx: 2});
    for (let t = 0; t < time.length;) {
      let until = t;
      while (until < time.length && controller.overloaded[until] === controller.overloaded[t]) ++until;
      if (controller.overloaded[t] > 0) {
        const from = chart.x(time[t]), to = chart.x(time[until - 1] + data.interval_s);
        add(chart.svg, "rect", {class: "strip-over", x: from, y: y, width: Math.max(1, to - from),
                                height: chart.stripHeight,
                                opacity: (0.4 + 0.6 * controller.overloaded[t] / most).toFixed(2)});
      }
      t = until;
    }
  });
}

function intervalAt(event) {
  const chart = timeChart, box = chart.svg.getBoundingClientRect();
  const x = (event.clientX - box.left) * chart.svg.viewBox.baseVal.width / box.width;
  const unix = chart.begin + (x - chart.left) / (chart.plotRight - chart.left) * (chart.end - chart.begin);
  let low = 0, high = data.intervals.time.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (data.intervals.time[middle] <= unix) low = middle; else high = middle - 1;
  }
  return low;
}

function listenToTimeChart(total) {
  const chart = timeChart;
  const sense = add(chart.svg, "rect", {class: "sense", x: chart.left, y: chart.top, height: total - chart.top,
                                        width: chart.plotRight - chart.left});
  sense.addEventListener("pointermove", (event) => {
    const t = intervalAt(event), x = chart.x(data.intervals.time[t] + data.interval_s / 2);
    chart.cursor.setAttribute("x1", x);
    chart.cursor.setAttribute("x2", x);
    chart.cursor.setAttribute("visibility", "visible");
    showTip(event, (box) => fillTimeTip(box, t));
  });
  sense.addEventListener("pointerleave", () => {
    chart.cursor.setAttribute("visibility", "hidden");
    hideTip();
  });
  sense.addEventListener("click", (event) => choose(intervalAt(event)));
}

function fillTimeTip(box, t) {
  const unix = data.intervals.time[t];
  add(box, "div", {class: "tip-head"}, dayAndTime(unix));
  for (const outage of data.outages) {
    if (outage.from < unix + data.interval_s && outage.to > unix) add(box, "div", {class: "alarm"}, outage.label);
  }
  tipRow(box, "traffic", rate(data.intervals.total_gbps[t]));
  data.controllers.map((controller, c) => [controller.mlu[t], c]).sort((a, b) => b[0] - a[0]).forEach(([mlu, c]) => {
    const over = data.controllers[c].overloaded[t];
    tipRow(box, data.controllers[c].name, utilizationText(mlu) + (over ? ` (${over} over)` : ""), "key " + colourOf(c),
           over > 0);
  });
  tipRow(box, "optimum", utilizationText(data.intervals.optimal[t]), "key dashed");
}

function markChosenTime(t) {
  const x = timeChart.x(data.intervals.time[t] + data.interval_s / 2);
  timeChart.chosen.setAttribute("x1", x);
  timeChart.chosen.setAttribute("x2", x);
  timeChart.grip.setAttribute("cx", x);
}

function makeTimeLegend() {
  const legend = document.getElementById("time-legend");
  data.controllers.forEach((controller, c) => {
    const button = add(add(legend, "li"), "button", {type: "button", "aria-pressed": "true"});
    add(button, "i", {class: "key " + colourOf(c)});
    add(button, "span", {}, controller.name);
    button.addEventListener("click", () => {
      const hide = !timeChart.hidden.has(c);
      if (hide) timeChart.hidden.add(c); else timeChart.hidden.delete(c);
      button.setAttribute("aria-pressed", String(!hide));
      for (const [which, line] of timeChart.lines) if (which === c) line.classList.toggle("hidden", hide);
    });
  });
  const optimum = add(legend, "li");
  add(optimum, "i", {class: "key dashed"});
  add(optimum, "span", {}, "optimum");
}
