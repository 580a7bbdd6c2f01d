"use strict";
// Draws the plots of a report. The page holds their points as JSON in the element "plots".
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const soft = (hex, alpha) => {
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${parts.join(",")},${alpha})`;
  };
  const WARNINGS = [1, 2];
  const ALARMS = [3, 4];

  // Plotly reads some markup in its texts; text from packets must stay text.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  // Text without a zone is drawn as it is: UTC, wherever the reader is. A Date would be drawn in local time.
  const utc = (ms) => new Date(ms).toISOString().replace("Z", "");
  const at = (plot, x) => (plot.is_time ? utc(x) : x);
  const axisValues = (plot) => plot.x.map((x) => (x === null ? null : at(plot, x)));
  const isLarge = (plot) => plot.y.some((y) => Math.abs(y) >= 1e12);

  // A line needs two points: one between two holes is seen as a dot only.
  function hasLonePoints(plot) {
    const isHole = (i) => i < 0 || i >= plot.y.length || plot.y[i] === null;
    return plot.y.some((_, i) => !isHole(i) && isHole(i - 1) && isHole(i + 1));
  }

  function isBeyond(plot, y) {
    const [low, high] = [plot.bounds.low, plot.bounds.high];
    return (low !== null && y < low) || (high !== null && y > high);
  }

  function traces(plot) {
    const x = axisValues(plot);
    const line = {
      x, y: plot.y, type: "scatter", mode: plot.x.length < 400 || hasLonePoints(plot) ? "lines+markers" : "lines",
      line: { color: colour("--accent"), width: 1.4, shape: plot.is_steps ? "hv" : "linear" },
      marker: { size: 3.5, color: colour("--accent") }, connectgaps: false, name: "value",
      hovertemplate: `%{y}${plot.unit ? " " + plain(plot.unit) : ""}<extra></extra>`,
    };
    const dots = (chosen, name, marker) => ({
      x: chosen.map((i) => x[i]), y: chosen.map((i) => plot.y[i]), type: "scatter", mode: "markers",
      marker: { size: 6, ...marker }, name, hovertemplate: `%{y} ${name}<extra></extra>`,
    });
    const indices = (holds) => plot.y.map((y, i) => (y !== null && holds(i) ? i : -1)).filter((i) => i >= 0);
    const marked = (states, name, color) => dots(indices((i) => states.includes(plot.marks[i])), name, { color });
    const ticks = (places, height, name, color, text) => ({
      x: places.map((value) => at(plot, value)), y: places.map(() => height), yaxis: "y2",
      type: "scatter", mode: "markers", name, text,
      marker: { symbol: "line-ns-open", size: 9, color, line: { width: 1.4 } }, hovertemplate: "%{text}<extra></extra>",
    });
    const found = [line];
    if (plot.marks.some((mark) => WARNINGS.includes(mark))) found.push(marked(WARNINGS, "warning", colour("--warn")));
    if (plot.marks.some((mark) => ALARMS.includes(mark))) found.push(marked(ALARMS, "alarm", colour("--bad")));
    const held = plot.persistence > 1 ? indices((i) => plot.marks[i] === 0 && isBeyond(plot, plot.y[i])) : [];
    if (held.length) {
      found.push(dots(held, `beyond a limit, fewer than ${plot.persistence} in a row`, {
        symbol: "circle-open", color: colour("--warn"), size: 8, line: { width: 1.6 },
      }));
    }
    const texts = (places, text) => places.map(() => text);
    if (plot.damaged.length) {
      const text = "packet with a damaged CRC: not drawn";
      found.push(ticks(plot.damaged, 0.02, "damaged", colour("--bad"), texts(plot.damaged, text)));
    }
    if (plot.repeats.length) {
      const text = "packet that came before: a duplicate";
      found.push(ticks(plot.repeats, 0.02, "duplicate", colour("--accent"), texts(plot.repeats, text)));
    }
    if (plot.noise.length) {
      const text = plot.noise.map(([, octets]) => `${octets.toLocaleString("en")} bytes that are no packet`);
      found.push(ticks(plot.noise.map(([x_]) => x_), 0.02, "no packet", colour("--warn"), text));
    }
    return found;
  }

  function shapes(plot) {
    const gaps = plot.gaps.map(([start, end]) => ({
      type: "rect", xref: "x", yref: "paper", x0: at(plot, start), x1: at(plot, end), y0: 0, y1: 1,
      fillcolor: soft(colour("--quiet"), 0.22), line: { width: 0 }, layer: "below",
    }));
    const limits = plot.limits.map(([kind, value]) => ({
      type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: value, y1: value, layer: "above", opacity: 0.75,
      line: { color: colour(kind === "alarm" ? "--bad" : "--warn"), width: 1.2, dash: kind === "alarm" ? "solid" : "dash" },
    }));
    const clock = plot.clock.map(([x, step]) => ({
      type: "line", xref: "x", yref: "paper", x0: at(plot, x), x1: at(plot, x), y0: 0, y1: 1,
      line: { color: colour("--quiet"), width: 1.2, dash: "dot" },
      label: plot.clock.length > 6 ? {} : {
        text: step, textangle: 0, textposition: "end", xanchor: "left", yanchor: "top", font: { size: 10 },
      },
    }));
    return [...gaps, ...limits, ...clock];
  }

  // Limits far away from all values would flatten the curve: draw those within reach.
  function range(plot) {
    const values = plot.y.filter((value) => value !== null);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    const reach = (high - low) || Math.abs(high) * 0.1 || 1;
    for (const [, value] of plot.limits) {
      if (value > low - 1.5 * reach && value < high + 1.5 * reach) {
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    const margin = (high - low || reach) * 0.08;
    return [low - margin, high + margin];
  }

  // Names that would lie on each other are left out; the pointer tells them all.
  function readable(ticks, [low, high]) {
    const shown = [];
    for (const tick of ticks) {
      if (!shown.length || tick[0] - shown[shown.length - 1][0] >= (high - low) / 9) shown.push(tick);
    }
    return shown;
  }

  function layout(plot) {
    const axis = { gridcolor: colour("--line"), zeroline: false, linecolor: colour("--line"), automargin: true };
    const quiet = colour("--quiet");
    const y = { ...axis, range: range(plot), nticks: 6, separatethousands: true };
    y.exponentformat = isLarge(plot) ? "e" : "none";
    y.hoverformat = isLarge(plot) ? ".6~e" : ",.7~r";
    if (plot.ticks.length) {
      const named = readable(plot.ticks, y.range);
      y.tickvals = named.map(([value]) => value);
      y.ticktext = named.map(([, text]) => plain(text));
    } else if (plot.unit) {
      y.ticksuffix = " " + plain(plot.unit);
    }
    const x = { ...axis, type: plot.is_time ? "date" : "linear", range: plot.span.map((value) => at(plot, value)) };
    if (!plot.is_time) x.tickformat = ",d";
    return {
      xaxis: x, yaxis: y, shapes: shapes(plot), showlegend: false, hovermode: "closest", dragmode: "zoom",
      yaxis2: { overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
      margin: { l: 84, r: 16, t: 10, b: 8 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: soft(quiet, 0.7), activecolor: colour("--accent") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: quiet },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--text") } },
    };
  }

  const config = {
    displaylogo: false, responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  };
  const element = (index) => document.getElementById(`plot-${index}`);
  let following = false;

  // A stretch that is looked at in one plot is shown in all plots of the same APID.
  function follow(source, event) {
    if (following) return;
    const wanted = {};
    if ("xaxis.range[0]" in event) wanted["xaxis.range"] = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
    else if ("xaxis.range" in event) wanted["xaxis.range"] = event["xaxis.range"];
    else if (event["xaxis.autorange"]) wanted["xaxis.autorange"] = true;
    else return;
    following = true;
    const others = plots.map((plot, index) => [plot, index])
      .filter(([plot, index]) => index !== source && plot.apid === plots[source].apid);
    Promise.all(others.map(([, index]) => Plotly.relayout(element(index), wanted))).then(() => { following = false; });
  }

  async function draw(index) {
    const chart = element(index);
    await Plotly.newPlot(chart, traces(plots[index]), layout(plots[index]), config);
    chart.on("plotly_relayout", (event) => follow(index, event));
  }

  async function drawAll() {
    for (let index = 0; index < plots.length; index += 1) {
      await draw(index);
      await new Promise((resume) => setTimeout(resume)); // The page answers between two plots.
    }
    document.body.dataset.drawn = String(plots.length);
  }

  const repaint = () => plots.forEach((plot, index) => Plotly.react(element(index), traces(plot), layout(plot), config));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  drawAll();
})();
