import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([AriaComponent, BarChart, CanvasRenderer, GridComponent, LineChart, TooltipComponent]);

interface Series {
  name: string;
  tone: "recovered" | "due" | "failed" | "neutral";
  kind: "bar" | "line";
  values: (number | null)[];
  shown: string[];
}

interface Chart {
  labels: string[];
  titles: string[];
  series: Series[];
  locale: string;
  currency: string;
  summary: string;
}

const drawn = new WeakMap<HTMLElement, EChartsType>();

/** Draw one chart from its data attribute, again when the colours change or the box grows. */
export function drawChart(box: HTMLElement): void {
  if (drawn.has(box)) return;
  const given = JSON.parse(box.dataset.chart ?? "{}") as Chart;
  const chart = init(box, null, { renderer: "canvas" });
  drawn.set(box, chart);
  const paint = (): void => chart.setOption(optionsOf(given, box), true);
  paint();
  new ResizeObserver(() => {
    chart.resize();
    paint();
  }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  void document.fonts.ready.then(paint);
}

/** The used colour of a token, light or dark, as the canvas wants it. */
function colour(box: HTMLElement, token: string): string {
  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.color = `var(--${token})`;
  box.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function optionsOf(given: Chart, box: HTMLElement): EChartsCoreOption {
  const muted = colour(box, "muted");
  const ink = colour(box, "ink");
  const line = colour(box, "line");
  const font = { fontFamily: getComputedStyle(box).fontFamily, fontSize: 12 };
  const small = new Intl.NumberFormat(given.locale, { maximumFractionDigits: 1 });
  const large = new Intl.NumberFormat(given.locale, { notation: "compact", maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(given.locale, { maximumFractionDigits: 0 });
  // Some languages have no short word for thousands, and would show their tenths.
  const short = (value: number): string => (Math.abs(value) < 100 ? small : Math.abs(value) < 10_000 ? whole : large).format(value);
  const last = given.labels.length - 1;
  return {
    animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250,
    aria: { enabled: true, label: { description: given.summary } },
    textStyle: font,
    grid: { left: 8, right: 16, top: 24, bottom: 28, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      backgroundColor: colour(box, "raised"),
      borderColor: line,
      padding: [8, 12],
      textStyle: { ...font, color: ink, rich: { head: { ...font, color: muted }, sum: { ...font, color: ink, fontWeight: 600 } } },
      axisPointer: { type: "shadow", z: 1, shadowStyle: { color: colour(box, "hover"), opacity: 0.8 } },
      formatter: (points: { dataIndex: number }[]) => wordsAt(given, points[0]?.dataIndex ?? last),
    },
    xAxis: {
      type: "category",
      data: given.labels,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: line } },
      axisLabel: { ...font, color: muted, hideOverlap: true, margin: 10 },
    },
    yAxis: {
      type: "value",
      // From zero on, unless something lies below it.
      min: given.series.some((series) => series.values.some((value) => (value ?? 0) < 0)) ? undefined : 0,
      splitNumber: 3,
      // What is counted has no halves.
      minInterval: given.series.every((series) => series.values.every((value) => Number.isInteger(value ?? 0))) ? 1 : 0,
      splitLine: { lineStyle: { color: line } },
      axisLabel: { ...font, color: muted, formatter: (value: number) => short(value) },
    },
    series: given.series.map((series) => seriesOf(series, box, short)),
  };
}

/** The points that say their number: of a line the last; of bars all where there is room, else the highest and the last. */
function labelled(values: (number | null)[], kind: Series["kind"], box: HTMLElement): Set<number> {
  if (kind === "line") return new Set([values.length - 1]);
  const all = [...values.keys()];
  if (box.clientWidth / Math.max(1, values.length) >= 40) return new Set(all);
  const highest = all.reduce((best, at) => ((values[at] ?? 0) > (values[best] ?? 0) ? at : best), 0);
  return new Set([highest, values.length - 1]);
}

function seriesOf(series: Series, box: HTMLElement, short: (value: number) => string): object {
  const told = labelled(series.values, series.kind, box);
  const tint = colour(box, `${series.tone}-bar`);
  const words = colour(box, series.tone);
  return {
    type: series.kind,
    name: series.name,
    data: series.values,
    barMaxWidth: 36,
    barCategoryGap: "32%",
    itemStyle: { color: tint, borderRadius: [3, 3, 0, 0] },
    lineStyle: { color: tint, width: 2 },
    symbol: "circle",
    symbolSize: 6,
    label: {
      show: true,
      position: "top",
      fontSize: 12,
      fontWeight: 600,
      color: words,
      formatter: (point: { dataIndex: number; value: number | null }) =>
        told.has(point.dataIndex) && point.value ? short(point.value) : "",
    },
  };
}

function wordsAt(given: Chart, index: number): string {
  const lines = given.series.map((series) => `{sum|${series.shown[index] ?? ""}}  {head|${series.name}}`);
  return [`{head|${given.titles[index] ?? given.labels[index] ?? ""}}`, ...lines].join("\n");
}
