/** ECharts is loaded only by pages that hold a chart. */
export function watchCharts(): void {
  const draw = async (root: ParentNode): Promise<void> => {
    const boxes = [...root.querySelectorAll<HTMLElement>("[data-chart]")];
    if (!boxes.length) return;
    const { drawChart } = await import("./chart-draw");
    boxes.forEach(drawChart);
  };
  void draw(document);
  document.addEventListener("htmx:load", (event) => {
    const loaded = event.target as HTMLElement;
    if (loaded !== document.body) void draw(loaded);
  });
}
