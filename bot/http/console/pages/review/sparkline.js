/** A trend in the space of a word. */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [120, 26];

/** Draw one number a day, oldest first. */
export function sparkline(trend, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${label}: ${trend.join(", ")}`);
  const most = Math.max(1, ...trend);
  const step = WIDTH / Math.max(1, trend.length - 1);
  const line = document.createElementNS(SVG, "polyline");
  const points = trend.map((count, at) => `${(at * step).toFixed(1)},${(HEIGHT - 2 - (count / most) * (HEIGHT - 4)).toFixed(1)}`);
  line.setAttribute("points", points.join(" "));
  svg.append(line);
  return svg;
}
