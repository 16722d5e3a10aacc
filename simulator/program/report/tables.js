// The tables that the script fills: busiest links, and the list of decisions with its filters.

function fillLinksTable() {
  const table = document.getElementById("links"), rowsMax = 12;
  const minutes = (intervals) => Math.round(intervals * data.interval_s / 60);
  const head = add(add(table, "thead"), "tr");
  add(head, "th", {scope: "col"}, "link");
  const capacity = add(head, "th", {scope: "col"}, "capacity");
  add(capacity, "small", {}, "per direction");
  for (const controller of data.controllers) {
    const cell = add(head, "th", {scope: "col"}, controller.name);
    add(cell, "small", {}, "peak, min over");
  }
  const worst = (l) => Math.max(...data.controllers.map((controller) => controller.links[l][0] || 0));
  const overloads = (l) => data.controllers.reduce((sum, controller) => sum + controller.links[l][2], 0);
  const order = data.links.map((link, l) => l)
    .sort((a, b) => overloads(b) - overloads(a) || worst(b) - worst(a) || a - b);
  const body = add(table, "tbody");
  for (const l of order.slice(0, rowsMax)) {
    const row = add(body, "tr");
    add(row, "th", {scope: "row"}, linkName(data.links[l]));
    add(row, "td", {}, plainRate(data.links[l].gbps));
    for (const controller of data.controllers) {
      const [peak, when, intervals] = controller.links[l];
      const cell = add(row, "td", {title: "peak at " + dayAndTime(data.intervals.time[when])});
      add(cell, "i", {class: "dot u" + step(peak)});
      add(cell, "span", {}, utilizationText(peak));
      const over = add(cell, "small", {class: "cell"}, intervals ? minutes(intervals) + " min" : "–");
      if (intervals) over.style.color = "var(--limit)";
    }
  }
}

const decisionList = {rows: [], shown: 0, pageSize: 300, alarms: [], lost: []};

function makeDecisionFilters() {
  const controllers = document.getElementById("filter-controller"), actions = document.getElementById("filter-action");
  add(controllers, "option", {value: "-1"}, "all");
  data.controllers.forEach((controller, c) => {
    add(controllers, "option", {value: c}, controller.name);
    decisionList.alarms.push(groupByInterval(controller.alarms));
    decisionList.lost.push(groupByInterval(controller.lost));
  });
  controllers.value = data.subject;
  const found = new Set(data.controllers.flatMap((controller) => controller.action));
  add(actions, "option", {value: "-1"}, "all");
  for (const action of found) add(actions, "option", {value: action}, data.texts[action]);
  controllers.addEventListener("change", listDecisions);
  actions.addEventListener("change", listDecisions);
  document.getElementById("filter-text").addEventListener("input", listDecisions);
  document.getElementById("more").addEventListener("click", showMoreDecisions);
}

function groupByInterval(entries) {
  const grouped = new Map();
  for (const entry of entries) {
    if (!grouped.has(entry[0])) grouped.set(entry[0], []);
    grouped.get(entry[0]).push(entry);
  }
  return grouped;
}

// What a decision's row says besides the reason: alarms, and demands without a way.
function remarks(c, t) {
  const texts = (decisionList.alarms[c].get(t) || []).map((alarm) => data.texts[alarm[1]]);
  for (const [, count, first] of decisionList.lost[c].get(t) || []) {
    const which = data.texts[first] + (count > 1 ? " first" : "");
    texts.push(`${count} demand${count > 1 ? "s" : ""} without a path, ${which}`);
  }
  return texts;
}

function listDecisions() {
  const only = Number(document.getElementById("filter-controller").value);
  const action = Number(document.getElementById("filter-action").value);
  const words = document.getElementById("filter-text").value.toLowerCase();
  decisionList.rows = [];
  for (let t = 0; t < data.intervals.time.length; ++t) {
    data.controllers.forEach((controller, c) => {
      if (only >= 0 && c !== only) return;
      if (action >= 0 && controller.action[t] !== action) return;
      const said = () => [data.texts[controller.reason[t]], ...remarks(c, t)].join(" ").toLowerCase();
      if (words && !said().includes(words)) return;
      decisionList.rows.push([t, c]);
    });
  }
  decisionList.shown = 0;
  document.getElementById("decisions").replaceChildren();
  document.getElementById("decision-count").textContent = decisionList.rows.length + " decisions";
  showMoreDecisions();
}

function showMoreDecisions() {
  const body = document.getElementById("decisions"), until = decisionList.shown + decisionList.pageSize;
  for (const [t, c] of decisionList.rows.slice(decisionList.shown, until)) {
    const controller = data.controllers[c], row = add(body, "tr"), action = data.texts[controller.action[t]];
    add(row, "td", {}, dayAndTime(data.intervals.time[t]));
    add(row, "td", {}, controller.name);
    const known = ["install", "keep", "hold", "fallback"].includes(action) ? action : "keep";
    add(add(row, "td"), "span", {class: "pill " + known}, action);
    add(row, "td", {}, utilizationText(controller.mlu[t]));
    add(row, "td", {}, (100 * controller.churn[t]).toFixed(1) + " %");
    const reason = add(row, "td", {}, data.texts[controller.reason[t]]);
    for (const remark of remarks(c, t)) add(reason, "span", {class: "alarm"}, remark);
    row.addEventListener("click", () => choose(t));
  }
  decisionList.shown = Math.min(until, decisionList.rows.length);
  document.getElementById("more").hidden = decisionList.shown === decisionList.rows.length;
}
