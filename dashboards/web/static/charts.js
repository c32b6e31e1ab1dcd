"use strict";
// Draws each chart when it scrolls into view; the library is asked for only then.
(() => {
  const figures = document.querySelectorAll("figure[data-chart]");
  if (figures.length === 0) return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let library = null;

  const load = () => {
    library ??= new Promise((done, failed) => {
      for (const id of document.body.dataset.plotlyStyles.split(" ").filter(Boolean)) {
        document.head.append(Object.assign(document.createElement("meta"), { id }));
      }
      const script = document.createElement("script");
      script.src = document.body.dataset.plotly;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    });
    return library;
  };

  const inColours = (part, colours) => {
    if (typeof part === "string") {
      return colours[part] ?? part.replace(/#[0-9A-F]{6}/g, (one) => colours[one] ?? one);
    }
    if (Array.isArray(part)) return part.map((one) => inColours(one, colours));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, inColours(one, colours)]));
  };

  const paint = (place, answer) => {
    const spec = dark.matches ? inColours(answer.spec, answer.dark) : structuredClone(answer.spec);
    return window.Plotly.react(place, spec.data, spec.layout, answer.config);
  };

  const draw = async (figure) => {
    const place = figure.querySelector(".chart");
    try {
      const [answer] = await Promise.all([fetch(figure.dataset.chart).then((reply) => reply.json()), load()]);
      place.replaceChildren();
      await paint(place, answer);
      figure.dataset.drawn = "yes";
      dark.addEventListener("change", () => paint(place, answer));
    } catch {
      place.textContent = "Chưa vẽ được biểu đồ. Đề nghị xem bảng số liệu bên dưới.";
    }
  };

  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) {
      if (one.isIntersecting) {
        watcher.unobserve(one.target);
        draw(one.target);
      }
    }
  }, { rootMargin: "200px" });
  figures.forEach((figure) => watcher.observe(figure));
})();
