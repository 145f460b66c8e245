interface Timeline {
  kind: string;
  $el: HTMLElement;
  show(): void;
}

/** Filter of a timeline by kind: the buttons carry data-kind, the events too. */
export function timeline(): object {
  return {
    kind: "",

    show(this: Timeline): void {
      this.kind = this.$el.dataset.kind ?? "";
      const box = this.$el.closest("[x-data]");
      for (const event of box?.querySelectorAll<HTMLElement>(".event") ?? []) {
        event.hidden = this.kind !== "" && event.dataset.kind !== this.kind;
      }
      for (const button of box?.querySelectorAll<HTMLElement>("button[data-kind]") ?? []) {
        button.setAttribute("aria-pressed", String(button === this.$el));
      }
    },
  };
}
