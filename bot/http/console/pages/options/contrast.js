/** How well colours can be told apart, as WCAG 2.2 defines it. */

const COLOUR = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;
const [DARK, LIGHT] = ["#10201d", "#ffffff"];

/** Say whether a text is a colour such as #0f766e. */
export function isColour(text) {
  return COLOUR.test(text);
}

/** Return the contrast of two colours, from 1 to 21. */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Return what the widget writes in on a colour; see paint() in the widget's colour.js. */
export function readableOn(colour) {
  return luminance(colour) > 0.18 ? DARK : LIGHT;
}

function luminance(colour) {
  const [red, green, blue] = COLOUR.exec(colour)
    .slice(1)
    .map((channel) => Number.parseInt(channel, 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
