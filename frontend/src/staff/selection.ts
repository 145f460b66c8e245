interface Selection {
  count: number;
  $root: HTMLElement;
  boxes(): HTMLInputElement[];
  recount(): void;
  all(event: Event): void;
  clear(): void;
}

/** Rows picked in a list; the bar with the bulk actions shows how many rows it means. */
export function selection(): object {
  return {
    count: 0,

    boxes(this: Selection): HTMLInputElement[] {
      return [...this.$root.querySelectorAll<HTMLInputElement>("tbody .pick input")];
    },

    recount(this: Selection): void {
      const boxes = this.boxes();
      this.count = boxes.filter((box) => box.checked).length;
      const head = this.$root.querySelector<HTMLInputElement>("thead .pick input");
      if (!head) return;
      head.checked = this.count > 0 && this.count === boxes.length;
      head.indeterminate = this.count > 0 && this.count < boxes.length;
    },

    all(this: Selection, event: Event): void {
      const { checked } = event.target as HTMLInputElement;
      for (const box of this.boxes()) box.checked = checked;
      this.recount();
    },

    clear(this: Selection): void {
      for (const box of this.boxes()) box.checked = false;
      this.recount();
    },
  };
}
