"use strict";
// What all parts of the page draw with. Names come from outside files: they reach the page as text only, never as
// markup.

const data = JSON.parse(document.getElementById("data").textContent);
const svgNamespace = document.getElementById("time-chart").namespaceURI;

function add(parent, tag, properties = {}, text = null) {
  const inSvg = parent.namespaceURI === svgNamespace;
  const node = inSvg ? document.createElementNS(svgNamespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return parent.appendChild(node);
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");
function clockTime(unix) {
  const at = new Date(unix * 1000);
  return two(at.getUTCHours()) + ":" + two(at.getUTCMinutes());
}
function dayName(unix) {
  const at = new Date(unix * 1000);
  return days[at.getUTCDay()] + " " + at.getUTCDate() + " " + months[at.getUTCMonth()];
}
const dayAndTime = (unix) => dayName(unix) + " " + clockTime(unix);

function rate(gbps) {
  if (gbps >= 1000) return (gbps / 1000).toFixed(2) + " Tbit/s";
  if (gbps >= 1) return gbps.toFixed(gbps < 100 ? 1 : 0) + " Gbit/s";
  if (gbps >= 0.001) return (gbps * 1000).toFixed(gbps < 0.1 ? 1 : 0) + " Mbit/s";
  return (gbps * 1e6).toFixed(1) + " kbit/s";
}
// Capacities are round: 40, not 40.0.
const plainRate = (gbps) => rate(gbps).replace(/\.0+ /, " ");
const utilizationText = (value) => (value === null ? "∞" : value.toFixed(2));

// Steps of the map's colours, by utilisation.
const steps = [0.25, 0.5, 0.7, 0.85, 1.0];
const stepNames = ["below 0.25", "0.25–0.5", "0.5–0.7", "0.7–0.85", "0.85–1", "above 1"];
function step(utilization) {
  let which = 0;
  while (which < steps.length && utilization > steps[which]) ++which;
  return which;
}

const tip = document.getElementById("tip");
function showTip(event, fill) {
  tip.replaceChildren();
  fill(tip);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const beside = event.clientX + 18 + box.width < innerWidth ? event.clientX + 18 : event.clientX - 18 - box.width;
  tip.style.left = Math.max(4, beside) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 12, innerHeight - box.height - 6)) + "px";
}
function hideTip() { tip.hidden = true; }
function tipRow(parent, name, value, colour = null, bad = false) {
  const row = add(parent, "div", {class: bad ? "tip-row bad" : "tip-row"});
  if (colour) add(row, "i", {class: colour});
  add(row, "span", {}, name);
  add(row, "span", {}, value);
}

const colourOf = (controller) => "key-" + data.controllers[controller].colour;
