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
  const axisValues = (plot) => (plot.is_time ? plot.x.map((ms) => (ms === null ? null : new Date(ms))) : plot.x);
  const at = (plot, x) => (plot.is_time ? new Date(x) : x);

  function traces(plot) {
    const x = axisValues(plot);
    const line = {
      x, y: plot.y, type: "scatter", mode: plot.x.length < 400 ? "lines+markers" : "lines",
      line: { color: colour("--accent"), width: 1.4, shape: plot.is_steps ? "hv" : "linear" },
      marker: { size: 3.5, color: colour("--accent") }, connectgaps: false, name: "value",
      hovertemplate: `%{y}${plot.unit ? " " + plain(plot.unit) : ""}<extra></extra>`,
    };
    const marked = (states, name, color) => {
      const chosen = plot.marks.map((mark, index) => (states.includes(mark) ? index : -1)).filter((i) => i >= 0);
      return {
        x: chosen.map((i) => x[i]), y: chosen.map((i) => plot.y[i]), type: "scatter", mode: "markers",
        marker: { size: 6, color }, name, hovertemplate: `%{y} ${name}<extra></extra>`,
      };
    };
    const found = [line];
    if (plot.marks.some((mark) => WARNINGS.includes(mark))) found.push(marked(WARNINGS, "warning", colour("--warn")));
    if (plot.marks.some((mark) => ALARMS.includes(mark))) found.push(marked(ALARMS, "alarm", colour("--bad")));
    if (plot.damaged.length) {
      found.push({
        x: plot.damaged.map((value) => at(plot, value)), y: plot.damaged.map(() => 0.02), yaxis: "y2",
        type: "scatter", mode: "markers", name: "damaged",
        marker: { symbol: "line-ns-open", size: 9, color: colour("--bad"), line: { width: 1.2 } },
        hovertemplate: "packet with a damaged CRC: not drawn<extra></extra>",
      });
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
      label: { text: step, textangle: 0, textposition: "end", xanchor: "left", font: { size: 10 } },
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

  function layout(plot) {
    const axis = { gridcolor: colour("--line"), zeroline: false, linecolor: colour("--line"), automargin: true };
    const quiet = colour("--quiet");
    const y = { ...axis, range: range(plot), nticks: 6 };
    if (plot.ticks.length) {
      y.tickvals = plot.ticks.map(([value]) => value);
      y.ticktext = plot.ticks.map(([, text]) => plain(text));
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
