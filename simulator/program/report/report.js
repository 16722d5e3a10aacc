// Ties the parts together. All of them show one chosen interval.
//
// Fields of `data` (simulator/program/report_data.cpp writes it): times are Unix seconds; [t] counts scored intervals,
// [c] controllers, [l] links, [k] the intervals that the map shows, whose t is in `shown`.
//   interval_s, subject (c), baseline (c), nodes [{name, lat, lon}], links [{name, from, to, gbps, delay_ms}],
//   events [{time, up, label}], outages [{from, to, label}],
//   intervals {time[t], optimal[t], total_gbps[t], down[t] lists links},
//   controllers [{name, colour, mlu[t], overloaded[t], action[t], reason[t], churn[t], alarms [[t, text]],
//   lost [[t, count, text]], links[l] [peak, t of it, intervals above 1]}], texts, shown[k],
//   utilization [c][k][l] in thousandths.

let chosen = 0, maps = [], playing = null;

function choose(t) {
  chosen = t;
  document.getElementById("moment").value = t;
  document.getElementById("moment-text").textContent = dayAndTime(data.intervals.time[t]) + " UTC";
  markChosenTime(t);
  maps.forEach(updateMap);
}

function togglePlay() {
  const button = document.getElementById("play");
  if (playing !== null) {
    clearInterval(playing);
    playing = null;
  } else {
    playing = setInterval(() => choose((chosen + 1) % data.intervals.time.length), 120);
  }
  button.textContent = playing === null ? "▶" : "❚❚";
  button.setAttribute("aria-label", playing === null ? "Play" : "Pause");
}

makeTimeLegend();
drawTimeChart();
layout = makeLayout();
layout.arrows = arrows();
makeMapLegend();
const mapBox = document.getElementById("maps");
for (const controller of new Set([data.baseline, data.subject])) maps.push(makeMap(mapBox, controller));
fillLinksTable();
makeDecisionFilters();
listDecisions();

const moment = document.getElementById("moment");
moment.max = data.intervals.time.length - 1;
moment.addEventListener("input", () => choose(Number(moment.value)));
document.getElementById("play").addEventListener("click", togglePlay);
addEventListener("resize", () => { drawTimeChart(); markChosenTime(chosen); });
// Begin at the moment that says most: where the baseline is worst.
const baselineMlu = data.controllers[data.baseline].mlu;
choose(baselineMlu.indexOf(Math.max(...baselineMlu)));
