/** The site's own colour. */

const HEX = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

/** Paint `host` in `colour` (#rrggbb), with black or white on it, whichever has more contrast; anything else is ignored. */
export function paint(host, colour) {
  const parts = HEX.exec(colour ?? "");
  if (parts === null) return;
  const on = luminance(parts.slice(1)) > 0.18 ? "#10201d" : "#ffffff";
  for (const name of ["--brand", "--mine"]) host.style.setProperty(name, colour);
  for (const name of ["--on-brand", "--on-mine"]) host.style.setProperty(name, on);
}

/** Relative luminance, as WCAG 2.2 defines it. */
function luminance(channels) {
  const [red, green, blue] = channels.map((channel) => {
    const value = Number.parseInt(channel, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
