declare module "@alpinejs/csp" {
  interface Alpine {
    data(name: string, factory: (...given: never[]) => object): void;
    start(): void;
  }
  const alpine: Alpine;
  export default alpine;
}
