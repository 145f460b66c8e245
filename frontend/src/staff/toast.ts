/** A message that leaves by itself, unless it is an error or somebody reads it. */
export function toast(): object {
  return {
    shown: true,
    timer: 0,

    init(this: { shown: boolean; timer: number; $el: HTMLElement }): void {
      if (this.$el.dataset.stays !== undefined) return;
      const leave = (): void => {
        this.timer = window.setTimeout(() => (this.shown = false), 6000);
      };
      this.$el.addEventListener("mouseenter", () => clearTimeout(this.timer));
      this.$el.addEventListener("mouseleave", leave);
      leave();
    },

    close(this: { shown: boolean }): void {
      this.shown = false;
    },
  };
}
